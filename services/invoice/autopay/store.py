"""Tables: saved_method, collection; open invoices and running plans are read for what is due."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, datetime
from operator import attrgetter
from uuid import UUID

from services.invoice.autopay.rules import DEBIT_CURRENCY, Collection, Method
from shared.db import Tx

# When something due is to be begun: at nine on its day, or for a debit so many days of notice before that.
_BEGINS = """(
    ({due} - case s.kind
        when 'sepa_debit' then coalesce((e.policies -> 'collection' ->> 'notice_days')::int, 14) else 0
    end + time '09:00') at time zone e.time_zone
)"""
# Invoices due before the method was left are not collected, since the customer was asked about those it saw; nor at
# once what was agreed to be paid in instalments.
_INVOICES = f"""
from saved_method s
join entity e on e.id = s.entity_id
join invoice i on i.customer_id = s.customer_id and i.entity_id = s.entity_id
where s.status = 'active' and i.balance_minor - i.disputed_minor - i.planned_minor > 0
  and (s.kind = 'card' or i.currency = '{DEBIT_CURRENCY}')
  and i.due_date >= (s.added_at at time zone e.time_zone)::date
  and not exists (select from collection c where c.invoice_id = i.id)
  and not exists (select from plan_invoice p where p.invoice_id = i.id)
"""
_INSTALMENTS = f"""
from saved_method s
join entity e on e.id = s.entity_id
join plan p on p.customer_id = s.customer_id and p.entity_id = s.entity_id and p.ended_on is null
join instalment n on n.plan_id = p.id
where s.status = 'active' and (s.kind = 'card' or p.currency = '{DEBIT_CURRENCY}')
  and n.due_date >= (s.added_at at time zone e.time_zone)::date
  and not exists (select from collection c where c.plan_id = n.plan_id and c.instalment_on = n.due_date)
