"""Tables: plan, plan_invoice, instalment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import date, datetime
from itertools import starmap
from operator import attrgetter
from typing import Any
from uuid import UUID

from services.invoice.plans.rules import Instalment, Plan, Rest, Share
from shared.db import Tx

NEXT_LOOK = "(select min(look_at) from plan where look_at is not null)"
NEXT_REMINDER = "(select min(remind_at) from plan where remind_at is not null)"

_FIELDS = tuple(field.name for field in fields(Plan) if field.name not in ("shares", "schedule"))
_PLAN = ", ".join(f"p.{name}" for name in _FIELDS)
_values = attrgetter(*_FIELDS)
_PARTS = """
(select array_agg((s.invoice_id, i.number, s.amount_minor) order by s.position)
 from plan_invoice s join invoice i on i.id = s.invoice_id where s.plan_id = p.id),
(select array_agg((s.due_date, s.amount_minor) order by s.position) from instalment s where s.plan_id = p.id)
"""


def _plan(row: Any) -> Plan:
    values = tuple(row.values())
    about = dict(zip(_FIELDS, values, strict=False))
    shares, schedule = values[len(_FIELDS) :]
    return Plan(**about, shares=tuple(starmap(Share, shares)), schedule=tuple(starmap(Instalment, schedule)))


_INSERT = f"""
with agreed as (
    insert into plan ({", ".join(_FIELDS)}, look_at, remind_at)
    values ({", ".join(f"${n + 1}" for n in range(len(_FIELDS) + 2))})
), shares as (
    insert into plan_invoice (plan_id, invoice_id, position, amount_minor, running)
    select $1, t.invoice_id, t.position, t.amount_minor, true
    from unnest(${len(_FIELDS) + 3}::uuid[], ${len(_FIELDS) + 4}::bigint[])
         with ordinality as t (invoice_id, amount_minor, position)
)
insert into instalment (plan_id, position, due_date, amount_minor)
select $1, t.position, t.due_date, t.amount_minor
from unnest(${len(_FIELDS) + 5}::date[], ${len(_FIELDS) + 6}::bigint[])
     with ordinality as t (due_date, amount_minor, position)
"""


async def insert(tx: Tx, plan: Plan, look_at: datetime, remind_at: datetime | None) -> None:
    await tx.execute(
        _INSERT,
        *_values(plan),
        look_at,
        remind_at,
        [share.invoice_id for share in plan.shares],
        [share.minor for share in plan.shares],
        [each.due_date for each in plan.schedule],
        [each.minor for each in plan.schedule],
    )


_SAVE = """
with ended as (
    update plan_invoice set running = false where plan_id = $1 and $4::date is not null
)
update plan
set version = $2, status = $3, ended_on = $4, ended_why = $5, missed_on = $6, left_minor = $7, look_at = $8,
    remind_at = $9
where id = $1
"""


async def save(tx: Tx, plan: Plan, look_at: datetime | None, remind_at: datetime | None) -> None:
    p = plan
    told = (p.ended_on, p.ended_why, p.missed_on, p.left_minor)
    await tx.execute(_SAVE, p.id, p.version, p.status, *told, look_at, remind_at)


_TO_REMIND = "select id, customer_id from plan where remind_at <= $1 order by remind_at limit $2"


async def to_remind(tx: Tx, now: datetime, limit: int) -> list[tuple[UUID, UUID]]:
    return [(row[0], row[1]) for row in await tx.fetch(_TO_REMIND, now, limit)]


async def reminded(tx: Tx, plan: Plan, remind_at: datetime | None) -> None:
    await tx.execute(
        "update plan set reminded_on = $2, remind_at = $3 where id = $1", plan.id, plan.reminded_on, remind_at
    )


_AWAIT = """
update plan
set awaited_minor = greatest(awaited_minor + $2, 0),
    look_at = case when look_at is not null then timestamptz 'epoch' end
where id = $1
"""


async def await_debit(tx: Tx, plan_id: UUID, minor: int) -> None:
    await tx.execute(_AWAIT, plan_id, minor)


_FIND = f"select {_PLAN}, {_PARTS} from plan p where p.id = $1"


async def find(tx: Tx, plan_id: UUID) -> Plan | None:
    row = await tx.fetchrow(_FIND, plan_id)
    return _plan(row) if row else None


_PAGE = f"""
select {_PLAN}, {_PARTS} from plan p
where ($1::uuid is null or p.id > $1)
  and ($2::uuid is null or p.customer_id = $2)
  and ($3::text is null or p.status = $3)
  and ($4::uuid is null or p.id in (select plan_id from plan_invoice where invoice_id = $4))
order by p.id limit $5
"""


async def page(
    tx: Tx, *, after: UUID | None, customer_id: UUID | None, status: str | None, invoice_id: UUID | None, limit: int
) -> list[Plan]:
    return [_plan(row) for row in await tx.fetch(_PAGE, after, customer_id, status, invoice_id, limit)]


_TO_LOOK_AT = "select id, customer_id from plan where look_at <= $1 order by look_at limit $2"


async def to_look_at(tx: Tx, now: datetime, limit: int) -> list[tuple[UUID, UUID]]:
    return [(row[0], row[1]) for row in await tx.fetch(_TO_LOOK_AT, now, limit)]


_RUNNING_OF = f"""
select {_PLAN}, {_PARTS} from plan p
where p.id in (select plan_id from plan_invoice where invoice_id = any($1::uuid[]) and running)
"""


async def running_of(tx: Tx, invoice_ids: Sequence[UUID]) -> list[Plan]:
    return [_plan(row) for row in await tx.fetch(_RUNNING_OF, invoice_ids)]


_RUNNING_FOR = f"""
select {_PLAN}, {_PARTS} from plan p
where p.customer_id = $1 and p.entity_id = $2 and p.ended_on is null order by p.id
"""


async def running_for(tx: Tx, customer_id: UUID, entity_id: str) -> list[Plan]:
    return [_plan(row) for row in await tx.fetch(_RUNNING_FOR, customer_id, entity_id)]


_LEFT = """
select s.plan_id, sum(i.planned_minor)::bigint
from plan_invoice s join invoice i on i.id = s.invoice_id
where s.plan_id = any($1::uuid[]) and s.running group by s.plan_id
"""


async def left_of(tx: Tx, plan_ids: Sequence[UUID]) -> dict[UUID, int]:
    return {row[0]: row[1] for row in await tx.fetch(_LEFT, plan_ids)}


_RESTS = """
select s.invoice_id, p.agreed_on + 1, coalesce(p.ended_on, $2)
from plan_invoice s join plan p on p.id = s.plan_id
where s.invoice_id = any($1::uuid[]) and p.status in ('agreed', 'active', 'kept')
order by p.id
"""


async def rests_of(tx: Tx, invoice_ids: Sequence[UUID], as_of: date) -> list[Rest]:
    return [Rest(*row.values()) for row in await tx.fetch(_RESTS, invoice_ids, as_of)]
