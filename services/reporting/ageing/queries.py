"""What was owed at the end of any day: one standing and the cells since, whatever came before (see `balances`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

from services.reporting.ageing.rules import ALL_KNOWN, AgeFrom, owed
from shared.db import Tx

_DAY = {"due_date": "o.due_on", "invoice_date": "o.issued_on"}
_AXIS = {"due_date": "due", "invoice_date": "issued"}

_SUMS = """
    sum(o.balance_minor)::bigint as balance, sum(o.disputed_minor)::bigint as disputed,
    sum(o.on_plan_minor)::bigint as on_plan, sum(o.open_invoices)::bigint as open_invoices
"""


async def age(
    tx: Tx, as_of: date, known_at: date, currency: str | None, days: Sequence[int], age_from: AgeFrom
) -> list[asyncpg.Record]:
    """A row a bucket of each currency that has moved by then; one without a bucket where nothing of it is open."""
    return await tx.fetch(
        f"""
        with recursive known as (
            (select currency from flow where kind = 'all' and key = '' order by currency limit 1)
            union all
            select (select f.currency from flow f where f.kind = 'all' and f.key = '' and f.currency > k.currency
                    order by f.currency limit 1)
            from known k where k.currency is not null
        ), seen as (
            select k.currency from known k
            where exists (select from flow f where f.kind = 'all' and f.key = '' and f.currency = k.currency
                          and f.effective_on <= $1 and f.first_booked_on <= $2)
        ), owed as (
            select o.currency, width_bucket($1::date - o.day, $4) as bucket, {_SUMS}
            from {owed("all", _AXIS[age_from], known_at)} o
            group by 1, 2
        )
        select s.currency, null::text as key, o.bucket, o.balance, o.disputed, o.on_plan, o.open_invoices
        from seen s left join owed o using (currency)
        where $3::text is null or s.currency = $3
        order by s.currency
        """,
        as_of,
        known_at,
        currency,
        _thresholds(days),
    )


async def age_by_group(
    tx: Tx,
    kind: str,
    as_of: date,
    known_at: date,
    currency: str | None,
    days: Sequence[int],
    age_from: AgeFrom,
    after: tuple[str, str],
) -> list[asyncpg.Record]:
    """A row a bucket of each currency and group with something open, behind `after` (currency, group) in that order."""
    return await tx.fetch(
        f"""
        select * from (
            select o.currency, o.key, width_bucket($1::date - o.day, $3) as bucket, {_SUMS},
                   sum(sum(o.open_invoices)) over (partition by o.currency, o.key) as open_of_group
            from {owed(kind, _AXIS[age_from], known_at, known="$6")} o
            where ($2::text is null or o.currency = $2) and (o.currency, o.key) > ($4, $5)
            group by 1, 2, 3
        ) as owed
        where open_of_group > 0
        order by currency, key
        """,
        as_of,
        currency,
        _thresholds(days),
        *after,
        *((known_at,) if known_at < ALL_KNOWN else ()),
    )


async def currencies(tx: Tx) -> list[str]:
    rows = await tx.fetch("select distinct currency from flow where kind = 'all' and key = '' order by currency")
    return [row["currency"] for row in rows]


async def customers_behind(
    tx: Tx, as_of: date, known_at: date, currencies: Sequence[str], after: UUID, limit: int
) -> list[UUID]:
    """Customers that may have owed something in one of the currencies, by id."""
    day = min(as_of, known_at)
    one, several = "p.currency = $1", "p.currency = any($1)"
    rows = await tx.fetch(
        f"""
        select distinct p.customer_id from account_period p
        where {one if len(currencies) == 1 else several} and p.before_on = (select standing_before($2::date))
          and p.customer_id > $3
        {_EARLY if known_at < ALL_KNOWN else ""}
        order by customer_id
        limit {int(limit)}
        """,
        currencies[0] if len(currencies) == 1 else list(currencies),
        day,
        after,
        *((as_of, known_at) if known_at < ALL_KNOWN else ()),
    )
    return [row["customer_id"] for row in rows]


_EARLY = "union select c.customer_id from correction($4::date, $5::date) c where c.customer_id > $3"

_CORRECTED = """
union all
select c.customer_id, c.currency, c.due_on, c.issued_on, c.balance_minor, c.disputed_minor, c.on_plan_minor,
       c.open_invoices
