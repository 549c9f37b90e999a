"""Tables: entity, number_series."""

from __future__ import annotations

from services.invoice.entities.rules import Entity
from shared.db import Tx

_COLUMNS = "id, version, name, time_zone, currency, credit_policy"

_ALL = f"select {_COLUMNS} from entity where $1::text is null or id > $1 order by id limit $2"


async def page(tx: Tx, after: str | None, limit: int) -> list[Entity]:
    return [Entity(*row.values()) for row in await tx.fetch(_ALL, after, limit)]


_FIND = f"select {_COLUMNS} from entity where id = $1"


async def find(tx: Tx, entity_id: str) -> Entity | None:
    row = await tx.fetchrow(_FIND, entity_id)
    return Entity(*row.values()) if row else None


_LOCK = f"{_FIND} for no key update"


async def lock(tx: Tx, entity_id: str) -> Entity | None:
    row = await tx.fetchrow(_LOCK, entity_id)
    return Entity(*row.values()) if row else None


_SAVE = "update entity set version = $2, name = $3, credit_policy = $4 where id = $1"


async def save(tx: Tx, entity: Entity) -> None:
    await tx.execute(_SAVE, entity.id, entity.version, entity.name, entity.credit_policy)


_TAKE_NUMBERS = """
update number_series set next_number = next_number + $2 where entity_id = $1
returning prefix, next_number - $2
"""


async def take_numbers(tx: Tx, entity_id: str, count: int) -> tuple[str, int]:
    row = await tx.fetchrow(_TAKE_NUMBERS, entity_id, count)
    if row is None:
        raise LookupError(f"entity {entity_id} has no number series")
    return row[0], row[1]


_PREFIX = "select prefix from number_series where entity_id = $1"


async def series_prefix(tx: Tx, entity_id: str) -> str:
    return await tx.fetchval(_PREFIX, entity_id)
