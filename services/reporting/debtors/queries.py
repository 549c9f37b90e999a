"""Who owes most."""

from __future__ import annotations

from datetime import date

import asyncpg

from services.reporting.debtors.rules import SortBy
from shared.db import Tx

_ORDER = {"total": "total_minor desc, overdue_minor desc", "overdue": "overdue_minor desc, total_minor desc"}


async def top(
    tx: Tx, as_of: date, known_at: date, currency: str | None, sort_by: SortBy, limit: int
) -> list[asyncpg.Record]:
    """The first `limit` customers of each currency, with their buckets, oldest due date and currency's whole."""
    return await tx.fetch(
        f"""
        with owed as (
            select o.currency, o.customer_id, count(*) as open_invoices, min(o.due_on) as oldest_due_on,
                   sum(o.balance_minor)::bigint as total_minor,
                   coalesce(sum(o.balance_minor) filter (where $1 - o.due_on <= 0), 0)::bigint as current,
                   coalesce(sum(o.balance_minor) filter (where $1 - o.due_on between 1 and 30), 0)::bigint as d1_30,
                   coalesce(sum(o.balance_minor) filter (where $1 - o.due_on between 31 and 60), 0)::bigint as d31_60,
                   coalesce(sum(o.balance_minor) filter (where $1 - o.due_on between 61 and 90), 0)::bigint as d61_90,
                   coalesce(sum(o.balance_minor) filter (where $1 - o.due_on >= 91), 0)::bigint as d91_plus,
                   coalesce(sum(o.balance_minor) filter (where $1 > o.due_on), 0)::bigint as overdue_minor
            from open_on($1, $2) o
            where $3::text is null or o.currency = $3
            group by o.currency, o.customer_id
        ), ranked as (
            select owed.*, (sum(total_minor) over (partition by currency))::bigint as whole_minor,
                   row_number() over (partition by currency order by {_ORDER[sort_by]}, customer_id) as rank
            from owed
        )
        select r.*, c.name, c.external_id, c.segment
        from ranked r left join customer c on c.id = r.customer_id
        where r.rank <= $4
        order by r.currency, r.rank
        """,
        as_of,
        known_at,
        currency,
        limit,
    )
