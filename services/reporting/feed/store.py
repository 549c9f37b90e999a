"""The event table: append once, read in order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

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
    tx: Tx,
    *,
    after: int,
    since: datetime | None,
    types: Sequence[str] | None,
    customer_id: UUID | None,
    limit: int,
) -> list[asyncpg.Record]:
    """Events behind feed number `after`, oldest first. The conditions that are not asked for are left out of the
    text, because a plan for "any of them may be null" reads the whole table."""
    conditions, args = ["seq > $1"], [after]

    def where(condition: str, value: Any) -> None:
        args.append(value)
        conditions.append(condition.format(f"${len(args)}"))

    if since is not None:
        where("time > {}", since)
    if customer_id is not None:
        where("customer_id = {}", customer_id)
    if types:
        where("type = {}", types[0]) if len(types) == 1 else where("type = any({})", list(types))
    args.append(limit)
    return await tx.fetch(
        f"""
        select seq, id, source, type, subject, version, customer_id, time, effective_on, correlation, causation, data
        from event
        where {" and ".join(conditions)}
        order by seq
        limit ${len(args)}
        """,
        *args,
    )


async def place_of(tx: Tx, event_id: UUID) -> int | None:
    return await tx.fetchval("select seq from event where id = $1", event_id)
