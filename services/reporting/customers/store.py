"""The customer table: the newest state of each, as credit published it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from shared.db import Tx

Row = tuple[UUID, int, str, str, str, str, str, str, int]
"""id, version, external id, name, status, country, currency, segment, net days."""


async def keep(tx: Tx, rows: Sequence[Row]) -> None:
    """At most one row a customer; an older version than the one kept changes nothing."""
    await tx.execute(
        """
        insert into customer as kept (id, version, external_id, name, status, country, currency, segment, net_days)
        select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                             $8::text[], $9::integer[])
        on conflict (id) do update
        set version = excluded.version, external_id = excluded.external_id, name = excluded.name,
            status = excluded.status, country = excluded.country, currency = excluded.currency,
            segment = excluded.segment, net_days = excluded.net_days
        where kept.version < excluded.version
        """,
        *map(list, zip(*rows, strict=True)),
    )


async def find(tx: Tx, customer_id: UUID) -> asyncpg.Record | None:
    return await tx.fetchrow("select * from customer where id = $1", customer_id)


async def count(tx: Tx) -> int:
    return await tx.fetchval("select count(*) from customer")
