"""The feed: every event of every service, once, in an order that never changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.reporting.feed import rules, store
from services.reporting.feed.rules import EVERYTHING, EventNotFound, Wanted
from shared.clock import real_now
from shared.db import Database, Tx
from shared.delivery import Received

LOOK_ROWS = 200


@dataclass(frozen=True, slots=True)
class ListEvents:
    """`place` is the feed number a cursor carries; `after` what the caller asked to start behind."""

    wanted: Wanted
    place: int | None
    after: UUID | datetime | None
    limit: int


async def keep_events(tx: Tx, received: Sequence[Received]) -> None:
    """Call it last: it takes the feed's writer lock, so that numbers become visible in the order of their size."""
    await store.append(tx, [_row(r) for r in received])


async def list_events(tx: Tx, query: ListEvents) -> list[asyncpg.Record]:
    """Raises NotFound when `after` is an event that is not kept here."""
    place, after_time = query.place or 0, None
    if query.place is None and isinstance(query.after, UUID):
        place = await place_of(tx, query.after, "query.after")
    elif isinstance(query.after, datetime):
        after_time = query.after
    since = max(filter(None, (after_time, query.wanted.since)), default=None)
    if query.place is None and since:
        before = await store.place_before(tx, since)
        if before is None:
            return []
        place = max(place, before)
    return await store.page(tx, query.wanted, after=place, after_time=after_time, limit=query.limit)


async def read_on(tx: Tx, wanted: Wanted, place: int, until: int | None, limit: int) -> list[asyncpg.Record]:
    """Events behind a feed number and up to another, oldest first."""
    return await store.page(tx, wanted, after=place, until=until, limit=limit)


async def place_behind(tx: Tx, start: UUID | datetime | None) -> int:
    """The feed number behind which everything is that follows an event, or happened after a time; without either, what
    comes from now on. Raises EventNotFound."""
    if isinstance(start, UUID):
        return await place_of(tx, start, "after")
    end = await store.end(tx)
    if start is None:
        return end
    before = await store.place_before(tx, start)
    return end if before is None else before


async def find_event(tx: Tx, event_id: UUID) -> asyncpg.Record:
    """Raises EventNotFound."""
    row = await store.one(tx, event_id)
    if row is None:
        raise EventNotFound(f"no event {event_id} in the feed")
    return row


async def place_of(tx: Tx, event_id: UUID, field: str | None = None) -> int:
    """The feed number of an event. Raises EventNotFound, naming the field that asked for it."""
    place = await store.place_of(tx, event_id)
    if place is None:
        raise EventNotFound(f"no event {event_id} in the feed", field=field)
    return place


async def end_of_feed(tx: Tx) -> int:
    """Everything up to this feed number can be seen, and nothing will ever be added before it."""
    return await store.end(tx)


async def look(database: Database, place: int | None) -> tuple[int, Sequence[asyncpg.Record]]:
    """What is new behind a place, for those who listen: see `shared.fanout`."""
    async with database.pool.acquire() as connection:
        tx = Tx(connection, real_now())
        if place is None:
            return await store.end(tx), ()
        rows = await store.page(tx, EVERYTHING, after=place, limit=LOOK_ROWS)
    return (rows[-1]["seq"] if rows else place), rows


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
