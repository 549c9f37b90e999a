"""The independent figures themselves, against a book small enough to work out on paper."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.system.truth import Claim, Truth


def claim(number: str, issued: str, due: str, amount: str, settled: str | None = None, currency: str = "EUR") -> Claim:
    paid = date.fromisoformat(settled) if settled else None
    return Claim("c", number, date.fromisoformat(issued), date.fromisoformat(due), Decimal(amount), currency, paid)


BOOK = Truth(
    [
        claim("1", "2026-01-05", "2026-02-04", "300", "2026-02-20"),
        claim("2", "2026-01-20", "2026-02-19", "100"),
        claim("3", "2026-02-10", "2026-03-12", "280", "2026-03-12"),
        claim("4", "2026-03-02", "2026-04-01", "310", "2026-04-15"),
        claim("5", "2026-03-15", "2026-03-20", "40"),
        claim("6", "2026-03-31", "2026-03-31", "9000", None, "JPY"),
    ]
)


def test_the_book_ends_with_its_last_settlement_or_open_due_date() -> None:
    assert (BOOK.first, BOOK.last) == (date(2026, 1, 5), date(2026, 4, 15))
    assert BOOK.month_ends() == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 15)]


def test_ageing_at_the_end_of_march() -> None:
    aged = BOOK.ageing(date(2026, 3, 31), "EUR")
    assert aged.buckets == {"current": 310, "d1_30": 40, "d31_60": 100, "d61_90": 0, "d91_plus": 0}
    assert (aged.total, aged.overdue, aged.open_invoices) == (450, 140, 3)
    assert BOOK.ageing(date(2026, 3, 31), "JPY").buckets["current"] == 9000


@pytest.mark.parametrize(
    ("day", "bucket"),
    [
        ("2026-02-19", "current"), ("2026-02-20", "d1_30"), ("2026-03-21", "d1_30"), ("2026-03-22", "d31_60"),
        ("2026-04-20", "d31_60"), ("2026-04-21", "d61_90"), ("2026-05-20", "d61_90"), ("2026-05-21", "d91_plus"),
    ],
)  # fmt: skip
def test_an_open_item_grows_older(day: str, bucket: str) -> None:
    assert Truth([BOOK.claims[1]]).ageing(date.fromisoformat(day), "EUR").buckets[bucket] == 100


def test_figures_of_a_window_at_the_end_of_march() -> None:
    kpis = BOOK.kpis(date(2026, 3, 31), "EUR", 60)
    assert (kpis.receivables, kpis.overdue, kpis.credit_sales) == (450, 140, 630)
    assert kpis.dso == Decimal("42.86")  # 450 / 630 x 60
    assert kpis.best_possible_dso == Decimal("29.52")  # 310 / 630 x 60
    assert kpis.average_days_delinquent == Decimal("13.33")
    assert kpis.cei == Decimal("80.56")  # Opening 400: (400 + 630 - 450) / (400 + 630 - 310)
    assert kpis.dso_countback == Decimal("41.00")  # March takes 350 and 31 days, 100 of February's 280 are 10 days


def test_countback_is_nothing_when_the_history_runs_out_and_a_part_of_the_running_month() -> None:
    assert BOOK.countback(date(2026, 3, 31), Decimal(5000), "EUR") is None
    assert BOOK.countback(date(2026, 3, 20), Decimal(35), "EUR") == 2  # A tenth of the month's 350 so far, of 20 days
    assert BOOK.countback(date(2026, 3, 20), Decimal(0), "EUR") == 0


def test_there_are_no_ratios_where_nothing_was_sold() -> None:
    kpis = BOOK.kpis(date(2026, 12, 31), "EUR")
    assert kpis.credit_sales == 0
    assert (kpis.dso, kpis.dso_countback, kpis.cei) == (None, None, None)


def test_an_invoice_paid_on_its_due_date_was_never_overdue() -> None:
    assert BOOK.overdue_episodes() == 5  # All but invoice 3.
    assert BOOK.overdue_episodes(date(2026, 4, 1)) == 4  # Invoice 4 is due that day.
    assert BOOK.overdue_episodes(date(2026, 2, 5)) == 1


def test_balances() -> None:
    assert BOOK.balance("1", date(2026, 2, 19)) == 300
    assert BOOK.balance("1") == 0
    assert BOOK.final_balances() == {"1": 0, "2": 100, "3": 0, "4": 0, "5": 40, "6": 9000}
