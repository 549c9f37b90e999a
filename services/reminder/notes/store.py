"""Table: note."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import Any
from uuid import UUID

from services.reminder.notes.rules import Note
from shared.db import Tx

_FIELDS = tuple(field.name for field in fields(Note))
_COLUMNS = ", ".join(_FIELDS)
_values = attrgetter(*_FIELDS)


async def add(tx: Tx, note: Note) -> None:
    await tx.execute(_ADD, *_values(note))


_ADD = f"insert into note ({_COLUMNS}) values ({', '.join(f'${n + 1}' for n in range(len(_FIELDS)))})"


async def page(tx: Tx, customer_id: UUID, entity_id: str, before: UUID | None, limit: int) -> list[Note]:
    """Newest first."""
    return [_note(row) for row in await tx.fetch(_PAGE, customer_id, entity_id, before, limit)]


_PAGE = f"""
select {_COLUMNS} from note
where customer_id = $1 and entity_id = $2 and ($3::uuid is null or id < $3)
order by id desc limit $4
"""


def _note(row: Any) -> Note:
    return Note(**{**row, "mentions": tuple(row["mentions"])})
