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
