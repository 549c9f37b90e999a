"""Collection ratios for the end of any day, and their course over the months before it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import asyncpg

from services.reporting.ageing.rules import ALL_KNOWN, Buckets
from services.reporting.groups import handlers as groups
from services.reporting.groups.rules import EVERYBODY, Group
from services.reporting.kpis import queries, rules
from shared.calendar import add_months, month_end, month_start
from shared.db import Tx

COUNTED_BACK_MONTHS = 12
"""So far back sales mostly explain what is owed; where they do not, all of them are read."""


@dataclass(frozen=True, slots=True)
class MeasureCollection:
    as_of: date
    window_days: int
    known_at: date = ALL_KNOWN
    currency: str | None = None
    group: Group = EVERYBODY


@dataclass(frozen=True, slots=True)
class Kpis:
    """One currency's amounts in minor units, and its ratios."""

    currency: str
    receivables_minor: int
    overdue_minor: int
    sales_minor: int
    ratios: rules.Ratios


@dataclass(frozen=True, slots=True)
class TrendPoint:
    on: date
    dso: Decimal | None
    best_possible_dso: Decimal | None


async def measure_collection(tx: Tx, query: MeasureCollection, closing: Sequence[Buckets] | None = None) -> list[Kpis]:
    """One item a currency that has ever moved by `as_of`, of the group where one is asked for. `closing` is what it
    owed then, where the caller has it already."""
    window_start = query.as_of - timedelta(days=query.window_days)
    if closing is None:
        closing = await groups.age_group(tx, query.as_of, query.group, query.known_at, query.currency)
    opening = {
        buckets.currency: buckets.total
        for buckets in await groups.age_group(tx, window_start, query.group, query.known_at, query.currency)
    }
    sales: dict[str, int] = defaultdict(int)
    by_month: dict[str, dict[date, int]] = defaultdict(dict)
    for row in await _sales_by_month(tx, query, window_start, closing):
        sales[row["currency"]] += row["in_window_minor"]
        by_month[row["currency"]][row["month"]] = row["sales_minor"]
    return [
        Kpis(
            currency=buckets.currency,
            receivables_minor=buckets.total,
            overdue_minor=buckets.overdue,
            sales_minor=sales[buckets.currency],
            ratios=rules.ratios(
                rules.Facts(
                    as_of=query.as_of,
                    window_days=query.window_days,
                    receivables_minor=buckets.total,
                    current_minor=buckets.current,
                    opening_minor=opening.get(buckets.currency, 0),
                    sales_minor=sales[buckets.currency],
                    sales_by_month=by_month[buckets.currency],
                )
            ),
        )
        for buckets in closing
    ]


async def _sales_by_month(
    tx: Tx, query: MeasureCollection, window_start: date, closing: Sequence[Buckets]
) -> Sequence[asyncpg.Record]:
    """Of every month that what is owed is counted back to, and of the window."""
    year_before = add_months(query.as_of, -COUNTED_BACK_MONTHS)
    for since in (month_start(min(window_start, year_before)), date.min):
        found = await queries.sales_by_month(
            tx, query.group, query.as_of, query.known_at, window_start, query.currency, since
        )
        sold: dict[str, int] = defaultdict(int)
        for row in found:
            sold[row["currency"]] += row["sales_minor"]
        if all(buckets.total <= sold[buckets.currency] for buckets in closing):
            break
    return found


async def dso_trend(
    tx: Tx, currency: str, as_of: date, months: int, window_days: int, group: Group = EVERYBODY
) -> list[TrendPoint]:
    """DSO at each of the `months` month ends before `as_of`, and on that day itself, oldest first."""
    ends = sorted({*(month_end(add_months(as_of, -back)) for back in range(1, months + 1)), as_of})
    return [
        TrendPoint(
            row["on_day"],
            rules.days_of_sales(row["receivables_minor"], row["sales_minor"], window_days),
            rules.days_of_sales(row["current_minor"], row["sales_minor"], window_days),
        )
        for row in await queries.at_ends(tx, group, currency, ends, window_days)
    ]
