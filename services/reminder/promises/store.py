"""Table: promise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from services.reminder.promises.rules import Figures, Promise, Status
from shared.db import Tx

NEXT_LOOK = "(select min(look_at) from promise where look_at is not null)"

_FIELDS = tuple(field.name for field in fields(Promise))
_COLUMNS = ", ".join(_FIELDS)


def _promises(rows: Iterable[Any]) -> list[Promise]:
    return [Promise(**{**row, "items": tuple(row["items"])}) for row in rows]


async def insert(tx: Tx, promise: Promise) -> None:
    await tx.execute(_INSERT, *astuple(promise))


_INSERT = f"insert into promise ({_COLUMNS}) values ({', '.join(f'${n + 1}' for n in range(len(_FIELDS)))})"


async def save(tx: Tx, promise: Promise) -> None:
    p = promise
    await tx.execute(
        _SAVE, p.id, p.version, p.status, p.amount_minor, p.paid_minor, p.items, p.ended_on, p.because, p.look_at
    )


_SAVE = """
update promise
set version = $2, status = $3, amount_minor = $4, paid_minor = $5, items = $6, ended_on = $7, because = $8, look_at = $9
where id = $1
"""


async def find(tx: Tx, promise_id: UUID) -> Promise | None:
    found = _promises(await tx.fetch(f"select {_COLUMNS} from promise where id = $1", promise_id))
    return found[0] if found else None


async def open_of(tx: Tx, customer_ids: Sequence[UUID]) -> list[Promise]:
    """Those that run, the earliest made first."""
    return _promises(await tx.fetch(_OPEN_OF, customer_ids))


_OPEN_OF = f"select {_COLUMNS} from promise where customer_id = any($1::uuid[]) and status = 'open' order by id"


async def due(tx: Tx, now: datetime, limit: int) -> list[Promise]:
    """Those whose days of grace are over, the longest first."""
    return _promises(await tx.fetch(_DUE, now, limit))


_DUE = f"select {_COLUMNS} from promise where look_at <= $1 order by look_at, id limit $2"


async def page(
    tx: Tx, customer_id: UUID | None, entity_id: str | None, status: Status | None, before: UUID | None, limit: int
) -> list[Promise]:
    """Newest first."""
    return _promises(await tx.fetch(_PAGE, customer_id, entity_id, status, before, limit))


_PAGE = f"""
select {_COLUMNS} from promise
where ($1::uuid is null or customer_id = $1) and ($2::text is null or entity_id = $2)
  and ($3::text is null or status = $3) and ($4::uuid is null or id < $4)
order by id desc limit $5
"""


async def figures(tx: Tx, customer_id: UUID, entity_id: str) -> Figures:
    row = await tx.fetchrow(_FIGURES, customer_id, entity_id)
    assert row is not None
    return Figures(**row)


_FIGURES = """
select count(*) filter (where status = 'open') as open,
       count(*) filter (where status = 'kept') as kept,
       count(*) filter (where status = 'broken' and paid_minor > 0) as part_kept,
       count(*) filter (where status = 'broken' and paid_minor = 0) as broken,
       count(*) filter (where status in ('withdrawn', 'replaced', 'lapsed')) as ended_otherwise
from promise where customer_id = $1 and entity_id = $2
"""
