"""Indicators against tables worked out by hand; the ratios that they share with the KPIs are in test_kpi_rules."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from services.reporting.indicators import rules
from services.reporting.indicators.rules import Facts
from services.reporting.kpis.rules import Ratios

D = date
JUNE, MAY, APRIL = D(2024, 6, 1), D(2024, 5, 1), D(2024, 4, 1)


def value(name: str, **known: object) -> Decimal | None:
    facts = Facts(as_of=D(2024, 6, 30), window_days=90, ratios=Ratios(), **known)  # pyright: ignore[reportArgumentType]
    (found,) = [each.value for each in rules.indicators(facts) if each.name == name]
    return found


@pytest.mark.parametrize(
    ("owed", "as_of", "days"),
    [
        ({}, D(2024, 6, 30), "0.00"),
        ({JUNE: 10_000}, D(2024, 6, 30), "30.00"),
        ({JUNE: 10_000, MAY: 5_000}, D(2024, 6, 30), "37.75"),  # 30 + 31 / 4
        ({JUNE: 10_000, MAY: 5_000, APRIL: 0}, D(2024, 6, 10), "17.75"),  # 10 + 31 / 4
    ],
)
def test_sales_weighted_dso_adds_each_months_days_by_the_share_still_open(
    owed: dict[date, int], as_of: date, days: str
) -> None:
    assert rules.sales_weighted(owed, {JUNE: 10_000, MAY: 20_000}, as_of) == Decimal(days)


def test_sales_weighted_dso_does_not_rise_because_sales_did() -> None:
    """Half of June and all of May paid: twice the sales of June, twice the receivables, and the same days."""
    lean = rules.sales_weighted({JUNE: 5_000}, {JUNE: 10_000, MAY: 10_000}, D(2024, 6, 30))
    rich = rules.sales_weighted({JUNE: 10_000}, {JUNE: 20_000, MAY: 10_000}, D(2024, 6, 30))
    assert lean == rich == Decimal("15.00")


def test_sales_weighted_dso_is_unknown_where_a_month_has_something_open_and_no_sales() -> None:
    assert rules.sales_weighted({APRIL: 1}, {JUNE: 10_000}, D(2024, 6, 30)) is None
    assert rules.sales_weighted({}, {}, D(2024, 6, 30)) is None


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        # 9,000 in 90 days are 36,500 a year; on average 5,000 were owed.
        ("turnover", {"sales_minor": 9_000, "opening_minor": 4_000, "receivables_minor": 6_000}, "7.30"),
        ("turnover", {"sales_minor": 9_000}, None),
        ("share_current", {"current_minor": 4_000, "receivables_minor": 15_000}, "26.67"),
        ("share_current", {}, None),
        ("bad_debt_ratio", {"written_off_minor": 30, "sales_minor": 10_000}, "0.30"),
        ("promise_kept_rate", {"promises_kept": 3, "promises_broken": 1}, "75.00"),
        ("promise_kept_rate", {}, None),
        ("dispute_rate", {"disputes_opened": 2, "invoices": 300}, "0.67"),
        ("dispute_days", {"disputes_resolved": 4, "dispute_days": 50}, "12.50"),
        ("straight_through_rate", {"receipts": 8, "receipts_straight": 7}, "87.50"),
        ("cost_per_contact", {"contacts": 40, "cost": Decimal("13.00")}, "0.32"),  # 0.325 to the even hundredth
        ("cost_per_contact", {"contacts": 40}, None),
        ("cost_per_contact", {"contacts": 0, "cost": Decimal("13.00")}, None),
    ],
)
def test_each_indicator_is_its_formula(name: str, known: dict[str, object], expected: str | None) -> None:
    assert value(name, **known) == (None if expected is None else Decimal(expected))
