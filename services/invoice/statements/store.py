"""Tables: statement_schedule (written); journal_entry, invoice, payment, customer (read)."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from services.invoice.statements.rules import OWED, UNAPPLIED, Opening, Posting
from shared.db import Tx
from shared.money import Money

_OPENINGS = """
select currency,
       sum(case when debit = $4 then amount_minor when credit = $4 then -amount_minor else 0 end)::bigint,
       sum(case when credit = $5 then amount_minor when debit = $5 then -amount_minor else 0 end)::bigint
from journal_entry
where customer_id = $1 and entity_id = $2 and effective_on < $3
group by currency
"""


async def openings(tx: Tx, customer_id: UUID, entity_id: str, first: date) -> list[Opening]:
    """What stood on the customer's two accounts before a day."""
    rows = await tx.fetch(_OPENINGS, customer_id, entity_id, first, OWED, UNAPPLIED)
    return [Opening(*row.values()) for row in rows if row[1] or row[2]]


_POSTINGS = """
select e.effective_on, coalesce(r.kind, e.kind), r.id is not null, e.debit, e.credit, e.amount_minor, e.currency,
       e.invoice_id, i.number, e.payment_id, p.reference, coalesce(e.source_id, r.source_id)
from journal_entry e
left join journal_entry r on r.id = e.reverses
left join invoice i on i.id = e.invoice_id
left join payment p on p.id = e.payment_id
where e.customer_id = $1 and e.entity_id = $2 and e.effective_on between $3 and $4
  and (e.debit in ($5, $6) or e.credit in ($5, $6))
order by e.effective_on, e.id
"""


async def postings(tx: Tx, customer_id: UUID, entity_id: str, first: date, last: date) -> list[Posting]:
    """What moved the customer's accounts in a period, in effective order."""
    rows = await tx.fetch(_POSTINGS, customer_id, entity_id, first, last, OWED, UNAPPLIED)
    return [Posting(*row.values()) for row in rows]


_PLANNED = """
select currency, sum(planned_minor)::bigint from invoice
where customer_id = $1 and entity_id = $2 and balance_minor > 0 and planned_minor > 0 group by currency
"""


async def planned(tx: Tx, customer_id: UUID, entity_id: str) -> list[Money]:
    """What of the customer's open invoices is on a plan now."""
    return [Money(minor, currency) for currency, minor in await tx.fetch(_PLANNED, customer_id, entity_id)]


NEXT_STATEMENTS = """
(select min(coalesce(s.next_at, 'epoch'::timestamptz))
 from entity e left join statement_schedule s on s.entity_id = e.id
 where e.policies -> 'delivery' ->> 'statements' = 'monthly')
"""
"""When statements are next to be made; at once where an entity has only just begun to send them."""

_DUE = """
select e.id, s.next_at, s.month, s.after_customer
from entity e left join statement_schedule s on s.entity_id = e.id
where e.policies -> 'delivery' ->> 'statements' = 'monthly' and coalesce(s.next_at, 'epoch'::timestamptz) <= $1
order by e.id limit 1
for no key update of e
"""


async def due(tx: Tx) -> tuple[str, datetime | None, date | None, UUID | None] | None:
    """An entity whose statements are due, with how far it is: (entity, due at, month, last customer done)."""
    row = await tx.fetchrow(_DUE, tx.now)
    return tuple(row.values()) if row else None


_SCHEDULE = """
insert into statement_schedule (entity_id, next_at, month, after_customer) values ($1, $2, $3, $4)
on conflict (entity_id) do update set next_at = $2, month = $3, after_customer = $4
"""


async def schedule(tx: Tx, entity_id: str, next_at: datetime, month: date, after_customer: UUID | None) -> None:
    await tx.execute(_SCHEDULE, entity_id, next_at, month, after_customer)


_CUSTOMERS = """
select c.id from customer c
where ($2::uuid is null or c.id > $2) and exists (
    select from journal_entry e where e.customer_id = c.id and e.entity_id = $1 and e.effective_on <= $3
)
order by c.id limit $4
"""


async def customers_with_entries(tx: Tx, entity_id: str, after: UUID | None, until: date, limit: int) -> list[UUID]:
    return [row[0] for row in await tx.fetch(_CUSTOMERS, entity_id, after, until, limit)]
