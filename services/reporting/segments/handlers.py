"""How the segments of customers stand beside each other at the end of a day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from services.reporting.ageing.rules import ALL_KNOWN
from services.reporting.groups.rules import Group
from services.reporting.indicators import rules as indicators
from services.reporting.kpis import handlers as kpis
from services.reporting.kpis.handlers import Kpis, MeasureCollection
from services.reporting.segments import queries
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class CompareSegments:
    """`after` is the (segment, currency) of the last one the caller has."""

    as_of: date
    window_days: int
    known_at: date = ALL_KNOWN
    currency: str | None = None
    after: tuple[str, str] = ("", "")
    limit: int = 500


@dataclass(frozen=True, slots=True)
class Segment:
    """In one currency. `customers` are those with something open; `paid_invoices` were settled by money in the window,
    `days_late` days after they were due in all, early ones counting below zero."""

    segment: str
    kpis: Kpis
    customers: int = 0
    paid_invoices: int = 0
    days_late: int = 0

    @property
    def place(self) -> tuple[str, str]:
        """By which segments are listed."""
        return self.segment, self.kpis.currency

    @property
    def share_current(self) -> Decimal | None:
        """Percent of the receivables that are not yet due; None where there are none."""
        return indicators.percent(self.kpis.receivables_minor - self.kpis.overdue_minor, self.kpis.receivables_minor)

    @property
    def mean_days_late(self) -> Decimal | None:
        """Days beyond terms: the mean of paid on - due on; None where nothing was paid."""
        return indicators.divided(self.days_late, self.paid_invoices)


async def compare_segments(tx: Tx, query: CompareSegments) -> list[Segment]:
    """One a segment and currency in which anything has happened by `as_of`, in that order."""
    found: list[Segment] = []
    for key in await queries.segments(tx, query.as_of, query.after[0]):
        asked = MeasureCollection(query.as_of, query.window_days, query.known_at, query.currency, Group("segment", key))
        measured = [Segment(key, each) for each in await kpis.measure_collection(tx, asked)]
        found += [each for each in measured if each.place > query.after]
        if len(found) >= query.limit:
            break
    return await _told(tx, query, found[: query.limit]) if found else []


async def _told(tx: Tx, query: CompareSegments, found: list[Segment]) -> list[Segment]:
    """With who owes, and how late was paid."""
    names = list({each.segment for each in found})
    after = query.as_of - timedelta(days=query.window_days)
    owing = {
        (row["segment"], row["currency"]): row["customers"]
        for row in await queries.owing(tx, names, query.as_of, query.known_at)
    }
    paid = {
        (row["segment"], row["currency"]): (row["invoices"], row["days"])
        for row in await queries.paid(tx, names, after, query.as_of, query.known_at)
    }
    told: list[Segment] = []
    for each in found:
        invoices, days = paid.get(each.place, (0, 0))
        told.append(replace(each, customers=owing.get(each.place, 0), paid_invoices=invoices, days_late=days))
    return told
