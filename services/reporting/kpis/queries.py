"""Credit sales by month, and the month-end figures behind the trend."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import asyncpg

from services.reporting.ageing.rules import ALL_KNOWN
from services.reporting.groups import queries as groups
from services.reporting.groups.rules import Group
from shared.db import Tx


async def sales_by_month(
    tx: Tx, group: Group, as_of: date, known_at: date, window_start: date, currency: str | None, since: date
) -> list[asyncpg.Record]:
    """Per currency and month: sales from the day `since` until `as_of`, and what of them lies behind `window_start`.
    What was invoiced on one day and booked on another is put right by itself, as `correction` does for balances."""
    return await tx.fetch(
        f"""
        with sale as (
            select f.currency, f.effective_on, f.sales_minor from {groups.flows(group, place="$6")} f
            where f.effective_on >= $5 and f.effective_on <= least($1::date, $2::date)
            {_BOOKED_APART + groups.member(group, "m", place="$6") if known_at < ALL_KNOWN else ""}
        )
        select currency, date_trunc('month', effective_on)::date as month, sum(sales_minor)::bigint as sales_minor,
               coalesce(sum(sales_minor) filter (where effective_on > $3), 0)::bigint as in_window_minor
        from sale
        where sales_minor <> 0 and ($4::text is null or currency = $4)
        group by 1, 2
        """,
        as_of,
        known_at,
        window_start,
        currency,
        since,
        *groups.args(group),
    )


_BOOKED_APART = """
union all
select currency, effective_on,
       change_minor * ((effective_on <= $1::date and booked_on <= $2::date)::integer
                       - (effective_on <= least($1::date, $2::date))::integer)
from movement m
where kind = 'sale' and effective_on <> booked_on and effective_on >= $5
  and daterange(least(effective_on, booked_on), greatest(effective_on, booked_on)) @> least($1::date, $2::date)
  and """


async def at_ends(tx: Tx, group: Group, currency: str, ends: Sequence[date], window_days: int) -> list[asyncpg.Record]:
    """At the end of each day in `ends`: receivables, what of them is not yet due, and the window's credit sales."""
    return await tx.fetch(
        f"""
        select e.on_day, o.receivables_minor, o.current_minor, s.sales_minor
        from unnest($2::date[]) as e (on_day)
        cross join lateral (
            select coalesce(sum(o.balance_minor), 0)::bigint as receivables_minor,
                   coalesce(sum(o.balance_minor) filter (where o.day >= e.on_day), 0)::bigint as current_minor
            from {groups.owed(group, "due", as_of="e.on_day", place="$4")} o
            where o.currency = $1
        ) o
        cross join lateral (
            select coalesce(sum(f.sales_minor), 0)::bigint as sales_minor
            from {groups.flows(group, place="$4")} f
            where f.currency = $1
              and f.effective_on <= e.on_day and f.effective_on > e.on_day - $3::integer
        ) s
        order by e.on_day
        """,
        currency,
        list(ends),
        window_days,
        *groups.args(group),
    )
