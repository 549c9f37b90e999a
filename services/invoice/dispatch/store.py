"""Tables: letter_batch, delivery (letters gathered; read); invoice, customer, entity (read)."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from services.invoice.deliveries.rules import Delivery
from services.invoice.dispatch.rules import Batch, Sheet, Undelivered
from shared.db import Tx
from shared.money import Money

LETTERS_DUE = """
(select min(due_at) from delivery where channel = 'letter' and status in ('queued', 'sending') and batch_id is null)
"""

_LETTERS_WAITING = """
select entity_id, max(requested_on) from delivery
where channel = 'letter' and status = 'queued' and batch_id is null
  and case when $2::text is null then due_at <= $1 else entity_id = $2 end
group by entity_id order by entity_id limit 1
"""


async def letters_waiting(tx: Tx, entity_id: str | None) -> tuple[str, date] | None:
    """An entity with letters to gather, and the last business day that any of them is of."""
    row = await tx.fetchrow(_LETTERS_WAITING, tx.now, entity_id)
    return (row[0], row[1]) if row else None


_ON_INSTALMENTS = f"""
select {", ".join(Delivery.__dataclass_fields__)} from delivery
where channel = 'letter' and status = 'queued' and batch_id is null and entity_id = $1 and requested_on <= $2
  and instalment_on is not null
"""


async def letters_on_instalments(tx: Tx, entity_id: str, day: date) -> list[Delivery]:
    return [Delivery(*row.values()) for row in await tx.fetch(_ON_INSTALMENTS, entity_id, day)]


_GATHER = """
with made as (
    insert into letter_batch (id, entity_id, day, made_at) values ($1, $2, $3, $4)
)
update delivery set batch_id = $1
where channel = 'letter' and status = 'queued' and batch_id is null and entity_id = $2 and requested_on <= $3
"""


async def gather(tx: Tx, batch: Batch) -> int:
    """Make the batch of an entity's letters up to its day; returns how many there are."""
    status = await tx.execute(_GATHER, batch.id, batch.entity_id, batch.day, tx.now)
    return int(status.rpartition(" ")[2])


_BATCH = """
select b.id, b.entity_id, b.day, (select count(*) from delivery d where d.batch_id = b.id), b.printed_on
from letter_batch b
"""


async def batches(tx: Tx, before: UUID | None, limit: int) -> list[Batch]:
    sql = f"{_BATCH} where $1::uuid is null or b.id < $1 order by b.id desc limit $2"
    return [Batch(*row.values()) for row in await tx.fetch(sql, before, limit)]


async def find_batch(tx: Tx, batch_id: UUID) -> Batch | None:
    row = await tx.fetchrow(f"{_BATCH} where b.id = $1", batch_id)
    return Batch(*row.values()) if row else None


_DELIVERY = ", ".join(f"d.{name}" for name in Delivery.__dataclass_fields__)
_SHEETS = f"""
select {_DELIVERY}, coalesce(n.number, i.number, ''), c.name
from delivery d
join customer c on c.id = d.customer_id
left join invoice i on i.id = d.invoice_id
left join credit_note n on n.id = d.credit_note_id
where d.batch_id = $1 order by i.number nulls last, c.name, d.id
"""


async def sheets(tx: Tx, batch_id: UUID) -> list[Sheet]:
    rows = [tuple(row.values()) for row in await tx.fetch(_SHEETS, batch_id)]
    return [Sheet(Delivery(*row[:-2]), row[-2], row[-1]) for row in rows]


_MARK_PRINTED = "update letter_batch set printed_on = $2 where id = $1 and printed_on is null"


async def mark_printed(tx: Tx, batch_id: UUID, on: date) -> bool:
    return await tx.execute(_MARK_PRINTED, batch_id, on) == "UPDATE 1"


_UNDELIVERED = """
select i.id, i.number, i.customer_id, c.name, i.issue_date, i.total_minor, i.currency, last.status, last.reason,
       coalesce(last.channel, i.delivery_channel), e.policies -> 'delivery' ->> 'owner',
       (($1::timestamptz at time zone e.time_zone)::date - i.issue_date)
from entity e
join invoice i on i.entity_id = e.id
    and i.issue_date < ($1::timestamptz at time zone e.time_zone)::date
                       - (e.policies -> 'delivery' ->> 'days_max')::int
join customer c on c.id = i.customer_id
left join lateral (
    select d.status, d.reason, d.channel from delivery d
    where d.invoice_id = i.id and d.kind = 'invoice' order by d.id desc limit 1
) last on true
where e.policies -> 'delivery' ? 'days_max' and ($2::text is null or e.id = $2)
  and i.balance_minor > 0 and i.voided_on is null
  and (i.issue_date, i.id) > ($3, $4)
  and not exists (
      select from delivery d
      where d.invoice_id = i.id and d.kind = 'invoice' and d.status in ('sent', 'delivered', 'opened')
  )
order by i.issue_date, i.id limit $5
"""


async def undelivered(tx: Tx, entity_id: str | None, after: tuple[date, UUID] | None, limit: int) -> list[Undelivered]:
    since, above = after or (date.min, UUID(int=0))
    rows = await tx.fetch(_UNDELIVERED, tx.now, entity_id, since, above, limit)
    return [_undelivered(tuple(row.values())) for row in rows]


def _undelivered(row: tuple[Any, ...]) -> Undelivered:
    invoice_id, number, customer_id, name, issue_date, minor, currency, *last = row
    return Undelivered(invoice_id, number, customer_id, name, issue_date, Money(minor, currency), *last)
