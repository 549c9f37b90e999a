"""Table: journal_entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import date
from operator import attrgetter
from uuid import UUID

from services.invoice.journal.rules import AccountTotal, Booked, Entry
from shared.db import Tx

_FIELDS = tuple(field.name for field in fields(Entry))
_values = attrgetter(*_FIELDS)

_POST = f"""
insert into journal_entry ({", ".join(_FIELDS)})
select * from unnest($1::text[], $2::uuid[], $3::date[], $4::date[], $5::text[], $6::text[], $7::text[], $8::bigint[],
                     $9::text[], $10::uuid[], $11::uuid[], $12::uuid[])
"""


async def post(tx: Tx, entries: Sequence[Entry]) -> None:
    await tx.execute(_POST, *zip(*map(_values, entries), strict=True))


async def copy(tx: Tx, entries: Sequence[Entry]) -> None:
    await tx.copy_records("journal_entry", _FIELDS, map(_values, entries))


_REVERSE = """
insert into journal_entry (entity_id, customer_id, effective_on, booked_on, kind, debit, credit, amount_minor,
                           currency, invoice_id, payment_id, source_id, reverses)
select e.entity_id, e.customer_id, $2, $3, 'reversal', e.credit, e.debit, e.amount_minor,
       e.currency, e.invoice_id, e.payment_id, e.source_id, e.id
from journal_entry e
where {of} and e.reverses is null
  and not exists (select from journal_entry r where r.reverses = e.id)
order by e.id
"""


_REVERSE_PAYMENT = _REVERSE.format(of="e.payment_id = $1")
_REVERSE_SOURCE = _REVERSE.format(of="e.source_id = any($1::uuid[])")


async def reverse_payment(tx: Tx, payment_id: UUID, effective_on: date, booked_on: date) -> None:
    await tx.execute(_REVERSE_PAYMENT, payment_id, effective_on, booked_on)


async def reverse_source(tx: Tx, source_ids: Sequence[UUID], effective_on: date, booked_on: date) -> None:
    await tx.execute(_REVERSE_SOURCE, source_ids, effective_on, booked_on)


_PAGE = """
select id, entity_id, customer_id, effective_on, booked_on, kind, debit, credit, amount_minor, currency, invoice_id,
       payment_id, source_id, reverses
from journal_entry
where (effective_on, id) > ($1, $2)
  and effective_on >= $3 and effective_on <= $4
  and ($5::uuid is null or customer_id = $5)
order by effective_on, id limit $6
"""


async def page(
    tx: Tx, after: tuple[date, int], first: date, last: date, customer_id: UUID | None, limit: int
) -> list[Booked]:
    rows = await tx.fetch(_PAGE, *after, first, last, customer_id, limit)
    return [Booked(*row.values()) for row in rows]


_TRIAL_BALANCE = """
select account, currency, sum(debit_minor)::bigint, sum(credit_minor)::bigint
from (
    select debit as account, currency, amount_minor as debit_minor, 0 as credit_minor from journal_entry
    where effective_on <= $1
    union all
    select credit, currency, 0, amount_minor from journal_entry where effective_on <= $1
) sides
group by account, currency order by currency, account
"""


async def account_totals(tx: Tx, as_of: date) -> list[AccountTotal]:
    return [AccountTotal(*row.values()) for row in await tx.fetch(_TRIAL_BALANCE, as_of)]