"""
_INVOICE_BEGINS = _BEGINS.format(due="i.due_date")
_INSTALMENT_BEGINS = _BEGINS.format(due="n.due_date")

NEXT_LOOK = f"""(
    select least(
        (select min(look_at) from saved_method where look_at is not null),
        (select min(look_at) from collection where look_at is not null),
        (select min(m.begins_at) from (select {_INVOICE_BEGINS} as begins_at {_INVOICES}) m),
        (select min(m.begins_at) from (select {_INSTALMENT_BEGINS} as begins_at {_INSTALMENTS}) m)
    )
)"""
"""The earliest of: a method to be looked up, a charge to be made or made again, an invoice or an instalment that
reaches its due date or the day it is announced."""

_METHOD = tuple(field.name for field in fields(Method))
_COLLECTION = tuple(field.name for field in fields(Collection))
_method_values = attrgetter(*_METHOD)
_collection_values = attrgetter(*_COLLECTION)


def _upsert(table: str, columns: tuple[str, ...]) -> str:
    return (
        f"insert into {table} ({', '.join(columns)}) values ({', '.join(f'${n + 1}' for n in range(len(columns)))}) "
        f"on conflict (id) do update set {', '.join(f'{name} = excluded.{name}' for name in columns[1:])}"
    )


_SAVE_METHOD = _upsert("saved_method", _METHOD)
_SAVE_COLLECTION = _upsert("collection", _COLLECTION)


async def save_method(tx: Tx, method: Method) -> None:
    await tx.execute(_SAVE_METHOD, *_method_values(method))


async def save_collection(tx: Tx, collection: Collection) -> None:
    await tx.execute(_SAVE_COLLECTION, *_collection_values(collection))


async def method(tx: Tx, method_id: UUID) -> Method | None:
    row = await tx.fetchrow(f"select {', '.join(_METHOD)} from saved_method where id = $1", method_id)
    return Method(*row.values()) if row else None


_ACTIVE = f"""
select {", ".join(_METHOD)} from saved_method where customer_id = $1 and entity_id = $2 and status = 'active'
"""


async def active_method(tx: Tx, customer_id: UUID, entity_id: str) -> Method | None:
    row = await tx.fetchrow(_ACTIVE, customer_id, entity_id)
    return Method(*row.values()) if row else None


async def wanted_methods(tx: Tx, now: datetime, limit: int) -> list[Method]:
    rows = await tx.fetch(
        f"select {', '.join(_METHOD)} from saved_method where look_at <= $1 order by look_at limit $2", now, limit
    )
    return [Method(*row.values()) for row in rows]


_DUE_INVOICES = f"""
select s.id, i.id {_INVOICES} and {_INVOICE_BEGINS} <= $1 order by i.due_date, i.id limit $2
"""


async def due_invoices(tx: Tx, now: datetime, limit: int) -> list[tuple[UUID, UUID]]:
    """Method and invoice of what is to be charged or announced, and never was."""
    return [(row[0], row[1]) for row in await tx.fetch(_DUE_INVOICES, now, limit)]


_DUE_INSTALMENTS = f"""
select s.id, p.id, n.due_date {_INSTALMENTS} and {_INSTALMENT_BEGINS} <= $1 order by n.due_date, p.id limit $2
"""


async def due_instalments(tx: Tx, now: datetime, limit: int) -> list[tuple[UUID, UUID, date]]:
    """Method, plan and day, the same of instalments."""
    return [(row[0], row[1], row[2]) for row in await tx.fetch(_DUE_INSTALMENTS, now, limit)]


async def due_collections(tx: Tx, now: datetime, limit: int) -> list[Collection]:
    rows = await tx.fetch(
        f"select {', '.join(_COLLECTION)} from collection where look_at <= $1 order by look_at limit $2", now, limit
    )
    return [Collection(*row.values()) for row in rows]


async def find(tx: Tx, collection_id: UUID) -> Collection | None:
    row = await tx.fetchrow(f"select {', '.join(_COLLECTION)} from collection where id = $1", collection_id)
    return Collection(*row.values()) if row else None


async def lock_collection(tx: Tx, collection_id: UUID) -> Collection | None:
    row = await tx.fetchrow(f"select {', '.join(_COLLECTION)} from collection where id = $1 for update", collection_id)
    return Collection(*row.values()) if row else None


_OF_INTENT = f"select {', '.join(_COLLECTION)} from collection where intent_id = $1"


async def of_intent(tx: Tx, intent_id: str) -> Collection | None:
    row = await tx.fetchrow(_OF_INTENT, intent_id)
    return Collection(*row.values()) if row else None


_BY_MANDATE = f"select {', '.join(_METHOD)} from saved_method where mandate_id = $1 and status = 'active'"


async def method_by_mandate(tx: Tx, mandate_id: str) -> Method | None:
    row = await tx.fetchrow(_BY_MANDATE, mandate_id)
    return Method(*row.values()) if row else None


_LATEST = f"""
select distinct on (coalesce(invoice_id, plan_id), instalment_on) {", ".join(_COLLECTION)} from collection
where customer_id = $1 and entity_id = $2
order by coalesce(invoice_id, plan_id), instalment_on, attempt desc
"""


async def latest(tx: Tx, customer_id: UUID, entity_id: str) -> list[Collection]:
    """The last attempt at each invoice and instalment of a customer."""
    return [Collection(*row.values()) for row in await tx.fetch(_LATEST, customer_id, entity_id)]


_COLLECTS = f"""
select coalesce(
    (select c.status in ('announced', 'meant', 'refused', 'paid') from collection c
     where c.plan_id = $1 and c.instalment_on = $2 order by c.attempt desc limit 1),
    exists (
        select from plan p
        join saved_method s on s.customer_id = p.customer_id and s.entity_id = p.entity_id and s.status = 'active'
        join entity e on e.id = s.entity_id
        where p.id = $1 and (s.kind = 'card' or p.currency = '{DEBIT_CURRENCY}')
          and $2 >= (s.added_at at time zone e.time_zone)::date
    )
)
"""


async def collects(tx: Tx, plan_id: UUID, due_date: date) -> bool:
    return await tx.fetchval(_COLLECTS, plan_id, due_date)
