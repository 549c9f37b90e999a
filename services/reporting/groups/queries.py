"""What a group owed and what happened to it, as SQL that other features' questions are put together from.

Of everybody and of groups the sums are kept (see `balances`); of a customer they are made from its own cells and
invoices. `place` is the placeholder of the group's key, as `args` has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import asyncpg

from services.reporting.ageing.rules import ALL_KNOWN
from services.reporting.ageing.rules import owed as owed_by_all
from services.reporting.groups.rules import Group
from shared.db import Tx


def args(group: Group) -> tuple[str, ...]:
    """What stands behind a statement's own arguments."""
    return () if group.is_everybody else (group.key,)


def owed(
    group: Group, axis: str, known_at: date = ALL_KNOWN, *, as_of: str = "$1", known: str = "$2", place: str
) -> str:
    """A relation of what was owed at the end of a day, by `currency` and `day`: the due day, or for `issued` that of
    the invoice."""
    if group.is_everybody:
        return owed_by_all("all", axis, known_at, as_of=as_of, known=known)
    if group.kind != "customer":
        source = owed_by_all(group.kind, axis, known_at, as_of=as_of, known=known)
        return f"(select s.* from {source} s where s.key = {place})"
    day = "s.due_on" if axis == "due" else "s.issued_on"
    columns = f"s.currency, {day} as day, s.balance_minor, s.disputed_minor, s.on_plan_minor, s.open_invoices"
    if known_at == ALL_KNOWN:
        return f"(select {columns} from owed_by_customer({place}::text::uuid, {as_of}::date) s)"
    until = f"least({as_of}::date, {known}::date)"
    return f"""(
        select {columns} from owed_by_customer({place}::text::uuid, {until}) s
        union all
        select {columns} from correction({as_of}::date, {known}::date) s where s.customer_id = {place}::text::uuid
    )"""


def flows(group: Group, *, place: str) -> str:
    """A relation of what happened on each day, with flow's columns."""
    if group.is_everybody:
        return "(select * from flow where kind = 'all' and key = '')"
    if group.kind != "customer":
        return f"(select * from flow where kind = '{group.kind}' and key = {place})"
    return f"""(
        select m.currency, m.effective_on,
               coalesce(sum(m.change_minor) filter (where m.kind = 'sale'), 0) as sales_minor,
               coalesce(-sum(m.change_minor) filter (where m.kind = 'cash'), 0) as cash_minor,
               coalesce(-sum(m.change_minor) filter (where m.kind = 'write_off'), 0) as written_off_minor,
               count(*) filter (where m.kind = 'sale') as invoices
        from receivable r join movement m on m.invoice_id = r.invoice_id
        where r.customer_id = {place}::text::uuid and m.kind <> 'hold'
        group by m.currency, m.effective_on
    )"""


def member(group: Group, row: str, *, place: str) -> str:
    """Whether a row with a `customer_id` and an `entity_id` is of the group."""
    of_customer = f"from customer g_ where g_.id = {row}.customer_id"
    return {
        "all": "true",
        "segment": f"coalesce((select g_.segment {of_customer}), 'unknown') = {place}",
        "country": f"coalesce((select g_.country {of_customer}), 'unknown') = {place}",
        "collector": f"coalesce((select g_.name from collector g_ where g_.customer_id = {row}.customer_id), 'nobody')"
        f" = {place}",
        "entity": f"{row}.entity_id = {place}",
        "customer": f"{row}.customer_id = {place}::text::uuid",
    }[group.kind]


def _seen(group: Group, *, place: str) -> str:
    """The currencies in which anything has happened by $1, as common table expressions that end in `seen`: of a group
    the index is asked for one after the other, however many days there have been."""
    if group.kind == "customer":
        mine = f"r.customer_id = {place}::text::uuid and r.opened_on <= $1"
        return f"seen as (select distinct r.currency from receivable r where {mine})"
    mine = f"f.kind = '{group.kind}' and f.key = {place}"
    return f"""known as (
            (select f.currency from flow f where {mine} order by f.currency limit 1)
            union all
            select (select f.currency from flow f where {mine} and f.currency > k.currency order by f.currency limit 1)
            from known k where k.currency is not null
        ), seen as (
            select k.currency from known k
            where exists (select from flow f where {mine} and f.currency = k.currency and f.effective_on <= $1)
        )"""


async def age(
    tx: Tx, group: Group, as_of: date, known_at: date, currency: str | None, days: Sequence[int]
) -> list[asyncpg.Record]:
    """A row a bucket of each currency in which anything has happened by then; one without a bucket where nothing of it
    is open. Of a group, not of everybody."""
    return await tx.fetch(
        f"""
        with recursive {_seen(group, place="$5")}, owed as (
            select o.currency, width_bucket($1::date - o.day, $4) as bucket, sum(o.balance_minor)::bigint as balance,
                   sum(o.disputed_minor)::bigint as disputed, sum(o.on_plan_minor)::bigint as on_plan,
                   sum(o.open_invoices)::bigint as open_invoices
            from {owed(group, "due", known_at, place="$5")} o
            group by 1, 2
        )
        select s.currency, null::text as key, o.bucket, o.balance, o.disputed, o.on_plan, o.open_invoices
        from seen s left join owed o using (currency)
        where ($3::text is null or s.currency = $3) and $2::date is not null
        order by s.currency
        """,
        as_of,
        known_at,
        currency,
        [1, *(day + 1 for day in days)],
        group.key,
    )
