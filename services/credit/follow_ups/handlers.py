"""Customers of whom there is news that the policy may want something done about, and those whose day has come."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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


async def due(tx: Tx, count_max: int) -> Sequence[UUID]:
    """Who is to be followed up: first lock them, as those do who note news of them, then take them off the list."""
    return await store.due(tx, count_max)


async def take(tx: Tx, customer_ids: Sequence[UUID]) -> Mapping[UUID, Collection[str]]:
    """The news of those that are still due; they are off the list with this."""
    return await store.take(tx, customer_ids)
