"""Every indicator of collection for the end of a day, beside its benchmark, and the course of the main ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from services.reporting.contacts import handlers as contacts
from services.reporting.groups import handlers as groups
from services.reporting.groups.rules import EVERYBODY, Group
from services.reporting.indicators import queries, rules
from services.reporting.indicators.rules import Facts, Indicator
from services.reporting.kpis import handlers as kpis
from services.reporting.kpis import rules as ratios
from services.reporting.kpis.handlers import MeasureCollection
from services.reporting.kpis.rules import Ratios
from services.reporting.references import handlers as references
from shared.calendar import add_months, month_end
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class ReadIndicators:
    as_of: date
    window_days: int
    currency: str | None = None
    group: Group = EVERYBODY


@dataclass(frozen=True, slots=True)
class Indicators:
    """One currency's indicators, and the benchmarks of each by its name."""

    currency: str
    indicators: Sequence[Indicator]
    benchmarks: Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class ReadTrend:
    as_of: date
    months: int
    window_days: int
    currency: str | None = None
    group: Group = EVERYBODY


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """The end of a month, or the day asked for; minor units."""

    currency: str
    on: date
    receivables_minor: int
    overdue_minor: int
    sales_minor: int
    ratios: Ratios
    share_current: Decimal | None


async def read_indicators(tx: Tx, query: ReadIndicators) -> list[Indicators]:
    """One item a currency that has ever moved by `as_of`."""
    after, group = query.as_of - timedelta(days=query.window_days), query.group
    measured = await kpis.measure_collection(
        tx, MeasureCollection(query.as_of, query.window_days, currency=query.currency, group=group)
    )
    opening = {b.currency: b.total for b in await groups.age_group(tx, after, group)}
    flows = {row["currency"]: row for row in await queries.flows(tx, group, after, query.as_of)}
    outcomes = {row["currency"]: row for row in await queries.outcomes(tx, group, after, query.as_of)}
    months: dict[str, list[Any]] = defaultdict(list)
    for row in await queries.by_month(tx, group, query.as_of):
        months[row["currency"]].append(row)
    costs, sent = await _contacts(tx, group, after, query.as_of)
    benchmarks: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in await references.benchmarks_of(tx, group.key if group.kind == "segment" else None):
        benchmarks[entry["figure"]].append(entry)
    found: list[Indicators] = []
    for each in measured:
        flow, outcome = flows.get(each.currency), outcomes.get(each.currency)
        facts = Facts(
            as_of=query.as_of,
            window_days=query.window_days,
            ratios=each.ratios,
            receivables_minor=each.receivables_minor,
            current_minor=each.receivables_minor - each.overdue_minor,
            opening_minor=opening.get(each.currency, 0),
            sales_minor=each.sales_minor,
            written_off_minor=flow["written_off_minor"] if flow else 0,
            invoices=flow["invoices"] if flow else 0,
            open_by_month={row["month"]: row["open_minor"] for row in months[each.currency]},
            sales_by_month={row["month"]: row["sales_minor"] for row in months[each.currency]},
            contacts=sent,
            cost=costs.get(each.currency),
            **({name: outcome[name] for name in _OUTCOMES} if outcome else {}),
        )
        found.append(Indicators(each.currency, rules.indicators(facts), benchmarks))
    return found


_OUTCOMES = (
    "promises_kept",
    "promises_broken",
    "disputes_opened",
    "disputes_resolved",
    "dispute_days",
    "receipts",
    "receipts_straight",
)


async def _contacts(tx: Tx, group: Group, after: date, until: date) -> tuple[dict[str, Decimal], int]:
    """What the contacts cost together, by the currency their costs are in, and how many they were."""
    by_channel = await contacts.sent_by_channel(tx, after, until, group)
    costs: dict[str, Decimal] = defaultdict(Decimal)
    for entry in (await references.read_reference(tx, "contact_costs")).entries:
        costs[entry["currency"]] += Decimal(entry["cost"]) * by_channel.get(entry["channel"], 0)
    return dict(costs), sum(by_channel.values())


async def read_trend(tx: Tx, query: ReadTrend) -> list[TrendPoint]:
    """The months' ends before `as_of` and that day itself, oldest first, currency by currency."""
    ends = sorted({*(month_end(add_months(query.as_of, -back)) for back in range(1, query.months + 1)), query.as_of})
    return [
        TrendPoint(
            currency=row["currency"],
            on=row["on_day"],
            receivables_minor=row["receivables_minor"],
            overdue_minor=row["receivables_minor"] - row["current_minor"],
            sales_minor=row["sales_minor"],
            ratios=ratios.ratios(
                ratios.Facts(
                    as_of=row["on_day"],
                    window_days=query.window_days,
                    receivables_minor=row["receivables_minor"],
                    current_minor=row["current_minor"],
                    opening_minor=row["opening_minor"],
                    sales_minor=row["sales_minor"],
                    sales_by_month={},
                )
            ),
            share_current=rules.percent(row["current_minor"], row["receivables_minor"]),
        )
        for row in await queries.at_month_ends(tx, query.group, query.currency, ends, query.window_days)
    ]
