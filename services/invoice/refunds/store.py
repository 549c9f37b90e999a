"""Table: refund."""

from __future__ import annotations

from dataclasses import astuple, fields
from uuid import UUID

from services.invoice.refunds.rules import Refund
from shared.db import Tx

_FIELDS = tuple(field.name for field in fields(Refund))
_COLUMNS = ", ".join(_FIELDS)

_INSERT = f"insert into refund ({_COLUMNS}) values ({', '.join(f'${n}' for n in range(1, len(_FIELDS) + 1))})"


async def insert(tx: Tx, refund: Refund) -> None:
    await tx.execute(_INSERT, *astuple(refund))


_REVERSE = "update refund set reversed_on = $2, reversal_reason = $3 where id = $1"


async def reverse(tx: Tx, refund: Refund) -> None:
    await tx.execute(_REVERSE, refund.id, refund.reversed_on, refund.reversal_reason)


_FIND = f"select {_COLUMNS} from refund where id = $1"


async def find(tx: Tx, refund_id: UUID) -> Refund | None:
    row = await tx.fetchrow(_FIND, refund_id)
    return Refund(*row.values()) if row else None


_PAGE = f"""
select {_COLUMNS} from refund
where ($1::uuid is null or id > $1)
  and ($2::uuid is null or payment_id = $2)
  and ($3::uuid is null or customer_id = $3)
order by id limit $4
"""


async def page(
    tx: Tx, after: UUID | None, payment_id: UUID | None, customer_id: UUID | None, limit: int
) -> list[Refund]:
    return [Refund(*row.values()) for row in await tx.fetch(_PAGE, after, payment_id, customer_id, limit)]
