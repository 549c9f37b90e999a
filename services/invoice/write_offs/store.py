"""Table: write_off."""

from __future__ import annotations

from dataclasses import astuple, fields
from uuid import UUID

from services.invoice.write_offs.rules import WriteOff
from shared.db import Tx

_FIELDS = tuple(field.name for field in fields(WriteOff))
_COLUMNS = ", ".join(_FIELDS)

_INSERT = f"insert into write_off ({_COLUMNS}) values ({', '.join(f'${n}' for n in range(1, len(_FIELDS) + 1))})"


async def insert(tx: Tx, write_off: WriteOff) -> None:
    await tx.execute(_INSERT, *astuple(write_off))


_SAVE = "update write_off set status = $2, written_off_on = $3 where id = $1"


async def save(tx: Tx, write_off: WriteOff) -> None:
    await tx.execute(_SAVE, write_off.id, write_off.status, write_off.written_off_on)


_FIND = f"select {_COLUMNS} from write_off where id = $1"


async def find(tx: Tx, write_off_id: UUID) -> WriteOff | None:
    row = await tx.fetchrow(_FIND, write_off_id)
    return WriteOff(*row.values()) if row else None


_PAGE = f"""
select {_COLUMNS} from write_off
where ($1::uuid is null or id > $1)
  and ($2::uuid is null or invoice_id = $2)
  and ($3::uuid is null or customer_id = $3)
  and ($4::text is null or status = $4)
order by id limit $5
"""


async def page(
    tx: Tx, after: UUID | None, invoice_id: UUID | None, customer_id: UUID | None, status: str | None, limit: int
) -> list[WriteOff]:
    rows = await tx.fetch(_PAGE, after, invoice_id, customer_id, status, limit)
    return [WriteOff(*row.values()) for row in rows]
