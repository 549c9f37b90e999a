"""The event table: append once, read in order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.reporting.feed.rules import Wanted
from shared.db import Tx

WRITER_LOCK = 8_004_001
"""One transaction at a time hands out feed numbers, and keeps the lock until it commits."""

Row = tuple[UUID, str, str, str, UUID, int, UUID, datetime, date, str | None, str | None, str]
"""id, source, type, topic, subject, version, customer id, time, effective on, correlation, causation, data as JSON."""


async def append(tx: Tx, rows: Sequence[Row]) -> None:
    """Keep what is not kept yet. Call it last in a transaction: other writers wait from here to its end."""
    await tx.execute("select pg_advisory_xact_lock($1)", WRITER_LOCK)
    await tx.execute(
        """
        insert into event (id, source, type, topic, subject, version, customer_id, time, effective_on,
                           correlation, causation, data)
        select id, source, type, topic, subject, version, customer_id, time, effective_on, correlation, causation,
               data::json
        from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::bigint[], $7::uuid[],
                    $8::timestamptz[], $9::date[], $10::text[], $11::text[], $12::text[])
             as t (id, source, type, topic, subject, version, customer_id, time, effective_on, correlation, causation,
                   data)
        on conflict on constraint event_once do nothing
        """,
        *map(list, zip(*rows, strict=True)),
    )


async def page(
    tx: Tx, wanted: Wanted, *, after: int, limit: int, after_time: datetime | None = None, until: int | None = None
) -> list[asyncpg.Record]:
    """Events behind feed number `after`, up to number `until`, oldest first. The conditions that are not asked for are
    left out of the text, because a plan for "any of them may be null" reads the whole table."""
    conditions, args = ["seq > $1"], [after]

    def where(condition: str, value: Any) -> None:
        args.append(value)
        conditions.append(condition.format(f"${len(args)}"))

    def where_one_of(column: str, values: Sequence[Any]) -> None:
        where(f"{column} = {{}}", values[0]) if len(values) == 1 else where(f"{column} = any({{}})", list(values))

    if until is not None:
        where("seq <= {}", until)
    if after_time is not None:
        where("time > {}", after_time)
    if wanted.since is not None:
        where("time >= {}", wanted.since)
    if wanted.until is not None:
        where("time < {}", wanted.until)
    if wanted.subject is not None:
        where("subject = {}", wanted.subject)
    if wanted.entity_id is not None:
        where("data ->> 'entity_id' = {}", wanted.entity_id)
    if wanted.customers:
        where_one_of("customer_id", wanted.customers)
    if wanted.types:
        where_one_of("type", wanted.types)
    args.append(limit)
    return await tx.fetch(
        f"""
        select seq, {_COLUMNS}
        from event
        where {" and ".join(conditions)}
        order by seq
        limit ${len(args)}
        """,
        *args,
    )


_COLUMNS = "id, source, type, subject, version, customer_id, time, effective_on, correlation, causation, data"


async def one(tx: Tx, event_id: UUID) -> asyncpg.Record | None:
    return await tx.fetchrow(f"select seq, {_COLUMNS} from event where id = $1", event_id)


async def place_of(tx: Tx, event_id: UUID) -> int | None:
    return await tx.fetchval("select seq from event where id = $1", event_id)


HEAD_EVENTS = 10_000


async def place_before(tx: Tx, moment: datetime, head_events: int = HEAD_EVENTS) -> int | None:
    """The feed number before the first event that happened at a moment or after it; None where none did.

    Numbers and times run almost alike. So it is looked for among the oldest events, and else by the index among those
    that happened since, of which there are few when the moment is near: never through most of the table for a page.
    """
    seq = await tx.fetchval(_FIRST_OF_HEAD, head_events, moment) or await tx.fetchval(_FIRST_SINCE, moment)
    return None if seq is None else seq - 1


_FIRST_OF_HEAD = """
select seq from (select seq, time from event order by seq limit $1) head where time >= $2 order by seq limit 1
"""

# Materialized: otherwise min(seq) is looked for along the primary key, from the oldest event on.
_FIRST_SINCE = """
with since as materialized (select seq from event where time >= $1) select min(seq) from since
"""


async def end(tx: Tx) -> int:
    """The last feed number that can be seen, 0 while there is none."""
    return await tx.fetchval("select coalesce(max(seq), 0) from event")
