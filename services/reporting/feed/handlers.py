"""The feed: every event of every service, once, in an order that never changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.reporting.feed import rules, store
from shared.db import Tx
from shared.delivery import Received
from shared.errors import NotFound


@dataclass(frozen=True, slots=True)
class ListEvents:
    """`place` is the feed number a cursor carries; `after` what the caller asked to start behind."""

    place: int | None
    after: UUID | datetime | None
    types: tuple[str, ...]
    customer_id: UUID | None
    limit: int


async def keep_events(tx: Tx, received: Sequence[Received]) -> None:
    """Call it last: it takes the feed's writer lock, so that numbers become visible in the order of their size."""
    await store.append(tx, [_row(r) for r in received])


async def list_events(tx: Tx, query: ListEvents) -> list[asyncpg.Record]:
    """Raises NotFound when `after` is an event that is not kept here."""
    place, since = query.place or 0, None
    if query.place is None and isinstance(query.after, UUID):
        found = await store.place_of(tx, query.after)
        if found is None:
            raise NotFound(f"no event {query.after} in the feed", field="query.after")
        place = found
    elif isinstance(query.after, datetime):
        since = query.after
    return await store.page(
        tx, after=place, since=since, types=query.types, customer_id=query.customer_id, limit=query.limit
    )


def _row(received: Received) -> store.Row:
    envelope, event = received.envelope, received.event
    counts_on = event.effective_on if event else rules.effective_on(received.data, envelope.time)
    return (
        envelope.id,
        envelope.source,
        envelope.type,
        received.topic,
        envelope.subject,
        envelope.version,
        envelope.key,
        envelope.time,
        counts_on,
        envelope.correlation_id,
        envelope.causation_id,
        envelope.data.decode(),
    )
