"""A customer's events, newest first by the date they count for."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

import asyncpg

from shared.db import Tx


async def page(tx: Tx, customer_id: UUID, before: tuple[date, int], limit: int) -> list[asyncpg.Record]:
    return await tx.fetch(
        """
        select seq, id, type, source, subject, version, time, effective_on, data
        from event
        where customer_id = $1 and (effective_on, seq) < ($2, $3)
        order by effective_on desc, seq desc
        limit $4
        """,
        customer_id,
        *before,
        limit,
    )


async def is_known(tx: Tx, customer_id: UUID) -> bool:
    return await tx.fetchval("select exists (select from event where customer_id = $1)", customer_id)


async def latest(tx: Tx, until: date, quiet: Collection[str], limit: int) -> list[asyncpg.Record]:
    """The last events of all customers that count for `until` or an earlier day, less the types in `quiet`."""
    return await tx.fetch(
        """
        select e.seq, e.id, e.type, e.subject, e.time, e.effective_on, e.data, e.customer_id, c.name as customer_name
        from event e left join customer c on c.id = e.customer_id
        where e.effective_on <= $1 and e.type <> all($2)
        order by e.effective_on desc, e.seq desc
        limit $3
        """,
        until,
        list(quiet),
        limit,
    )
