"""Table: period_lock."""

from __future__ import annotations

from dataclasses import astuple, fields
from uuid import UUID

from services.invoice.period_lock.rules import PeriodLock
from shared.db import Tx

_COLUMNS = ", ".join(field.name for field in fields(PeriodLock))

_INSERT = f"insert into period_lock ({_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7)"


async def insert(tx: Tx, lock: PeriodLock) -> None:
    await tx.execute(_INSERT, *astuple(lock))


_PAGE = f"""
select {_COLUMNS} from period_lock where entity_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3
"""


async def page(tx: Tx, entity_id: str, before: UUID | None, limit: int) -> list[PeriodLock]:
    return [PeriodLock(*row.values()) for row in await tx.fetch(_PAGE, entity_id, before, limit)]
