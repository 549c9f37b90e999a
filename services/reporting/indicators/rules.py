"""Every indicator of collection by its name: what it is made of, and its value. docs/figures.md has the formulas with
their sources.

Each is computed exactly and rounded once, half-even, to two decimals; None where there is nothing to divide by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from services.reporting.kpis.rules import Ratios
from shared.calendar import month_end, month_start

Unit = Literal["days", "percent", "times a year", "amount"]
HUNDREDTH = Decimal("0.01")
DAYS_A_YEAR = 365


@dataclass(frozen=True, slots=True)
class Facts:
    """One currency over the window (as_of - window_days, as_of], minor units.

    `open_by_month` is what is open at the end of `as_of` by the month it was invoiced in, `sales_by_month` what was
    invoiced in each; `cost` is what the window's contacts cost together, None where nobody has said what they cost.
    """

    as_of: date
    window_days: int
    ratios: Ratios
    receivables_minor: int = 0
    current_minor: int = 0
    opening_minor: int = 0
    sales_minor: int = 0
    written_off_minor: int = 0
    invoices: int = 0
    open_by_month: Mapping[date, int] = field(default_factory=dict)
    sales_by_month: Mapping[date, int] = field(default_factory=dict)
    promises_kept: int = 0
    promises_broken: int = 0
    disputes_opened: int = 0
    disputes_resolved: int = 0
    dispute_days: int = 0
    receipts: int = 0
    receipts_straight: int = 0
    contacts: int = 0
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Indicator:
    name: str
    unit: Unit
    value: Decimal | None


def indicators(f: Facts) -> list[Indicator]:
    """In the order a report shows them."""
    return [
        Indicator("dso_simple", "days", f.ratios.dso),
        Indicator("dso_countback", "days", f.ratios.dso_countback),
        Indicator("dso_sales_weighted", "days", sales_weighted(f.open_by_month, f.sales_by_month, f.as_of)),
        Indicator("best_possible_dso", "days", f.ratios.best_possible_dso),
        Indicator("average_days_delinquent", "days", f.ratios.average_days_delinquent),
        Indicator("cei", "percent", f.ratios.cei),
        Indicator("turnover", "times a year", turnover(f)),
        Indicator("share_current", "percent", percent(f.current_minor, f.receivables_minor)),
        Indicator("bad_debt_ratio", "percent", percent(f.written_off_minor, f.sales_minor)),
        Indicator("promise_kept_rate", "percent", percent(f.promises_kept, f.promises_kept + f.promises_broken)),
        Indicator("dispute_rate", "percent", percent(f.disputes_opened, f.invoices)),
        Indicator("dispute_days", "days", divided(f.dispute_days, f.disputes_resolved)),
        Indicator("straight_through_rate", "percent", percent(f.receipts_straight, f.receipts)),
        Indicator("cost_per_contact", "amount", None if f.cost is None else divided(f.cost, f.contacts)),
    ]


def sales_weighted(
    open_by_month: Mapping[date, int], sales_by_month: Mapping[date, int], as_of: date
) -> Decimal | None:
    """The share of each month's sales that is still open, times that month's days (of the running month its days so
    far), added up. Unlike the simple ratio it does not rise because sales did. None when a month with something open
    had no sales, so that its share cannot be said."""
    days = Decimal(0)
    if not any(sales_by_month.values()):
        return None
    for month, owed in open_by_month.items():
        if owed == 0:
            continue
        sold = sales_by_month.get(month, 0)
        if sold == 0:
            return None
        last = as_of if month == month_start(as_of) else month_end(month)
        days += Decimal(owed * last.day) / sold
    return _rounded(days)


def turnover(f: Facts) -> Decimal | None:
    """How many times a year the mean of opening and closing receivables was sold."""
    return divided(2 * f.sales_minor * DAYS_A_YEAR, (f.opening_minor + f.receivables_minor) * f.window_days)


def percent(part: int, whole: int) -> Decimal | None:
    return divided(part * 100, whole)


def divided(part: int | Decimal, by: int) -> Decimal | None:
    return None if by == 0 else _rounded(Decimal(part) / by)


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(HUNDREDTH, ROUND_HALF_EVEN)
