"""Ageing, ratios and top debtors over HTTP, in DESIGN's shapes, compared with figures worked out by plain loops."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared import tokens
from shared.money import format_minor
from tests.reporting import truth
from tests.reporting.books import DAY, Books
from tests.reporting.client import Reporting, forget, problem

D = date
AMOUNTS = ("current", "d1_30", "d31_60", "d61_90", "d91_plus", "total", "overdue")


async def test_ageing_answers_in_the_agreed_shape(reporting: Reporting) -> None:
    books = Books()
    books.issue(books.onboard(), D(2021, 6, 1), 12_500, "USD", net_days=10)
    await reporting.hear(books)
    assert await reporting.get("/v1/reports/ageing", as_of="2021-06-30") == {
        "as_of": "2021-06-30",
        "known_at": None,
        "items": [
            {
                "currency": "USD",
                "group": None,
                "label": None,
                "current": "0.00",
                "d1_30": "125.00",
                "d31_60": "0.00",
                "d61_90": "0.00",
                "d91_plus": "0.00",
                "total": "125.00",
                "overdue": "125.00",
                "open_invoices": 1,
            }
        ],
        "next_cursor": None,
    }


@pytest.mark.parametrize(
    ("days", "bucket"),
    [
        (-1, "current"),
        (0, "current"),
        (1, "d1_30"),
        (30, "d1_30"),
        (31, "d31_60"),
        (60, "d31_60"),
        (61, "d61_90"),
        (90, "d61_90"),
        (91, "d91_plus"),
    ],
)
async def test_an_item_moves_to_the_next_bucket_on_the_day_after(reporting: Reporting, days: int, bucket: str) -> None:
    books = Books()
    item = books.issue(books.onboard(), D(2021, 1, 1), 700)
    await reporting.hear(books)
    (row,) = (await reporting.get("/v1/reports/ageing", as_of=item.due_on + days * DAY))["items"]
    assert {name for name in AMOUNTS[:5] if row[name] != "0.00"} == {bucket}


async def test_a_payment_counts_from_the_day_it_is_effective_and_known_from_the_day_it_was_booked(
    reporting: Reporting,
) -> None:
    books = Books()
    item = books.issue(books.onboard(), D(2021, 1, 1), 1_000)
    books.pay(item, D(2021, 1, 10), booked_on=D(2021, 1, 15))
    await reporting.hear(books)

    async def owed(as_of: str, known_at: str | None = None) -> str:
        (row,) = (await reporting.get("/v1/reports/ageing", as_of=as_of, known_at=known_at))["items"]
        return row["total"]

    assert await owed("2021-01-09") == "10.00"
    assert await owed("2021-01-10") == "0.00"
    assert await owed("2021-01-12", known_at="2021-01-12") == "10.00"
    assert await owed("2021-01-12", known_at="2021-01-14") == "10.00"
    assert await owed("2021-01-12", known_at="2021-01-15") == "0.00"
    assert await owed("2021-01-09", known_at="2021-02-01") == "10.00"
    assert (await reporting.get("/v1/reports/ageing", as_of="2021-01-12", known_at="2020-12-31"))["items"] == []


async def test_ageing_without_a_day_is_for_today(reporting: Reporting) -> None:
    assert (await reporting.get("/v1/reports/ageing"))["as_of"] == "2021-12-31"
    assert (await reporting.get("/v1/reports/kpis"))["as_of"] == "2021-12-31"
    assert (await reporting.get("/v1/reports/top-debtors"))["as_of"] == "2021-12-31"


async def test_amounts_have_their_currencys_own_decimals(reporting: Reporting) -> None:
    books = Books()
    customer = books.onboard()
    for currency in ("JPY", "KWD", "EUR"):
        books.issue(customer, D(2021, 1, 1), 1234, currency)
    await reporting.hear(books)
    items = (await reporting.get("/v1/reports/ageing", as_of="2021-01-02"))["items"]
    assert {item["currency"]: item["total"] for item in items} == {"JPY": "1234", "KWD": "1.234", "EUR": "12.34"}


async def test_groups_have_the_name_of_the_customer_and_segment(reporting: Reporting) -> None:
    books = Books()
    acme = books.onboard("Acme", "retail")
    books.issue(acme, D(2021, 1, 1), 100)
    await reporting.hear(books)
    (row,) = (await reporting.get("/v1/reports/ageing", group_by="customer"))["items"]
    assert (row["group"], row["label"], row["total"]) == (str(acme), "Acme", "1.00")
    (row,) = (await reporting.get("/v1/reports/ageing", group_by="segment"))["items"]
    assert (row["group"], row["label"], row["total"]) == ("retail", "retail", "1.00")


async def test_a_customer_whose_name_has_not_arrived_is_in_the_figures_already(reporting: Reporting) -> None:
    books = Books()
    acme = books.onboard()
    books.issue(acme, D(2021, 1, 1), 100)
    await reporting.hear(books.received[1:])
    (row,) = (await reporting.get("/v1/reports/ageing", group_by="customer"))["items"]
    assert (row["group"], row["label"]) == (str(acme), "Unknown customer")
    (row,) = (await reporting.get("/v1/reports/ageing", group_by="segment"))["items"]
    assert row["group"] == "unknown"
    (debtor,) = (await reporting.get("/v1/reports/top-debtors"))["items"]
    assert debtor["name"] == "Unknown customer"


async def test_grouped_ageing_is_read_page_by_page(reporting: Reporting) -> None:
    books = Books()
    for n in range(7):
        customer = books.onboard(f"Customer {n}")
        books.issue(customer, D(2021, 1, 1), 100 + n)
        books.issue(customer, D(2021, 1, 1), 200 + n, "USD")
    await reporting.hear(books)
    paged = await reporting.pages("/v1/reports/ageing", group_by="customer", limit=3)
    whole = (await reporting.get("/v1/reports/ageing", group_by="customer"))["items"]
    assert len(whole) == 14
    assert paged == whole


async def test_kpis_answer_in_the_agreed_shape(reporting: Reporting) -> None:
    """The textbook case: 15,000 owed of which 4,000 are current, 10,000 sold, 30 days."""
    books = Books()
    customer = books.onboard()
    books.issue(customer, D(2021, 4, 1), 9_000_00, net_days=30)
    books.issue(customer, D(2021, 6, 5), 6_000_00, net_days=7)
    books.pay(books.items[1], D(2021, 6, 20), 4_000_00)
    books.issue(customer, D(2021, 6, 10), 4_000_00, net_days=30)
    await reporting.hear(books)
    assert await reporting.get("/v1/reports/kpis", as_of="2021-06-30", window_days=30) == {
        "as_of": "2021-06-30",
        "window_days": 30,
        "known_at": None,
        "items": [
            {
                "currency": "EUR",
                "receivables": "15000.00",
                "overdue": "11000.00",
                "credit_sales": "10000.00",
                "dso": "45.00",
                "dso_countback": "77.67",  # June 30 days, May 31 without sales, 5,000 of April's 9,000: 16.67.
                "best_possible_dso": "12.00",
                "average_days_delinquent": "33.00",
                "cei": "26.67",  # (9,000 + 10,000 - 15,000) / (9,000 + 10,000 - 4,000)
            }
        ],
    }


async def test_ratios_are_null_when_nothing_was_sold_and_amounts_are_not(reporting: Reporting) -> None:
    books = Books()
    books.issue(books.onboard(), D(2021, 1, 1), 100)
    await reporting.hear(books)
    (row,) = (await reporting.get("/v1/reports/kpis", as_of="2021-12-31"))["items"]
    assert (row["receivables"], row["credit_sales"]) == ("1.00", "0.00")
    assert {row[name] for name in ("dso", "dso_countback", "best_possible_dso", "average_days_delinquent", "cei")} == {
        None
    }


async def test_the_window_begins_on_the_day_after_its_first_bound(reporting: Reporting) -> None:
    books = Books()
    books.issue(books.onboard(), D(2021, 6, 1), 100)
    await reporting.hear(books)

    async def sold(as_of: str) -> str:
        return (await reporting.get("/v1/reports/kpis", as_of=as_of, window_days=30))["items"][0]["credit_sales"]

    assert (await sold("2021-06-30"), await sold("2021-07-01")) == ("1.00", "0.00")


async def test_top_debtors_are_ranked_within_their_currency(reporting: Reporting) -> None:
    books = Books()
    small, large, other = books.onboard("Small"), books.onboard("Large", "key"), books.onboard("Other")
    books.issue(small, D(2021, 1, 1), 10_00)
    books.issue(large, D(2021, 12, 20), 30_00)
    books.issue(other, D(2021, 12, 1), 500_00, "USD")
    await reporting.hear(books)
    items = (await reporting.get("/v1/reports/top-debtors", as_of="2021-12-31"))["items"]
    assert [(i["currency"], i["name"], i["total"], i["overdue"], i["share_percent"]) for i in items] == [
        ("EUR", "Large", "30.00", "0.00", "75.00"),
        ("EUR", "Small", "10.00", "10.00", "25.00"),
        ("USD", "Other", "500.00", "0.00", "100.00"),
    ]
    by_overdue = (await reporting.get("/v1/reports/top-debtors", sort_by="overdue", currency="EUR", limit=1))["items"]
    assert [(i["name"], i["oldest_days_overdue"]) for i in by_overdue] == [("Small", 334)]


@pytest.mark.parametrize(
    ("path", "status", "slug"),
    [
        ("/v1/reports/ageing?as_of=yesterday", 422, "invalid-request"),
        ("/v1/reports/ageing?as_of=0001-01-01", 422, "invalid-request"),
        ("/v1/reports/ageing?currency=EURO", 422, "invalid-request"),
        ("/v1/reports/ageing?group_by=colour", 422, "invalid-request"),
        ("/v1/reports/ageing?asof=2021-01-01", 422, "unknown-parameter"),
        ("/v1/reports/ageing?cursor=nonsense", 400, "bad-cursor"),
        ("/v1/reports/kpis?window_days=0", 422, "invalid-request"),
        ("/v1/reports/kpis?currency=ABC", 422, "invalid-request"),
        ("/v1/reports/top-debtors?limit=501", 422, "invalid-request"),
        ("/v1/events?after=the-beginning", 422, "unreadable-after"),
        ("/v1/events?after=0193c0de-0000-7000-8000-000000000000", 404, "event-not-found"),
        ("/v1/events?customer_id=7", 422, "invalid-request"),
        ("/v1/customers/0193c0de-0000-7000-8000-000000000000/timeline", 404, "customer-not-found"),
    ],
)
async def test_what_cannot_be_answered_is_said_in_a_problem(
    reporting: Reporting, path: str, status: int, slug: str
) -> None:
    assert problem(await reporting.http.get(path), status) == slug


async def test_reports_are_for_those_who_may_read_them(reporting: Reporting, keys_folder: Any) -> None:
    for path in ("/v1/reports/ageing", "/v1/reports/kpis", "/v1/reports/top-debtors", "/v1/events"):
        assert problem(await reporting.http.get(path, headers={"authorization": ""}), 401)
        other = tokens.make_token(keys_folder, "paul", "payments:read")
        assert problem(await reporting.http.get(path, headers={"authorization": f"Bearer {other}"}), 403)


@st.composite
def ledgers(draw: st.DrawFn) -> Books:
    """A year of a small ledger: part payments, bounced ones, some booked days later than they count for."""
    books = Books()
    customers = [books.onboard(f"Customer {n}", draw(st.sampled_from(["retail", "key"]))) for n in range(3)]
    first = D(2021, 1, 1)
    later = st.integers(0, 9).map(lambda n: timedelta(days=n * (n > 6)))
    for _ in range(draw(st.integers(1, 14))):
        on = first + timedelta(days=draw(st.integers(0, 300)))
        item = books.issue(
            draw(st.sampled_from(customers)),
            on,
            draw(st.integers(1, 100_000)),
            draw(st.sampled_from(["EUR", "JPY"])),
            net_days=draw(st.sampled_from([0, 14, 30, 90])),
            booked_on=on + draw(later),
        )
        for _ in range(draw(st.integers(0, 3))):
            on += timedelta(days=draw(st.integers(0, 60)))
            booked_on = on + draw(later)
            if item.balance and draw(st.integers(0, 4)):
                books.pay(item, on, draw(st.sampled_from([item.balance, 1 + item.balance // 2])), booked_on)
            elif item.balance < item.total:
                books.take_back(item, on, item.total - item.balance, booked_on)
    return books


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(books=ledgers(), day=st.integers(0, 400), lag=st.integers(-5, 20), window=st.sampled_from([1, 30, 90, 365]))
async def test_every_figure_agrees_with_plain_loops_over_the_books(
    reporting: Reporting, books: Books, day: int, lag: int, window: int
) -> None:
    await forget(reporting.database)
    await reporting.hear(books)
    on = D(2021, 1, 1) + timedelta(days=day)
    known = on + timedelta(days=lag)
    for known_at in (None, known):
        for group_by, group in ((None, None), ("customer", _customer), ("segment", _segment(books))):
            answer = await reporting.get("/v1/reports/ageing", as_of=on, known_at=known_at, group_by=group_by)
            want = truth.ageing(books.items, on, known_at or date.max, group or (lambda _: None))
            have = {(i["currency"], i["group"]): i for i in answer["items"] if i["open_invoices"]}
            assert have.keys() == want.keys()
            for (currency, name), row in want.items():
                shown = have[currency, name]
                assert [shown[a] for a in AMOUNTS] == [format_minor(row[a], currency) for a in AMOUNTS]
                assert shown["open_invoices"] == row["open_invoices"]
    kpis = {i["currency"]: i for i in (await reporting.get("/v1/reports/kpis", as_of=on, window_days=window))["items"]}
    for currency in ("EUR", "JPY"):
        want = truth.kpis(books.items, currency, on, window)
        for name, value in (want or {}).items():
            assert kpis[currency][name] == _two_places(value), (currency, name)


def _customer(item: Any) -> str:
    return str(item.customer_id)


def _segment(books: Books) -> Any:
    return lambda item: books.segments[item.customer_id]


def _two_places(value: Fraction | None) -> str | None:
    if value is None:
        return None
    hundredths = (Decimal(value.numerator * 100) / value.denominator).quantize(Decimal(1), ROUND_HALF_EVEN)
    return str(hundredths.scaleb(-2).quantize(Decimal("0.01")))
