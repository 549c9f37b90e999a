"""Table: pause."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.reminder.pauses.rules import AlreadyPaused, Pause, Status
from shared.db import Tx

NEXT_LOOK = "(select min(look_at) from pause where look_at is not null)"

_FIELDS = tuple(field.name for field in fields(Pause))
_COLUMNS = ", ".join(_FIELDS)


def _pauses(rows: Iterable[Any]) -> list[Pause]:
    return [Pause(**{**row, "items": tuple(row["items"])}) for row in rows]


async def insert(tx: Tx, pause: Pause) -> None:
    """Raises AlreadyPaused."""
    try:
        await tx.execute(_INSERT, *astuple(pause))
    except asyncpg.UniqueViolationError as error:
        if getattr(error, "constraint_name", None) == "pause_one_running":
            raise AlreadyPaused("end the running pause first, or let it run out") from None
        raise


_INSERT = f"insert into pause ({_COLUMNS}) values ({', '.join(f'${n + 1}' for n in range(len(_FIELDS)))})"


async def save(tx: Tx, pause: Pause) -> None:
    p = pause
    await tx.execute(_SAVE, p.id, p.version, p.status, p.ended_on, p.ended_by, p.ended_why, p.look_at)


_SAVE = """
update pause set version = $2, status = $3, ended_on = $4, ended_by = $5, ended_why = $6, look_at = $7 where id = $1
"""


async def find(tx: Tx, pause_id: UUID) -> Pause | None:
    found = _pauses(await tx.fetch(f"select {_COLUMNS} from pause where id = $1", pause_id))
    return found[0] if found else None


async def due(tx: Tx, now: datetime, limit: int) -> list[Pause]:
    """Those whose last day has passed."""
    return _pauses(
        await tx.fetch(f"select {_COLUMNS} from pause where look_at <= $1 order by look_at, id limit $2", now, limit)
    )


async def page(
    tx: Tx, customer_id: UUID | None, entity_id: str | None, status: Status | None, before: UUID | None, limit: int
) -> list[Pause]:
    """Newest first."""
    return _pauses(await tx.fetch(_PAGE, customer_id, entity_id, status, before, limit))


_PAGE = f"""
select {_COLUMNS} from pause
where ($1::uuid is null or customer_id = $1) and ($2::text is null or entity_id = $2)
  and ($3::text is null or status = $3) and ($4::uuid is null or id < $4)
order by id desc limit $5
"""
