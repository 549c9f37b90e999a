"""Table: call."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from uuid import UUID

from services.reminder.calls.rules import Call
from shared.db import Tx

_FIELDS = tuple(field.name for field in fields(Call))
_COLUMNS = ", ".join(_FIELDS)
_values = attrgetter(*_FIELDS)


async def add(tx: Tx, call: Call) -> None:
    await tx.execute(_ADD, *_values(call))


_ADD = f"insert into call ({_COLUMNS}) values ({', '.join(f'${n + 1}' for n in range(len(_FIELDS)))})"


async def page(tx: Tx, customer_id: UUID, entity_id: str, before: UUID | None, limit: int) -> list[Call]:
    """Newest first."""
    return [Call(**row) for row in await tx.fetch(_PAGE, customer_id, entity_id, before, limit)]


_PAGE = f"""
select {_COLUMNS} from call
where customer_id = $1 and entity_id = $2 and ($3::uuid is null or id < $3)
order by id desc limit $4
"""
