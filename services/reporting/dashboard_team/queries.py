"""What collectors did, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import asyncpg

from shared.db import Tx


async def sent(tx: Tx, after: date, until: date) -> list[asyncpg.Record]:
    """Messages sent in (after, until] by step and channel."""
    return await tx.fetch(
        """
        select step, tone, channel, count(*) as messages from contact
        where status = 'sent' and effective_on > $1 and effective_on <= $2
        group by step, tone, channel
        """,
        after,
        until,
    )


async def promises_by_month(tx: Tx, currency: str, since: date, as_of: date) -> list[asyncpg.Record]:
    """Promises that were kept or broken, by the month in which that was known."""
    return await tx.fetch(
        """
        select date_trunc('month', ended_on)::date as month,
               count(*) filter (where status = 'kept') as kept, count(*) filter (where status = 'broken') as broken,
               coalesce(sum(amount_minor) filter (where status = 'kept'), 0)::bigint as kept_minor,
               coalesce(sum(amount_minor) filter (where status = 'broken'), 0)::bigint as broken_minor
        from promise
        where currency = $1 and ended_on >= $2 and ended_on <= $3 and status in ('kept', 'broken')
        group by 1
        """,
        currency,
        since,
        as_of,
    )


async def promises_by_collector(tx: Tx, currency: str, after: date, until: date) -> list[asyncpg.Record]:
    """The same by who looks after the customer now, of (after, until]."""
    return await tx.fetch(
        """
        select coalesce(k.name, 'nobody') as collector,
               count(*) filter (where p.status = 'kept') as kept, count(*) filter (where p.status = 'broken') as broken,
               coalesce(sum(p.amount_minor) filter (where p.status = 'kept'), 0)::bigint as kept_minor,
               coalesce(sum(p.amount_minor) filter (where p.status = 'broken'), 0)::bigint as broken_minor
        from promise p left join collector k on k.customer_id = p.customer_id
        where p.currency = $1 and p.ended_on > $2 and p.ended_on <= $3 and p.status in ('kept', 'broken')
        group by 1
        """,
        currency,
        after,
        until,
    )


async def disputes(tx: Tx, currency: str, as_of: date, days: Sequence[int]) -> list[asyncpg.Record]:
    """Those open at the end of the day, by reason and number of the age they have reached."""
    return await tx.fetch(
        """
        select reason, width_bucket($2::date - opened_on, $3::integer[]) as age, count(*) as disputes,
               sum(amount_minor)::bigint as minor
        from dispute
        where currency = $1 and opened_on <= $2 and (resolved_on is null or resolved_on > $2)
        group by 1, 2
        """,
        currency,
        as_of,
        [day + 1 for day in days],
    )


async def tasks_done(tx: Tx, after: date, until: date) -> dict[str, int]:
    """How many tasks each person did in (after, until]; those without one count for nobody."""
    rows = await tx.fetch(
        """
        select coalesce(data -> 'task' ->> 'assignee', 'nobody') as name, count(*) as done from event
        where type = 'dueward.task.done.v1' and effective_on > $1 and effective_on <= $2
        group by 1
        """,
        after,
        until,
    )
    return {row["name"]: row["done"] for row in rows}
