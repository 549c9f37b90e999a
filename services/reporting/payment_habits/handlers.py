"""Keeps how invoices went, and learns from it how customers pay."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta

from services.reporting.payment_habits import rules, store
from services.reporting.payment_habits.rules import Habit, Model
from shared.db import Tx
from shared.delivery import Received

HISTORY = timedelta(days=730)
"""Older payments say less of today than they weigh."""


async def keep_courses(tx: Tx, received: Sequence[Received]) -> None:
    if found := rules.courses(r.event for r in received):
        await store.keep(tx, found)


async def learn(tx: Tx, as_of: date) -> Model:
    """From what was known at the end of that day, and nothing later."""
    habits = [
        Habit(row["customer_id"], (row["disputed"], row["channel"]), row["count"], row["days"], row["days_squared"])
        for row in await store.habits(tx, as_of, as_of - HISTORY)
    ]
    return await asyncio.to_thread(rules.fit, habits)  # Seconds for a large book, in which others are answered.
