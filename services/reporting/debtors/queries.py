"""Who owes most, without adding up everybody.

Of each customer it is known what it owed on the standing day before and what was invoiced since, and so that on no day
up to the next one it owed more than the two together; likewise of what falls due until then, and so of what was overdue
(unless something was paid before it was invoiced). Customers are added up in the order of that peak; once enough of
them owe more than the next one's peak, nobody behind it can be among the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

from services.reporting.ageing.rules import ALL_KNOWN
from services.reporting.ageing.rules import owed as owed_by_group
from services.reporting.debtors.rules import SortBy
from shared.db import Tx


async def wholes(tx: Tx, as_of: date, known_at: date, currency: str | None) -> list[asyncpg.Record]:
    """Everything open in each currency."""
    return await tx.fetch(
        f"""
        select o.currency, sum(o.balance_minor)::bigint as whole_minor
        from {owed_by_group("all", "due", known_at, known="$3")} o
        where $2::text is null or o.currency = $2
        group by o.currency
        having sum(o.open_invoices) <> 0
        order by o.currency
        """,
        as_of,
        currency,
        *((known_at,) if known_at < ALL_KNOWN else ()),
    )


async def by_peak(tx: Tx, as_of: date, currency: str, sort_by: SortBy, offset: int, limit: int) -> list[asyncpg.Record]:
    """Customers by the most they can have owed, or had overdue, on any day since the standing day. `peak_minor` of
    overdue is known for the days until the next one only."""
    peak = "due_peak_minor" if sort_by == "overdue" and await _in_its_week(tx, as_of) else "peak_minor"
    return await tx.fetch(
        f"""
        select customer_id, {peak} as peak_minor from account_period
        where currency = $1 and before_on = (select standing_before($2::date))
        order by {peak} desc, customer_id
        offset $3 limit $4
        """,
        currency,
        as_of,
        offset,
        limit,
    )


async def _in_its_week(tx: Tx, as_of: date) -> bool:
    return await tx.fetchval("select $1::date <= standing_before($1::date) + 10", as_of)


async def owed(tx: Tx, as_of: date, currency: str, customers: Sequence[UUID]) -> list[asyncpg.Record]:
    """What each of these customers owed, with its buckets and oldest due date."""
    return await _summed(
        tx,
        """
        select c.customer_id, w.* from unnest($3::uuid[]) as c (customer_id)
        cross join lateral owed_by_customer(c.customer_id, $1::date) w where w.currency = $2
        """,
        as_of,
        currency,
        list(customers),
    )


async def owed_as_known(tx: Tx, as_of: date, known_at: date, currency: str) -> list[asyncpg.Record]:
    """What every customer owed by what was known at the end of another day: peaks say nothing about that."""
    assert known_at < ALL_KNOWN
    return await _summed(
        tx,
        """
        select p.customer_id, w.* from account_period p
        cross join lateral owed_by_customer(p.customer_id, least($1::date, $3::date)) w
        where p.currency = $2 and w.currency = $2
          and p.before_on = (select standing_before(least($1::date, $3::date)))
        union all
        select c.customer_id, c.currency, c.due_on, c.issued_on, c.balance_minor, c.disputed_minor, c.on_plan_minor,
               c.open_invoices
        from correction($1::date, $3::date) c where c.currency = $2
        """,
        as_of,
        currency,
        known_at,
    )


async def _summed(tx: Tx, source: str, *args: object) -> list[asyncpg.Record]:
    return await tx.fetch(
        f"""
        with due as (
            select customer_id, due_on, sum(balance_minor)::bigint as balance_minor,
                   sum(open_invoices)::bigint as open_invoices
            from ({source}) as o
            group by customer_id, due_on
        )
        select d.customer_id, sum(d.open_invoices)::bigint as open_invoices,
               min(d.due_on) filter (where d.open_invoices <> 0) as oldest_due_on,
               sum(d.balance_minor)::bigint as total_minor,
               coalesce(sum(d.balance_minor) filter (where $1::date - d.due_on <= 0), 0)::bigint as current,
               coalesce(sum(d.balance_minor) filter (where $1::date - d.due_on between 1 and 30), 0)::bigint as d1_30,
               coalesce(sum(d.balance_minor) filter (where $1::date - d.due_on between 31 and 60), 0)::bigint as d31_60,
               coalesce(sum(d.balance_minor) filter (where $1::date - d.due_on between 61 and 90), 0)::bigint as d61_90,
               coalesce(sum(d.balance_minor) filter (where $1::date - d.due_on >= 91), 0)::bigint as d91_plus,
               coalesce(sum(d.balance_minor) filter (where $1 > d.due_on), 0)::bigint as overdue_minor
        from due d
        group by d.customer_id
        having sum(d.open_invoices) <> 0
        """,
        *args,
    )


async def called(tx: Tx, customers: Sequence[UUID]) -> dict[UUID, asyncpg.Record]:
    rows = await tx.fetch("select id, name, external_id, segment from customer where id = any($1)", list(customers))
    return {row["id"]: row for row in rows}
