"""Money that came in, of everybody or of a group."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from services.reporting.cash_received import queries
from services.reporting.groups.rules import EVERYBODY, Group
from shared.calendar import add_months, month_start
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class ReceiveCash:
    """Of so many months before that of `as_of`, and of that one's days so far."""

    as_of: date
    months: int
    currency: str | None = None
    group: Group = EVERYBODY


@dataclass(frozen=True, slots=True)
class CashMonth:
    """A calendar month by its first day; minor units, below zero where more was taken back than came in."""

    currency: str
    month: date
    received_minor: int


async def received_by_month(tx: Tx, query: ReceiveCash) -> list[CashMonth]:
    """Every month, oldest first, of each currency in which anything happened in them."""
    months = [add_months(month_start(query.as_of), -back) for back in range(query.months, -1, -1)]
    came_in: dict[str, dict[date, int]] = defaultdict(dict)
    for row in await queries.by_month(tx, query.group, query.currency, months[0], query.as_of):
        came_in[row["currency"]][row["month"]] = row["cash_minor"]
    return [
        CashMonth(currency, month, of.get(month, 0)) for currency, of in sorted(came_in.items()) for month in months
    ]


async def received_within(tx: Tx, currency: str, after: date, until: date, group: Group = EVERYBODY) -> int:
    """In (after, until], minor units."""
    return await queries.within(tx, group, currency, after, until)
