"""Credit sales by month, and the month-end figures behind the trend."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import asyncpg

from shared.db import Tx


async def sales_by_month(
    tx: Tx, as_of: date, known_at: date, window_start: date, currency: str | None
) -> list[asyncpg.Record]:
    """Per currency and month: sales until `as_of`, and what of them lies behind `window_start`."""
    return await tx.fetch(
        """
        select currency, date_trunc('month', effective_on)::date as month, sum(sale_minor)::bigint as sales_minor,
               coalesce(sum(sale_minor) filter (where effective_on > $3), 0)::bigint as in_window_minor
        from movement
        where sale_minor <> 0 and effective_on <= $1 and booked_on <= $2 and ($4::text is null or currency = $4)
        group by 1, 2
        """,
        as_of,
        known_at,
        window_start,
        currency,
    )


async def at_ends(tx: Tx, currency: str, ends: Sequence[date], window_days: int) -> list[asyncpg.Record]:
    """At the end of each day in `ends`: receivables, what of them is not yet due, and the window's credit sales.

    Movements are first added up by (effective day, due day), of which there are few however many invoices there are.
    """
    return await tx.fetch(
        """
        with cell as materialized (
            select effective_on, due_on, sum(change_minor)::bigint as change_minor,
                   sum(sale_minor)::bigint as sale_minor
            from movement
            where currency = $1 and effective_on <= $2
            group by 1, 2
        )
        select e.on_day, coalesce(sum(c.change_minor), 0)::bigint as receivables_minor,
               coalesce(sum(c.change_minor) filter (where c.due_on >= e.on_day), 0)::bigint as current_minor,
               coalesce(sum(c.sale_minor) filter (where c.effective_on > e.on_day - $4::integer), 0)::bigint
                   as sales_minor
        from unnest($3::date[]) as e (on_day)
        left join cell c on c.effective_on <= e.on_day
        group by e.on_day
        order by e.on_day
        """,
        currency,
        max(ends),
        list(ends),
        window_days,
    )
