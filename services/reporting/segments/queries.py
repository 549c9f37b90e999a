"""Which segments there are, who owes in them, and what was paid late."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import asyncpg

from services.reporting.ageing.rules import ALL_KNOWN
from shared.db import Tx


async def segments(tx: Tx, as_of: date, from_segment: str) -> list[str]:
    """In which anything has happened by then, in order: the index is asked for one after the other."""
    rows = await tx.fetch(
        """
        with recursive known as (
            (select key from flow where kind = 'segment' and key >= $2 order by key limit 1)
            union all
            select (select f.key from flow f where f.kind = 'segment' and f.key > k.key order by f.key limit 1)
            from known k where k.key is not null
        )
        select k.key from known k
        where exists (select from flow f where f.kind = 'segment' and f.key = k.key and f.effective_on <= $1)
        order by k.key
        """,
        as_of,
        from_segment,
    )
    return [row["key"] for row in rows]


async def owing(tx: Tx, segments: Sequence[str], as_of: date, known_at: date) -> list[asyncpg.Record]:
    """By segment and currency: customers with something open."""
    return await tx.fetch(
        f"""
        with owed as (
            select p.customer_id, w.currency, w.open_invoices
            from account_period p
            cross join lateral owed_by_customer(p.customer_id, least($2::date, $3::date)) w
            where p.before_on = (select standing_before(least($2::date, $3::date))) and w.currency = p.currency
            {_CORRECTED if known_at < ALL_KNOWN else ""}
        ), owing as (
            select customer_id, currency from owed group by customer_id, currency having sum(open_invoices) <> 0
        )
        select coalesce(c.segment, 'unknown') as segment, o.currency, count(*)::integer as customers
        from owing o left join customer c on c.id = o.customer_id
        where coalesce(c.segment, 'unknown') = any($1)
        group by 1, 2
        """,
        list(segments),
        as_of,
        known_at,
    )


_CORRECTED = "union all select c.customer_id, c.currency, c.open_invoices from correction($2::date, $3::date) c"


async def paid(tx: Tx, segments: Sequence[str], after: date, until: date, known_at: date) -> list[asyncpg.Record]:
    """By segment and currency: invoices settled by money, and how many days after they were due in all."""
    return await tx.fetch(
        """
        select coalesce(c.segment, 'unknown') as segment, p.currency, count(*)::integer as invoices,
               sum(p.paid_on - p.due_on)::bigint as days
        from payment_course p left join customer c on c.id = p.customer_id
        where p.paid_on > $2 and p.paid_on <= $3 and p.known_on <= $4 and coalesce(c.segment, 'unknown') = any($1)
        group by 1, 2
        """,
        list(segments),
        after,
        until,
        known_at,
    )
