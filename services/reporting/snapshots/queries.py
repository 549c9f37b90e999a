"""The newest state of each aggregate up to a place in the feed."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from services.reporting.snapshots.rules import Place
from shared.db import Tx


async def end(tx: Tx) -> asyncpg.Record | None:
    """The last event of the feed; None while it is empty."""
    return await tx.fetchrow("select seq, id from event order by seq desc limit 1")


async def page(tx: Tx, place: Place, until: int, after: UUID | None, limit: int) -> list[asyncpg.Record]:
    """By subject. What an event is about is told by its data, so that types which this release does not know count."""
    return await tx.fetch(_PAGE, place.source, until, place.member, after or FIRST, limit)


FIRST = UUID(int=0)

# The planner takes an equality for rare and would sort the whole table for each page; of coalesce it expects nothing,
# and follows the index by subject.
_PAGE = """
select distinct on (subject) subject, version, customer_id, type, time, effective_on, data -> $3 as state
from event
where subject > $4 and seq <= $2 and source = $1 and coalesce(data -> $3 ->> 'id' = subject::text, false)
order by subject, version desc
limit $5
"""
