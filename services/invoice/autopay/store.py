"""Tables: saved_method, collection; open invoices are read for what is due."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from services.invoice.autopay.rules import Collection, Method
from shared.db import Tx

NEXT_LOOK = """(
    select least(
        (select min(look_at) from saved_method where look_at is not null),
        (select min(look_at) from collection where look_at is not null),
        (select min(m.collect_from) from (
            select (i.due_date + time '09:00') at time zone e.time_zone as collect_from
            from saved_method s
            join entity e on e.id = s.entity_id
            join invoice i on i.customer_id = s.customer_id and i.entity_id = s.entity_id
            where s.status = 'active' and i.balance_minor - i.disputed_minor - i.planned_minor > 0
              and i.due_date >= (s.added_at at time zone e.time_zone)::date
              and not exists (select from collection c where c.invoice_id = i.id)
        ) m)
    )
)"""
"""The earliest of: a method to be looked up, a charge to be made or made again, an invoice that reaches its due date.
Invoices due before the method was left are not collected: the customer was asked about those it saw."""

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


_DUE_INVOICES = """
select s.id as method_id, i.id as invoice_id
from saved_method s
join entity e on e.id = s.entity_id
join invoice i on i.customer_id = s.customer_id and i.entity_id = s.entity_id
where s.status = 'active' and i.balance_minor - i.disputed_minor - i.planned_minor > 0
  and i.due_date >= (s.added_at at time zone e.time_zone)::date
  and (i.due_date + time '09:00') at time zone e.time_zone <= $1
  and not exists (select from collection c where c.invoice_id = i.id)
order by i.due_date, i.id limit $2
"""


async def due_invoices(tx: Tx, now: datetime, limit: int) -> list[tuple[UUID, UUID]]:
    """Method and invoice of what reached its due date and was never charged."""
    return [tuple(row.values()) for row in await tx.fetch(_DUE_INVOICES, now, limit)]


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


_LATEST = f"""
select distinct on (invoice_id) {", ".join(_COLLECTION)} from collection
where customer_id = $1 and entity_id = $2 order by invoice_id, attempt desc
"""


async def latest(tx: Tx, customer_id: UUID, entity_id: str) -> list[Collection]:
    """The last attempt at each invoice of a customer."""
    return [Collection(*row.values()) for row in await tx.fetch(_LATEST, customer_id, entity_id)]
