"""Tables: entity, number_series."""

from __future__ import annotations

from typing import Any

from services.invoice.entities.rules import Entity, Policies, Seller
from shared.db import Tx

_COLUMNS = "id, version, name, time_zone, currency, credit_policy, locked_until, seller::text, policies::text"

_ALL = f"select {_COLUMNS} from entity where $1::text is null or id > $1 order by id limit $2"


async def page(tx: Tx, after: str | None, limit: int) -> list[Entity]:
    return [Entity.of(tuple(row.values())) for row in await tx.fetch(_ALL, after, limit)]


_FIND = f"select {_COLUMNS} from entity where id = $1"


async def find(tx: Tx, entity_id: str) -> Entity | None:
    row = await tx.fetchrow(_FIND, entity_id)
    return Entity.of(tuple(row.values())) if row else None


_LOCK = f"{_FIND} for no key update"


async def lock(tx: Tx, entity_id: str) -> Entity | None:
    row = await tx.fetchrow(_LOCK, entity_id)
    return Entity.of(tuple(row.values())) if row else None


_SAVE = "update entity set version = $2, name = $3, credit_policy = $4, seller = $5, policies = $6 where id = $1"


async def save(tx: Tx, entity: Entity) -> None:
    await tx.execute(
        _SAVE,
        entity.id,
        entity.version,
        entity.name,
        entity.credit_policy,
        _json(entity.seller),
        _json(entity.policies),
    )


_SET_LOCK = "update entity set version = $2, locked_until = $3 where id = $1"


async def set_lock(tx: Tx, entity: Entity) -> None:
    await tx.execute(_SET_LOCK, entity.id, entity.version, entity.locked_until)


_INSERT = """
with added as (
    insert into entity (id, version, name, time_zone, currency, credit_policy, seller, policies)
    values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing
    returning id
), series as (
    insert into number_series (entity_id, kind, prefix)
    select added.id, s.kind, s.prefix from added, unnest($9::text[], $10::text[]) as s (kind, prefix)
)
select count(*) from added
"""


async def insert(tx: Tx, entity: Entity, prefixes: dict[str, str]) -> bool:
    """False when there is an entity with this id. Raises asyncpg.UniqueViolationError for a prefix that is taken."""
    return bool(
        await tx.fetchval(
            _INSERT,
            *(entity.id, entity.version, entity.name, entity.time_zone, entity.currency, entity.credit_policy),
            *(_json(entity.seller), _json(entity.policies), list(prefixes), list(prefixes.values())),
        )
    )


def _json(document: Seller | Policies) -> dict[str, Any]:
    """Only what was said: a default that changes later is the default of old rows too."""
    return document.model_dump(mode="json", exclude_defaults=True)


_TAKE_NUMBERS = """
update number_series set next_number = next_number + $3 where entity_id = $1 and kind = $2
returning prefix, next_number - $3
"""


async def take_numbers(tx: Tx, entity_id: str, kind: str, count: int) -> tuple[str, int]:
    row = await tx.fetchrow(_TAKE_NUMBERS, entity_id, kind, count)
    if row is None:
        raise LookupError(f"entity {entity_id} has no number series for {kind}")
    return row[0], row[1]


_PREFIX = "select prefix from number_series where entity_id = $1 and kind = 'invoice'"


async def series_prefix(tx: Tx, entity_id: str) -> str:
    return await tx.fetchval(_PREFIX, entity_id)
