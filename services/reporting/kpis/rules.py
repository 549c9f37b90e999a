"""Collection ratios, in days and percent.

Sources: days sales outstanding, best possible DSO, average days delinquent and the collection effectiveness index as
the Credit Research Foundation defines them; countback (exhaustion) as in common credit-control practice: receivables
are explained by the newest sales first. Each is computed exactly and rounded once, half-even, to two decimals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from shared.calendar import ONE_DAY, month_start

HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Facts:
    """One currency at the end of `as_of`, in minor units. The window is (as_of - window_days, as_of].

    `opening_minor` is what was receivable when the window began; `sales_by_month` the credit sales of every month so
    far, by its first day, that of `as_of` up to that day.
    """

    as_of: date
    window_days: int
    receivables_minor: int
    current_minor: int
    opening_minor: int
    sales_minor: int
    sales_by_month: Mapping[date, int]


@dataclass(frozen=True, slots=True)
class Ratios:
    """Days, and for `cei` percent; None where nothing was sold, or the figure has no meaning."""

    dso: Decimal | None = None
    dso_countback: Decimal | None = None
    best_possible_dso: Decimal | None = None
    average_days_delinquent: Decimal | None = None
    cei: Decimal | None = None


def ratios(facts: Facts) -> Ratios:
    """Every ratio, or none of them when the window saw no credit sales."""
    if facts.sales_minor == 0:
        return Ratios()
    overdue_minor = facts.receivables_minor - facts.current_minor
    return Ratios(
        dso=days_of_sales(facts.receivables_minor, facts.sales_minor, facts.window_days),
        dso_countback=countback(facts.receivables_minor, facts.sales_by_month, facts.as_of),
        best_possible_dso=days_of_sales(facts.current_minor, facts.sales_minor, facts.window_days),
        average_days_delinquent=days_of_sales(overdue_minor, facts.sales_minor, facts.window_days),
        cei=collection_effectiveness(facts),
    )


def days_of_sales(owed_minor: int, sales_minor: int, window_days: int) -> Decimal | None:
    """How many days' credit sales an amount stands for: DSO of the receivables, best possible DSO of the current
    ones, average days delinquent of the overdue ones (which is the first less the second)."""
    if sales_minor == 0:
        return None
    return _rounded(Decimal(owed_minor * window_days) / sales_minor)


def countback(receivables_minor: int, sales_by_month: Mapping[date, int], as_of: date) -> Decimal | None:
    """Whole months of sales are taken off the receivables, newest first, each adding its days; the month that covers
    the rest adds its days by ratio. None when the sales on record do not cover the receivables."""
    left, days, end = receivables_minor, 0, as_of
    first = min(sales_by_month, default=None)
    while left > 0:
        month = month_start(end)
        if first is None or month < first:
            return None
        sales, length = sales_by_month.get(month, 0), end.day
        if sales >= left:
            return _rounded(days + Decimal(left * length) / sales)
        left, days, end = left - sales, days + length, month - ONE_DAY
    return _rounded(Decimal(days))


def collection_effectiveness(facts: Facts) -> Decimal | None:
    """Of what could be collected in the window, the percentage that was; None when nothing could."""
    came_due = facts.opening_minor + facts.sales_minor
    collectable = came_due - facts.current_minor
    if collectable == 0:
        return None
    return _rounded(Decimal((came_due - facts.receivables_minor) * 100) / collectable)


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(HUNDREDTH, ROUND_HALF_EVEN)
