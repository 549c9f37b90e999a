"""Table: dispute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter
from uuid import UUID

from services.invoice.disputes.rules import Dispute
from shared.db import Tx

_FIELDS = tuple(field.name for field in fields(Dispute))
_COLUMNS = ", ".join(_FIELDS)
_values = attrgetter(*_FIELDS)

_INSERT = f"insert into dispute ({_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"


async def insert(tx: Tx, dispute: Dispute) -> None:
    await tx.execute(_INSERT, *_values(dispute))


_SAVE = """
update dispute d set status = g.status, held_minor = g.held_minor, resolved_on = g.resolved_on
from unnest($1::uuid[], $2::text[], $3::bigint[], $4::date[]) as g (id, status, held_minor, resolved_on)
where d.id = g.id
"""


async def save(tx: Tx, disputes: Sequence[Dispute]) -> None:
    await tx.execute(_SAVE, *zip(*((d.id, d.status, d.held_minor, d.resolved_on) for d in disputes), strict=True))


_FIND = f"select {_COLUMNS} from dispute where id = $1"


async def find(tx: Tx, dispute_id: UUID) -> Dispute | None:
    row = await tx.fetchrow(_FIND, dispute_id)
    return Dispute(*row.values()) if row else None


_OPEN = f"select {_COLUMNS} from dispute where invoice_id = any($1::uuid[]) and status = 'open'"


async def open_of(tx: Tx, invoice_ids: Sequence[UUID]) -> list[Dispute]:
    return [Dispute(*row.values()) for row in await tx.fetch(_OPEN, invoice_ids)]


_PAGE = f"""
select {_COLUMNS} from dispute where invoice_id = $1 and ($2::uuid is null or id > $2) order by id limit $3
"""


async def page(tx: Tx, invoice_id: UUID, after: UUID | None, limit: int) -> list[Dispute]:
    return [Dispute(*row.values()) for row in await tx.fetch(_PAGE, invoice_id, after, limit)]