from correction($1::date, $5::date) c where c.customer_id = any($3)
"""


async def age_customers(
    tx: Tx,
    customers: Sequence[UUID],
    as_of: date,
    known_at: date,
    currency: str | None,
    days: Sequence[int],
    age_from: AgeFrom,
) -> list[asyncpg.Record]:
    """A row a bucket of each currency and customer, in that order."""
    day = "$1::date" if known_at == ALL_KNOWN else "least($1::date, $5::date)"
    return await tx.fetch(
        f"""
        select o.currency, o.customer_id::text as key, width_bucket($1::date - {_DAY[age_from]}, $2) as bucket, {_SUMS}
        from (
            select c.customer_id, w.* from unnest($3::uuid[]) as c (customer_id)
            cross join lateral owed_by_customer(c.customer_id, {day}) w
            {_CORRECTED if known_at < ALL_KNOWN else ""}
        ) as o
        where $4::text is null or o.currency = $4
        group by o.currency, o.customer_id, 3
        order by o.currency, o.customer_id
        """,
        as_of,
        _thresholds(days),
        list(customers),
        currency,
        *((known_at,) if known_at < ALL_KNOWN else ()),
    )


async def names(tx: Tx, customers: Sequence[UUID]) -> dict[str, str]:
    rows = await tx.fetch("select id::text, name from customer where id = any($1)", list(customers))
    return {row["id"]: row["name"] for row in rows}


def _thresholds(days: Sequence[int]) -> list[int]:
    """The first day of each bucket but the first."""
    return [1, *(day + 1 for day in days)]


async def open_due_days(
    tx: Tx, as_of: date, currency: str | None, customer_id: UUID | None, first: date, last: date
) -> list[asyncpg.Record]:
    """The currencies and due days of which something was open, and how many invoices, so that they are looked for under
    no other."""
    whole, mine = owed("all", "due", ALL_KNOWN), "owed_by_customer($5::uuid, $1::date)"
    day, source = ("o.day", whole) if customer_id is None else ("o.due_on", mine)
    return await tx.fetch(
        f"""
        select o.currency, {day} as due_on, sum(o.open_invoices)::bigint as open_invoices from {source} o
        where ($2::text is null or o.currency = $2) and {day} between $3 and $4
        group by o.currency, {day}
        having sum(o.open_invoices) <> 0
        order by {day}, o.currency
        """,
        as_of,
        currency,
        first,
        last,
        *(() if customer_id is None else (customer_id,)),
    )


async def open_invoices(
    tx: Tx,
    as_of: date,
    places: Sequence[tuple[str, date]],
    customer_id: UUID | None,
    after: tuple[date, UUID],
    limit: int,
) -> list[asyncpg.Record]:
    """Invoices open at the end of a day, due on these days: by due day and id, behind `after`."""
    mine = "" if customer_id is None else "and r.customer_id = $7"
    return await tx.fetch(
        f"""
        with place as (
            select * from unnest($1::text[], $2::date[]) as p (currency, due_on) where due_on >= $4
        ), found as (
            select r.invoice_id, r.customer_id, r.entity_id, r.currency, r.due_on, m.balance_minor, m.disputed_minor,
                   m.on_plan_minor
            from (  -- In order already, so that no more of them are added up than the page has room for.
                select r.* from place p join receivable r using (currency, due_on)
                where r.closed_on > $3 and r.opened_on <= $3 and (r.due_on, r.invoice_id) > ($4, $5) {mine}
                order by r.due_on, r.invoice_id
            ) r
            cross join lateral (
                select sum(v.change_minor)::bigint as balance_minor, sum(v.disputed)::bigint as disputed_minor,
                       sum(v.on_plan)::bigint as on_plan_minor
                from (
                    select m.effective_on, m.change_minor,
                           m.disputed_minor - lag(m.disputed_minor, 1, 0::bigint) over (order by m.version) as disputed,
                           m.on_plan_minor - lag(m.on_plan_minor, 1, 0::bigint) over (order by m.version) as on_plan
                    from movement m where m.invoice_id = r.invoice_id
                ) v
                where v.effective_on <= $3
            ) m
            where m.balance_minor <> 0
            order by r.due_on, r.invoice_id
            limit $6
        )
        select f.*, i.number, i.issue_date, i.total_minor, i.status, c.name, $3::date - f.due_on as days_overdue
        from found f
        left join invoice i on i.id = f.invoice_id
        left join customer c on c.id = f.customer_id
        order by f.due_on, f.invoice_id
        """,
        [currency for currency, _ in places],
        [due_on for _, due_on in places],
        as_of,
        *after,
        limit,
        *(() if customer_id is None else (customer_id,)),
    )
