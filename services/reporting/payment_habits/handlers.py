"""Keeps how invoices went, and learns from it how customers pay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.reporting.payment_habits import rules, store
from services.reporting.payment_habits.rules import Habit, Model, Rest
from shared.db import Tx
from shared.delivery import Received

HISTORY = timedelta(days=730)
"""Older payments say less of today than they weigh."""
LATEST_MAX = 20_000
"""Enough for the shape of what is left: its hundredths move no more."""


@dataclass(frozen=True, slots=True)
class Learned:
    model: Model
    rest: Rest


async def keep_courses(tx: Tx, received: Sequence[Received]) -> None:
    if found := rules.courses(r.event for r in received):
        await store.keep(tx, found)


async def learn(tx: Tx, as_of: date) -> Learned:
    """From what was known at the end of that day, and nothing later."""
    since = as_of - HISTORY
    model = rules.fit(
        Habit(row["customer_id"], (row["disputed"], row["channel"]), row["count"], row["days"], row["days_squared"])
        for row in await store.habits(tx, as_of, since)
    )
    seen = await store.latest(tx, as_of, since, LATEST_MAX)
    return Learned(
        model,
        rules.rest_of(model, ((row["customer_id"], (row["disputed"], row["channel"]), row["days"]) for row in seen)),
    )
