"""Table: approval."""

from __future__ import annotations

from dataclasses import astuple, fields
from uuid import UUID

from services.invoice.approvals.rules import Approval
from shared.db import Tx

_FIELDS = tuple(field.name for field in fields(Approval))
_COLUMNS = ", ".join(_FIELDS)

_INSERT = f"insert into approval ({_COLUMNS}) values ({', '.join(f'${n}' for n in range(1, len(_FIELDS) + 1))})"


async def insert(tx: Tx, approval: Approval) -> None:
    await tx.execute(_INSERT, *astuple(approval))


_SAVE = "update approval set status = $2, decided_by = $3, decided_at = $4, note = $5 where id = $1"


async def save(tx: Tx, approval: Approval) -> None:
    await tx.execute(_SAVE, approval.id, approval.status, approval.decided_by, approval.decided_at, approval.note)


_FIND = f"select {_COLUMNS} from approval where id = $1"
_LOCK = f"{_FIND} for no key update"


async def find(tx: Tx, approval_id: UUID) -> Approval | None:
    row = await tx.fetchrow(_FIND, approval_id)
    return Approval(*row.values()) if row else None


async def lock(tx: Tx, approval_id: UUID) -> Approval | None:
    row = await tx.fetchrow(_LOCK, approval_id)
    return Approval(*row.values()) if row else None


_PAGE = f"""
select {_COLUMNS} from approval
where ($1::uuid is null or id > $1) and ($2::text is null or status = $2)
order by id limit $3
"""


async def page(tx: Tx, after: UUID | None, status: str | None, limit: int) -> list[Approval]:
    return [Approval(*row.values()) for row in await tx.fetch(_PAGE, after, status, limit)]
