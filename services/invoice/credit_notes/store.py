"""Tables: credit_note, credit_note_line, credit_note_tax."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields
from datetime import date
from uuid import UUID

from services.invoice.credit_notes.rules import Credit, CreditNote, NoteLine, NoteTax, by_note
from shared.db import Tx

_FIELDS = tuple(field.name for field in fields(CreditNote))
_LINE_FIELDS = tuple(field.name for field in fields(NoteLine))
_TAX_FIELDS = tuple(field.name for field in fields(NoteTax))
_F, _L = len(_FIELDS), len(_FIELDS) + len(_LINE_FIELDS)

_INSERT = f"""
with written as (
    insert into credit_note ({", ".join(_FIELDS)}) values ({", ".join(f"${n}" for n in range(1, _F + 1))})
), lines as (
    insert into credit_note_line (credit_note_id, {", ".join(_LINE_FIELDS)})
    select $1, * from unnest(${_F + 1}::int[], ${_F + 2}::text[], ${_F + 3}::bigint[], ${_F + 4}::bigint[],
                             ${_F + 5}::bigint[], ${_F + 6}::text[], ${_F + 7}::int[], ${_F + 8}::int[],
                             ${_F + 9}::bigint[])
)
insert into credit_note_tax (credit_note_id, {", ".join(_TAX_FIELDS)})
select $1, * from unnest(${_L + 1}::text[], ${_L + 2}::int[], ${_L + 3}::bigint[], ${_L + 4}::bigint[])
"""


async def insert(tx: Tx, note: CreditNote, credit: Credit) -> None:
    await tx.execute(
        _INSERT,
        *astuple(note),
        *zip(*map(astuple, credit.lines), strict=True),
        *zip(*map(astuple, credit.taxes), strict=True),
    )


_LINES = f"""
select credit_note_id, {", ".join(_LINE_FIELDS)} from credit_note_line where credit_note_id = any($1::uuid[])
order by credit_note_id, position
"""
_TAXES = f"""
select credit_note_id, {", ".join(_TAX_FIELDS)} from credit_note_tax where credit_note_id = any($1::uuid[])
order by credit_note_id, category, rate_bp
"""


async def credits_of(tx: Tx, note_ids: Sequence[UUID]) -> dict[UUID, Credit]:
    lines = [(row[0], NoteLine(*tuple(row.values())[1:])) for row in await tx.fetch(_LINES, note_ids)]
    taxes = [(row[0], NoteTax(*tuple(row.values())[1:])) for row in await tx.fetch(_TAXES, note_ids)]
    return dict(by_note(lines, taxes))


_OF_INVOICE = "select id from credit_note where invoice_id = $1 and voided_on is null order by id"


async def notes_of(tx: Tx, invoice_id: UUID) -> list[UUID]:
    """Those that stand."""
    return [row[0] for row in await tx.fetch(_OF_INVOICE, invoice_id)]


_VOID = "update credit_note set voided_on = $2, void_reason = $3 where id = $1"


async def void(tx: Tx, note_id: UUID, on: date, reason: str) -> None:
    await tx.execute(_VOID, note_id, on, reason)


_NOTE = ", ".join(f"n.{name}" for name in _FIELDS)
_FIND = f"""
select {_NOTE}, i.number, i.issue_date from credit_note n join invoice i on i.id = n.invoice_id where n.id = $1
"""


async def find(tx: Tx, note_id: UUID) -> tuple[CreditNote, str, date] | None:
    row = await tx.fetchrow(_FIND, note_id)
    if row is None:
        return None
    values = tuple(row.values())
    return CreditNote(*values[:-2]), values[-2], values[-1]


_PAGE = f"""
select {_NOTE} from credit_note n
where ($1::uuid is null or n.id > $1)
  and ($2::uuid is null or n.invoice_id = $2)
  and ($3::uuid is null or n.customer_id = $3)
  and ($4::text is null or n.number = $4)
order by n.id limit $5
"""


async def page(
    tx: Tx, after: UUID | None, invoice_id: UUID | None, customer_id: UUID | None, number: str | None, limit: int
) -> list[CreditNote]:
    rows = await tx.fetch(_PAGE, after, invoice_id, customer_id, number, limit)
    return [CreditNote(*row.values()) for row in rows]
