"""Who looks after whom, and how those accounts stand at the end of a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

from shared.db import Tx


async def owners(tx: Tx, limit: int) -> list[str]:
    rows = await tx.fetch("select distinct name from collector where name <> 'nobody' order by name limit $1", limit)
    return [row["name"] for row in rows]


async def of_owner(tx: Tx, owner: str, limit: int) -> list[UUID]:
    rows = await tx.fetch(
        "select customer_id from collector where name = $1 order by customer_id limit $2", owner, limit
    )
    return [row["customer_id"] for row in rows]


async def standing(tx: Tx, customers: Sequence[UUID], currency: str, as_of: date) -> list[asyncpg.Record]:
    """A row a customer, also of those that owe nothing."""
    return await tx.fetch(
        """
        select c.id, coalesce(k.name, 'Unknown customer') as name, k.segment,
               coalesce(sum(o.balance_minor), 0)::bigint as owed_minor,
               coalesce(sum(o.balance_minor) filter (where o.due_on < $3), 0)::bigint as overdue_minor,
               coalesce(sum(o.disputed_minor), 0)::bigint as disputed_minor,
               coalesce(sum(o.on_plan_minor), 0)::bigint as on_plan_minor
        from unnest($1::uuid[]) as c (id)
        left join customer k on k.id = c.id
        left join lateral owed_by_customer(c.id, $3) o on o.currency = $2
        group by c.id, k.name, k.segment
        """,
        list(customers),
        currency,
        as_of,
    )


async def promises(tx: Tx, customers: Sequence[UUID], currency: str, as_of: date) -> list[asyncpg.Record]:
    """Those that ran at the end of the day."""
    return await tx.fetch(
        """
        select customer_id, promised_on, amount_minor from promise
        where customer_id = any($1) and currency = $2 and made_on <= $3 and (ended_on is null or ended_on > $3)
        """,
        list(customers),
        currency,
        as_of,
    )


async def credit(tx: Tx, customers: Sequence[UUID], as_of: date) -> list[asyncpg.Record]:
    """The newest event of each customer that says its limit, and that says what is held."""
    return await tx.fetch(
        """
        select distinct on (customer_id, kind) customer_id, kind, data
        from (
            select customer_id, effective_on, seq, data,
                   case type when 'dueward.credit.limit_changed.v1' then 'limit' else 'hold' end as kind
            from event
            where customer_id = any($1) and effective_on <= $2
              and type in ('dueward.credit.limit_changed.v1', 'dueward.credit.hold_placed.v1',
                           'dueward.credit.hold_released.v1')
        ) as said
        order by customer_id, kind, effective_on desc, seq desc
        """,
        list(customers),
        as_of,
    )
