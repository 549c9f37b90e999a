"""What changed, from the figures of two days and the payments of two windows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.reporting.ageing import handlers as ageing
from services.reporting.ageing.handlers import AgeReceivables
from services.reporting.ageing.rules import ALL_KNOWN
from services.reporting.debtors import handlers as debtors
from services.reporting.debtors.handlers import RankDebtors
from services.reporting.kpis import handlers as kpis
from services.reporting.kpis.handlers import MeasureCollection
from services.reporting.patterns import queries, rules
from services.reporting.patterns.rules import Book, By, Concentration, DsoChange, GroupBy, Paid, Pattern
from shared.db import Tx

LARGEST = 20


@dataclass(frozen=True, slots=True)
class ExplainDso:
    as_of: date
    since: date
    window_days: int
    group_by: GroupBy
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class FindPatterns:
    """Payments of the `window_days` up to `as_of`, beside those of as many days before."""

    as_of: date
    window_days: int
    by: By


async def explain_dso(tx: Tx, query: ExplainDso) -> list[tuple[str, DsoChange | None]]:
    """One for each currency that has moved by `as_of`."""
    after = await _books(tx, query, query.as_of)
    before = await _books(tx, query, query.since)
    return [
        (currency, rules.dso_change(before[currency], book, query.window_days) if currency in before else None)
        for currency, book in after.items()
    ]


async def _books(tx: Tx, query: ExplainDso, on: date) -> dict[str, Book]:
    groups: dict[str, dict[str, int]] = defaultdict(dict)
    aged = await ageing.age_receivables(tx, AgeReceivables(on, currency=query.currency, group_by=query.group_by))
    for each in aged:
        groups[each.currency][each.group or ""] = each.total
    measured = await kpis.measure_collection(tx, MeasureCollection(on, query.window_days, ALL_KNOWN, query.currency))
    return {
        each.currency: Book(
            on,
            each.receivables_minor - each.overdue_minor,
            each.overdue_minor,
            each.sales_minor,
            groups[each.currency],
        )
        for each in measured
    }


async def find_patterns(tx: Tx, query: FindPatterns) -> list[Pattern]:
    window = timedelta(days=query.window_days)
    middle = query.as_of - window
    after = await _paid(tx, middle, query.as_of, query.by)
    before = await _paid(tx, middle - window, middle, query.by)
    return rules.patterns(before, after, are_all=query.by != "customer")


async def _paid(tx: Tx, since: date, until: date, by: By) -> list[Paid]:
    if by == "product_line":
        return [Paid(*row.values()) for row in await queries.paid_by_product_line(tx, since, until)]
    if by == "reason":
        found = [Paid(*row.values()) for row in await queries.paid_late_by_reason(tx, since, until)]
        return [replace(each, label=rules.reason_label(each.group)) for each in found]
    return [Paid(*row.values()) for row in await queries.paid(tx, since, until, by)]


async def concentration(tx: Tx, as_of: date, currency: str | None) -> list[Concentration]:
    wholes = await ageing.age_receivables(tx, AgeReceivables(as_of, currency=currency))
    largest: dict[str, list[int]] = defaultdict(list)
    for debtor in await debtors.rank_debtors(tx, RankDebtors(as_of, ALL_KNOWN, currency, "total", LARGEST)):
        largest[debtor.currency].append(debtor.total_minor)
    return [rules.concentration(whole.currency, whole.total, _of(largest, whole.currency)) for whole in wholes]


def _of(largest: dict[str, list[int]], currency: str) -> Sequence[int]:
    return largest.get(currency, ())
