"""What to provide for: today's receivables by the losses of the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.reporting.ageing import handlers as ageing
from services.reporting.ageing.handlers import AgeReceivables
from services.reporting.provisions import queries, rules
from services.reporting.provisions.rules import Line
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class ProvideFor:
    """`months` ends are looked at, each with the losses of `horizon_months` behind it."""

    as_of: date
    days: tuple[int, ...]
    months: int
    horizon_months: int
    adjustment_percent: Decimal
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Provision:
    currency: str
    lines: Sequence[Line]
    total_minor: int
    provision_minor: int | None


async def provide_for(tx: Tx, query: ProvideFor) -> tuple[list[date], list[Provision]]:
    """The days looked at, and one item a currency that has ever moved."""
    ends = rules.looked_at(query.as_of, query.months, query.horizon_months)
    thresholds, size = [1, *(day + 1 for day in query.days)], len(query.days) + 2
    seen = rules.by_bucket(await queries.seen(tx, ends, thresholds), "seen_minor", size)
    lost = rules.by_bucket(await queries.lost(tx, ends, thresholds, query.horizon_months), "lost_minor", size)
    nothing = [0] * size
    found: list[Provision] = []
    for aged in await ageing.age_receivables(tx, AgeReceivables(query.as_of, currency=query.currency, days=query.days)):
        lines = rules.matrix(
            aged.split,
            seen.get(aged.currency, nothing),
            lost.get(aged.currency, nothing),
            aged.ranges,
            query.adjustment_percent,
        )
        found.append(Provision(aged.currency, lines, aged.total, rules.provided_minor(lines)))
    return ends, found
