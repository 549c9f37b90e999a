"""Table: document_preference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter
from uuid import UUID

from services.invoice.preferences.rules import Preference
from shared.db import Tx

NEXT_STATEMENT = "(select min(next_at) from document_preference where next_at is not null)"

_FIELDS = tuple(field.name for field in fields(Preference))
_COLUMNS = ", ".join(_FIELDS)
_values = attrgetter(*_FIELDS)

_FIND = f"select {_COLUMNS} from document_preference where customer_id = $1 and entity_id = $2"


async def find(tx: Tx, customer_id: UUID, entity_id: str) -> Preference | None:
    row = await tx.fetchrow(_FIND, customer_id, entity_id)
    return Preference(*row.values()) if row else None


_SAVE = f"""
insert into document_preference ({_COLUMNS}) values ({", ".join(f"${n + 1}" for n in range(len(_FIELDS)))})
on conflict (customer_id, entity_id) do update
set {", ".join(f"{name} = excluded.{name}" for name in _FIELDS[2:])}
"""


async def save(tx: Tx, preference: Preference) -> None:
    await tx.execute(_SAVE, *_values(preference))


_OF_ENTITY = f"select {_COLUMNS} from document_preference where entity_id = $1 and customer_id = any($2::uuid[])"


async def of_customers(tx: Tx, entity_id: str, customer_ids: Sequence[UUID]) -> list[Preference]:
    return [Preference(*row.values()) for row in await tx.fetch(_OF_ENTITY, entity_id, customer_ids)]


_DUE = f"select {_COLUMNS} from document_preference where next_at <= $1 order by next_at, customer_id limit $2"


async def due(tx: Tx, limit: int) -> list[Preference]:
    return [Preference(*row.values()) for row in await tx.fetch(_DUE, tx.now, limit)]
