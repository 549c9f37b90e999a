"""What to provide for: today's receivables by the losses of the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.reporting.ageing import handlers as ageing
from services.reporting.ageing.handlers import AgeReceivables
from services.reporting.provisions import queries, rules
from services.reporting.provisions.queries import Kind
from services.reporting.provisions.rules import SEEN_MIN, Experience, GroupBy, Line
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class ProvideFor:
    """`months` ends are looked at, each with the losses of `horizon_months` behind it. With `group_by`, each group has
    a matrix of its own, with its own losses where it was seen with `seen_min` invoices in a bucket."""

    as_of: date
    days: tuple[int, ...]
    months: int
    horizon_months: int
    adjustment_percent: Decimal
    currency: str | None = None
    group_by: GroupBy | None = None
    seen_min: int = SEEN_MIN


@dataclass(frozen=True, slots=True)
class Provision:
    currency: str
    lines: Sequence[Line]
    total_minor: int
    provision_minor: int | None
    group: str | None = None


async def provide_for(tx: Tx, query: ProvideFor) -> tuple[list[date], list[Provision]]:
    """The days looked at, and one item a currency that has ever moved, or a currency and group with something open."""
    ends = rules.looked_at(query.as_of, query.months, query.horizon_months)
    book = await _experience(tx, query, "all", ends)
    own = await _experience(tx, query, query.group_by, ends) if query.group_by else {}
    nothing = rules.nothing_seen(len(query.days) + 2)
    found: list[Provision] = []
    aging = AgeReceivables(query.as_of, currency=query.currency, group_by=query.group_by, days=query.days)
    for aged in await ageing.age_receivables(tx, aging):
        of_book = book.get((aged.currency, ""), nothing)
        if aged.group is None:
            lines = rules.matrix(
                aged.split, of_book.seen_minor, of_book.lost_minor, aged.ranges, query.adjustment_percent
            )
        else:
            mine = own.get((aged.currency, aged.group), nothing)
            lines = rules.matrix_of_group(
                aged.split, mine, of_book, aged.ranges, query.adjustment_percent, query.seen_min
            )
        found.append(Provision(aged.currency, lines, aged.total, rules.provided_minor(lines), aged.group))
    return ends, found


async def _experience(tx: Tx, query: ProvideFor, kind: Kind, ends: list[date]) -> dict[tuple[str, str], Experience]:
    thresholds = [1, *(day + 1 for day in query.days)]
    return rules.experiences(
        await queries.seen(tx, kind, ends, thresholds),
        await queries.lost(tx, kind, ends, thresholds, query.horizon_months),
        len(query.days) + 2,
    )
