"""Learns the odds of any day, from what was known at its end."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import asyncpg

from services.reporting.payment_habits import handlers as payment_habits
from services.reporting.payment_habits.handlers import HISTORY
from services.reporting.payment_odds import queries, rules
from services.reporting.payment_odds.rules import Odds, Seen
from shared.calendar import ONE_DAY
from shared.db import Tx

PAID_MAX = 20_000
"""About so many are enough for the shape of what habits leave: its hundredths move no more."""
LATE_MAX = timedelta(days=1000)


async def learn(tx: Tx, as_of: date) -> Odds:
    """From what was known at the end of that day, and nothing later."""
    model = await payment_habits.learn(tx, as_of)
    since, every = as_of - HISTORY, 1 + model.learned_from // PAID_MAX
    paid = await queries.paid(tx, as_of, since, every)
    still_open = await queries.still_open(tx, as_of, since, every)
    seen = [_seen(row, since, row["paid_on"], paid=True) for row in paid]
    seen += [_seen(row, since, as_of, invoices=row["invoices"]) for row in still_open]
    return await asyncio.to_thread(rules.learn, model, seen, as_of)


def _seen(row: asyncpg.Record, since: date, until: date, *, paid: bool = False, invoices: int = 1) -> Seen:
    return Seen(
        row["customer_id"],
        (row["disputed"], row["channel"]),
        row["due_on"],
        first_on=max(row["issued_on"] - ONE_DAY, since),
        last_on=min(until, row["due_on"] + LATE_MAX),
        paid=paid,
        invoices=invoices,
    )
