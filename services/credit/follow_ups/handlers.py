"""Customers of whom there is news that the policy may want something done about, and those whose day has come."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from services.credit.follow_ups import store
from shared.db import Tx

FOLLOW_DUE = store.FOLLOW_DUE


async def note(tx: Tx, causes: Mapping[UUID, Collection[str]]) -> None:
    """There is news of these, with why. Nothing is noted while neither the policy nor rules for
    segments do anything about it."""
    if causes:
        await store.note(tx, causes)


async def note_day(tx: Tx, customer_id: UUID, due_at: datetime) -> None:
    """Something may be due at this moment without any news."""
    await store.note_day(tx, customer_id, due_at)


async def note_everybody(tx: Tx, cause: str) -> None:
    """What is done about customers changed."""
    await store.note_everybody(tx, cause)


async def take(tx: Tx, count_max: int) -> Mapping[UUID, Collection[str]]:
    """Who is due, with the news of them; they are off the list with this. In the order in which customers are
    locked."""
    return await store.take(tx, count_max)
