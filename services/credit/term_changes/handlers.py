"""Terms that changed and of which the customer is to be written, where the policy wants that."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.credit.term_changes import store
from services.credit.term_changes.rules import NotedTerms
from services.credit.terms.rules import Terms
from shared.db import Tx

CHANGES_DUE = store.CHANGES_DUE


async def note(tx: Tx, customer_id: UUID, before: Terms) -> None:
    """The terms of a customer, which the caller has locked, changed. Of several changes that nobody was written of
    yet, the first one's counts. Nothing is noted while the policy has nobody written to."""
    await store.note(tx, customer_id, before)


async def due(tx: Tx, count_max: int) -> Sequence[UUID]:
    """Who is to be written to: first lock them, as those do who change terms, then take them off the list."""
    return await store.due(tx, count_max)


async def take(tx: Tx, customer_ids: Sequence[UUID]) -> Sequence[NotedTerms]:
    """What is to be written of, off the list with this."""
    return await store.take(tx, customer_ids)
