"""Limits that changed and of which the customer is to be written, where the policy wants that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.credit.announcements import store
from services.credit.announcements.rules import Change, Limits
from shared.db import Tx

ANNOUNCEMENTS_DUE = store.ANNOUNCEMENTS_DUE


async def note(tx: Tx, before: Mapping[UUID, Limits]) -> None:
    """The limits of these changed; with each what it was before. Of several changes that nobody was written of yet,
    the first one's counts. Nothing is noted while the policy has nobody written to."""
    if before:
        await store.note(tx, before)


async def due(tx: Tx, count_max: int) -> Sequence[UUID]:
    """Who is to be written to: first lock them, as those do who change limits, then take them off the list."""
    return await store.due(tx, count_max)


async def take(tx: Tx, customer_ids: Sequence[UUID]) -> Sequence[Change]:
    """What is to be written of, off the list with this."""
    return await store.take(tx, customer_ids)
