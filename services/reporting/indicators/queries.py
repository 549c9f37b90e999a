"""What indicators are made of, beside the receivables themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import asyncpg

from services.reporting.groups import queries as groups
from services.reporting.groups.rules import Group
from shared.db import Tx


async def flows(tx: Tx, group: Group, after: date, until: date) -> list[asyncpg.Record]:
    """By currency: what was written off, and how many invoices were issued."""
    return await tx.fetch(
        f"""
        select currency, sum(written_off_minor)::bigint as written_off_minor, sum(invoices)::bigint as invoices
        from {groups.flows(group, place="$3")} f where effective_on > $1 and effective_on <= $2
        group by currency
        """,
        after,
        until,
        *groups.args(group),
    )


async def by_month(tx: Tx, group: Group, as_of: date) -> list[asyncpg.Record]:
    """By currency and month of invoicing: what is open, and what was sold."""
    return await tx.fetch(
        f"""
        select currency, month, sum(open_minor)::bigint as open_minor, sum(sales_minor)::bigint as sales_minor
        from (
            select currency, date_trunc('month', day)::date as month, balance_minor as open_minor, 0 as sales_minor
            from {groups.owed(group, "issued", place="$2")} o
            union all
            select currency, date_trunc('month', effective_on)::date, 0, sales_minor
            from {groups.flows(group, place="$2")} f where effective_on <= $1
        ) as part
        group by currency, month
        """,
        as_of,
        *groups.args(group),
    )


async def outcomes(tx: Tx, group: Group, after: date, until: date) -> list[asyncpg.Record]:
    """By currency: promises kept and broken, disputes opened and resolved, payments and those applied at once."""
    contested = "dispute d" if group.kind != "entity" else _DISPUTES_OF_ENTITIES
    return await tx.fetch(
        f"""
        select currency, sum(kept)::bigint as promises_kept, sum(broken)::bigint as promises_broken,
               sum(opened)::bigint as disputes_opened, sum(resolved)::bigint as disputes_resolved,
               sum(days)::bigint as dispute_days, sum(receipts)::bigint as receipts,
               sum(straight)::bigint as receipts_straight
        from (
            select currency, (status = 'kept')::integer as kept, (status = 'broken')::integer as broken, 0 as opened,
                   0 as resolved, 0 as days, 0 as receipts, 0 as straight
            from promise v where ended_on > $1 and ended_on <= $2 and status in ('kept', 'broken')
              and {groups.member(group, "v", place="$3")}
            union all
            select currency, 0, 0, 1, 0, 0, 0, 0
            from {contested} where opened_on > $1 and opened_on <= $2 and {groups.member(group, "d", place="$3")}
            union all
            select currency, 0, 0, 0, 1, resolved_on - opened_on, 0, 0
            from {contested} where resolved_on > $1 and resolved_on <= $2 and opened_on is not null
              and {groups.member(group, "d", place="$3")}
            union all
            select currency, 0, 0, 0, 0, 0, 1, (applied_on = booked_on and not touched)::integer
            from receipt p where received_on > $1 and received_on <= $2 and {groups.member(group, "p", place="$3")}
        ) as part
        group by currency
        """,
        after,
        until,
        *groups.args(group),
    )


_DISPUTES_OF_ENTITIES = "(select i.*, r.entity_id from dispute i join receivable r on r.invoice_id = i.invoice_id) d"


async def at_month_ends(
    tx: Tx, group: Group, currency: str | None, ends: Sequence[date], window_days: int
) -> list[asyncpg.Record]:
    """By currency and day: receivables then and when the window began, what was current, and what was sold."""
    return await tx.fetch(
        f"""
        with day as (
            select e.on_day, o.currency, sum(o.balance_minor) as receivables_minor,
                   sum(o.balance_minor) filter (where o.day >= e.on_day) as current_minor
            from unnest($2::date[]) as e (on_day)
            cross join lateral {groups.owed(group, "due", as_of="e.on_day", place="$4")} o
            group by e.on_day, o.currency
        ), opening as (
            select e.on_day, o.currency, sum(o.balance_minor) as opening_minor
            from unnest($2::date[]) as e (on_day)
            cross join lateral {groups.owed(group, "due", as_of="(e.on_day - $3::integer)", place="$4")} o
            group by e.on_day, o.currency
        ), sold as (
            select e.on_day, f.currency, sum(f.sales_minor) as sales_minor
            from unnest($2::date[]) as e (on_day)
            join {groups.flows(group, place="$4")} f
                on f.effective_on <= e.on_day and f.effective_on > e.on_day - $3::integer
            group by e.on_day, f.currency
        )
        select on_day, currency, coalesce(receivables_minor, 0)::bigint as receivables_minor,
               coalesce(current_minor, 0)::bigint as current_minor, coalesce(opening_minor, 0)::bigint as opening_minor,
               coalesce(sales_minor, 0)::bigint as sales_minor
        from day full join opening using (on_day, currency) full join sold using (on_day, currency)
        where $1::text is null or currency = $1
        order by currency, on_day
        """,
        currency,
        list(ends),
        window_days,
        *groups.args(group),
    )
