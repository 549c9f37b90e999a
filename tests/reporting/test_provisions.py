"""A provision matrix from a company's own write-offs, against cases worked out by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from services.reporting.provisions import rules
from tests.reporting.books import Books
from tests.reporting.client import Reporting, problem

D = date
RANGES = [(None, 0), (1, 30), (31, None)]


@pytest.mark.parametrize(
    ("as_of", "newest"),
    [(D(2021, 12, 30), D(2020, 11, 30)), (D(2021, 12, 31), D(2020, 12, 31)), (D(2022, 1, 1), D(2020, 12, 31))],
)
def test_only_months_whose_losses_are_all_known_are_looked_at(as_of: date, newest: date) -> None:
    ends = rules.looked_at(as_of, 3, 12)
    assert (len(ends), ends[-1]) == (3, newest)


def test_a_rate_is_what_was_lost_of_what_was_seen() -> None:
    lines = rules.matrix([1_000, 200, 50], [10_000, 3_000, 400], [10, 60, 200], RANGES, Decimal(0))
    assert [(line.rate_percent, line.provision_minor) for line in lines] == [
        (Decimal("0.1000"), 1),
        (Decimal("2.0000"), 4),
        (Decimal("50.0000"), 25),
    ]
    assert rules.provided_minor(lines) == 30


def test_forward_looking_information_raises_the_rates_but_never_above_everything() -> None:
    lines = rules.matrix([1_000, 200, 50], [10_000, 3_000, 400], [10, 60, 380], RANGES, Decimal(10))
    assert [(line.rate_percent, line.provision_minor) for line in lines] == [
        (Decimal("0.1100"), 1),
        (Decimal("2.2000"), 4),
        (Decimal("100.0000"), 50),
    ]


def test_no_experience_is_not_a_rate_of_zero() -> None:
    lines = rules.matrix([1_000, 0, 50], [10_000, 0, 0], [0, 0, 0], RANGES, Decimal(0))
    assert [line.provision_minor for line in lines] == [0, 0, None]
    assert rules.provided_minor(lines) is None


async def test_losses_count_in_the_bucket_that_the_invoice_was_in_at_each_months_end(reporting: Reporting) -> None:
    """Two invoices of 1,000 are due in March 2020; one is paid in May, one written off in July."""
    books = Books()
    customer = books.onboard()
    paid = books.issue(customer, D(2020, 3, 1), 1_000_00, net_days=15)
    lost = books.issue(customer, D(2020, 3, 1), 1_000_00, net_days=15)
    books.pay(paid, D(2020, 5, 10))
    books.write_off(lost, D(2020, 7, 20))
    books.issue(customer, D(2021, 12, 1), 500_00, net_days=10)
    await reporting.hear(books)
    answer = await reporting.get("/v1/reports/provision", as_of="2021-12-31")
    (item,) = answer["items"]
    assert answer["looked_at"][-1] == "2020-12-31"
    # Seen: in March 15 days late both, in April 45 both, in May 76 and in June 106 the one that was lost.
    assert [(b["seen"], b["lost"], b["rate_percent"]) for b in item["lines"]] == [
        ("0.00", "0.00", None),
        ("2000.00", "1000.00", "50.0000"),
        ("2000.00", "1000.00", "50.0000"),
        ("1000.00", "1000.00", "100.0000"),
        ("1000.00", "1000.00", "100.0000"),
    ]
    assert [(b["amount"], b["provision"]) for b in item["lines"] if b["amount"] != "0.00"] == [("500.00", "250.00")]
    assert (item["total"], item["provision"]) == ("500.00", "250.00")


async def test_a_write_off_behind_the_horizon_does_not_count(reporting: Reporting) -> None:
    books = Books()
    lost = books.issue(books.onboard(), D(2020, 3, 1), 1_000_00, net_days=15)
    books.write_off(lost, D(2020, 7, 20))
    await reporting.hear(books)
    near = await reporting.get("/v1/reports/provision", as_of="2021-12-31", horizon_months=1)
    assert [b["lost"] for b in near["items"][0]["lines"]] == ["0.00", "0.00", "0.00", "0.00", "1000.00"]
    assert problem(await reporting.http.get("/v1/reports/provision?buckets=60,30"), 422) == "unreadable-buckets"


SEEN, THIN = [10_000, 3_000, 400], [40, 29, 30]


def test_a_group_has_its_own_rate_from_as_many_invoices_as_are_asked_for() -> None:
    """Below 30 invoices seen in a bucket the whole book's losses count, at 30 the group's own."""
    own = rules.Experience([1_000, 500, 100], [100, 500, 10], THIN)
    book = rules.Experience(SEEN, [10, 60, 200], [90, 90, 90])
    lines = rules.matrix_of_group([1_000, 200, 50], own, book, RANGES, Decimal(0), 30)
    assert [(line.rate_from, line.rate_percent, line.provision_minor, line.invoices_seen) for line in lines] == [
        ("group", Decimal("10.0000"), 100, 40),
        ("book", Decimal("2.0000"), 4, 29),
        ("group", Decimal("10.0000"), 5, 30),
    ]
    assert [(line.seen_minor, line.lost_minor) for line in lines] == [(1_000, 100), (3_000, 60), (100, 10)]


def test_where_neither_group_nor_book_was_seen_there_is_no_rate() -> None:
    nothing = rules.nothing_seen(3)
    lines = rules.matrix_of_group([10, 0, 0], nothing, nothing, RANGES, Decimal(0), 1)
    assert [(line.rate_percent, line.provision_minor) for line in lines] == [(None, None), (None, 0), (None, 0)]
    assert rules.provided_minor(lines) is None


def two_segments() -> Books:
    """Retail: one of two invoices of 1,000 is lost. Key: one of four. All due in March 2020 and closed before April
    ends; today each segment owes 500 that are late for 21 days."""
    books = Books()
    for segment, count, lost in (("retail", 2, 1), ("key", 4, 1)):
        customer = books.onboard(segment.title(), segment)
        bills = [books.issue(customer, D(2020, 3, 1), 1_000_00, net_days=15) for _ in range(count)]
        for place, bill in enumerate(bills):
            (books.write_off if place < lost else books.pay)(bill, D(2020, 4, 20))
        books.issue(customer, D(2021, 12, 1), 500_00, net_days=9)
    return books


@pytest.mark.parametrize(
    ("seen_min", "rates"),
    [
        (2, {"retail": ("group", "50.0000", "250.00"), "key": ("group", "25.0000", "125.00")}),
        (3, {"retail": ("book", "33.3333", "166.67"), "key": ("group", "25.0000", "125.00")}),
        (5, {"retail": ("book", "33.3333", "166.67"), "key": ("book", "33.3333", "166.67")}),
    ],
)
async def test_segments_have_their_own_losses_where_their_history_carries_them(
    reporting: Reporting, seen_min: int, rates: dict[str, tuple[str, str, str]]
) -> None:
    await reporting.hear(two_segments())
    asked = {"as_of": "2021-12-31", "group_by": "segment", "seen_min": seen_min}
    answer = await reporting.get("/v1/reports/provision", **asked)
    assert answer["seen_min"] == seen_min
    found = {item["group"]: item["lines"][1] for item in answer["items"]}
    assert {
        group: (line["rate_from"], line["rate_percent"], line["provision"]) for group, line in found.items()
    } == rates
    assert {group: line["invoices_seen"] for group, line in found.items()} == {"retail": 2, "key": 4}
    file = await reporting.http.get("/v1/reports/provision.csv", params=asked)
    assert f"retail,1,30,500.00,{found['retail']['seen']}" in file.text
    assert file.text.count(",group\r\n") == sum(
        line["rate_from"] == "group" for item in answer["items"] for line in item["lines"]
    )


async def test_by_default_the_threshold_is_told_and_a_group_that_is_all_there_is_agrees_with_the_whole(
    reporting: Reporting,
) -> None:
    await reporting.hear(two_segments())
    for by in ("country", "entity"):
        grouped = await reporting.get("/v1/reports/provision", as_of="2021-12-31", group_by=by, seen_min=1)
        whole = await reporting.get("/v1/reports/provision", as_of="2021-12-31")
        (item,), (all_of_it,) = grouped["items"], whole["items"]
        assert item["group"] in ("DE", "default")
        assert (item["total"], item["provision"]) == (all_of_it["total"], all_of_it["provision"])
    assert (whole["seen_min"], whole["group_by"], all_of_it["group"]) == (None, None, None)
    assert (await reporting.get("/v1/reports/provision", group_by="segment"))["seen_min"] == 30
    assert problem(await reporting.http.get("/v1/reports/provision?group_by=weather"), 422)
