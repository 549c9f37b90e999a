"""Movements of receivables, and what they add up to at the end of any day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

from services.reporting.ageing.rules import GroupBy, Movement
from shared.db import Tx

InvoiceRow = tuple[UUID, int, UUID, str, str, date, date, str, int, int, int, date | None]
"""id, version, customer id, number, status, issue date, due date, currency, total, balance, disputed, settled on."""

BUCKETS = """
    coalesce(sum(o.balance_minor) filter (where $1 - o.due_on <= 0), 0)::bigint as current,
    coalesce(sum(o.balance_minor) filter (where $1 - o.due_on between 1 and 30), 0)::bigint as d1_30,
    coalesce(sum(o.balance_minor) filter (where $1 - o.due_on between 31 and 60), 0)::bigint as d31_60,
    coalesce(sum(o.balance_minor) filter (where $1 - o.due_on between 61 and 90), 0)::bigint as d61_90,
    coalesce(sum(o.balance_minor) filter (where $1 - o.due_on >= 91), 0)::bigint as d91_plus
"""

_GROUPS = {
    "customer": ("o.customer_id::text", "coalesce(c.name, 'Unknown customer')"),
    "segment": ("coalesce(c.segment, 'unknown')", "coalesce(c.segment, 'unknown')"),
}


async def keep_movements(tx: Tx, movements: Sequence[Movement]) -> None:
    """Add each movement once; a receivable's sums grow by what was new, whatever order it came in."""
    await tx.execute(
        """
        with fresh as (
            insert into movement (invoice_id, version, customer_id, currency, due_on, effective_on, booked_on,
                                  change_minor, sale_minor)
            select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::date[], $6::date[], $7::date[],
                                 $8::bigint[], $9::bigint[])
            on conflict do nothing
            returning invoice_id, customer_id, currency, due_on, effective_on, booked_on, change_minor
        )
        insert into receivable as kept (invoice_id, customer_id, currency, due_on, opened_on, last_on, balance_minor)
        select invoice_id, customer_id, currency, max(due_on), min(least(effective_on, booked_on)),
               max(greatest(effective_on, booked_on)), sum(change_minor)::bigint
        from fresh
        group by invoice_id, customer_id, currency
        order by invoice_id
        on conflict (invoice_id) do update
        set due_on = greatest(kept.due_on, excluded.due_on),
            opened_on = least(kept.opened_on, excluded.opened_on),
            last_on = greatest(kept.last_on, excluded.last_on),
            balance_minor = kept.balance_minor + excluded.balance_minor
        """,
        *map(list, zip(*movements, strict=True)),
    )


async def keep_invoices(tx: Tx, rows: Sequence[InvoiceRow]) -> None:
    """At most one row an invoice; an older version than the one kept changes nothing."""
    await tx.execute(
        """
        insert into invoice as kept (id, version, customer_id, number, status, issue_date, due_date, currency,
                                     total_minor, balance_minor, disputed_minor, settled_on)
        select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::date[], $7::date[],
                             $8::text[], $9::bigint[], $10::bigint[], $11::bigint[], $12::date[])
        on conflict (id) do update
        set version = excluded.version, number = excluded.number, status = excluded.status,
            issue_date = excluded.issue_date, due_date = excluded.due_date, total_minor = excluded.total_minor,
            balance_minor = excluded.balance_minor, disputed_minor = excluded.disputed_minor,
            settled_on = excluded.settled_on
        where kept.version < excluded.version
        """,
        *map(list, zip(*rows, strict=True)),
    )


async def age(tx: Tx, as_of: date, known_at: date, currency: str | None) -> list[asyncpg.Record]:
    """One row a currency that has moved by then, also when nothing of it is open."""
    return await tx.fetch(
        f"""
        with recursive candidate as (
            (select currency from movement order by currency limit 1)
            union all
            select (select m.currency from movement m where m.currency > c.currency order by m.currency limit 1)
            from candidate c
            where c.currency is not null
        )
        select c.currency, null::text as "group", null::text as label, {BUCKETS}, count(o.invoice_id) as open_invoices
        from candidate c
        left join open_on($1, $2) o on o.currency = c.currency
        where c.currency is not null
          and ($3::text is null or c.currency = $3)
          and exists (select from movement m
                      where m.currency = c.currency and m.effective_on <= $1 and m.booked_on <= $2)
        group by c.currency
        order by c.currency
        """,
        as_of,
        known_at,
        currency,
    )


async def age_by_group(
    tx: Tx,
    group_by: GroupBy,
    as_of: date,
    known_at: date,
    currency: str | None,
    after: tuple[str, str],
    limit: int,
) -> list[asyncpg.Record]:
    """One row a currency and group with something open, behind `after` (currency, group) in that order."""
    group, label = _GROUPS[group_by]
    return await tx.fetch(
        f"""
        select o.currency, {group} as "group", min({label}) as label, {BUCKETS}, count(*) as open_invoices
        from open_on($1, $2) o
        left join customer c on c.id = o.customer_id
        where ($3::text is null or o.currency = $3)
        group by o.currency, {group}
        having (o.currency, {group}) > ($4, $5)
        order by o.currency, {group}
        limit $6
        """,
        as_of,
        known_at,
        currency,
        *after,
        limit,
    )


async def age_customer(tx: Tx, customer_id: UUID, as_of: date, known_at: date) -> list[asyncpg.Record]:
    """One row a currency the customer owes."""
    return await tx.fetch(
        f"""
        select o.currency, null::text as "group", null::text as label, {BUCKETS}, count(*) as open_invoices
        from open_on($1, $2) o
        where o.customer_id = $3
        group by o.currency
        order by o.currency
        """,
        as_of,
        known_at,
        customer_id,
    )


async def open_invoices(tx: Tx, customer_id: UUID, as_of: date, limit: int) -> list[asyncpg.Record]:
    """What a customer owed at the end of a day, oldest due first; disputed as it is now."""
    return await tx.fetch(
        """
        select i.number, i.issue_date, o.due_on, o.currency, o.balance_minor, i.total_minor, i.disputed_minor,
               $1 - o.due_on as days_overdue
        from open_on($1, 'infinity') o
        left join invoice i on i.id = o.invoice_id
        where o.customer_id = $2
        order by o.due_on, i.number
        limit $3
        """,
        as_of,
        customer_id,
        limit,
    )


async def first_movement_on(tx: Tx) -> date | None:
    return await tx.fetchval("select min(opened_on) from receivable")
