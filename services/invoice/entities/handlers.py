"""Selling entities: read, changed, and their gapless numbers given out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import asyncpg

from services.invoice.entities import store
from services.invoice.entities.rules import CreditPolicy, Entity, Policies, Seller, SeriesKind, series_number
from shared.db import Tx
from shared.errors import Conflict, NotFound, PreconditionFailed


class EntityNotFound(NotFound):
    slug = "entity-not-found"
    title = "There is no such selling entity"


class EntityExists(Conflict):
    slug = "entity-exists"
    title = "There is a selling entity with this id"


class PrefixTaken(Conflict):
    slug = "series-prefix-taken"
    title = "Another series begins its numbers like this"


@dataclass(frozen=True, slots=True)
class ChangeEntity:
    entity_id: str
    expected_version: int
    name: str | None = None
    credit_policy: CreditPolicy | None = None
    seller: Seller | None = None
    policies: Policies | None = None


async def open_entity(tx: Tx, entity: Entity, prefixes: dict[SeriesKind, str]) -> Entity:
    """A further selling entity, with its own gapless series. Raises EntityExists, PrefixTaken."""
    try:
        if not await store.insert(tx, entity, {str(kind): prefix for kind, prefix in prefixes.items()}):
            raise EntityExists(f"there is a selling entity {entity.id!r} already", field="/id")
    except asyncpg.UniqueViolationError as error:
        if getattr(error, "constraint_name", None) == "number_series_prefix_unique":
            raise PrefixTaken("another series begins its numbers like this", field="/series") from None
        raise
    return entity


async def list_entities(tx: Tx, after: str | None, limit: int) -> list[Entity]:
    return await store.page(tx, after, limit)


async def find_entity(tx: Tx, entity_id: str) -> Entity | None:
    return await store.find(tx, entity_id)


async def get_entity(tx: Tx, entity_id: str) -> Entity:
    entity = await store.find(tx, entity_id)
    if entity is None:
        raise EntityNotFound(f"there is no selling entity {entity_id!r}")
    return entity


async def lock_entity(tx: Tx, entity_id: str, expected_version: int) -> Entity:
    """The entity for changing it. Raises EntityNotFound, PreconditionFailed."""
    entity = await store.lock(tx, entity_id)
    if entity is None:
        raise EntityNotFound(f"there is no selling entity {entity_id!r}")
    if entity.version != expected_version:
        raise PreconditionFailed(f"the entity is at version {entity.version}, not {expected_version}")
    return entity


async def set_period_lock(tx: Tx, entity: Entity) -> None:
    """Write an entity that the period lock has moved under the lock of its row."""
    await store.set_lock(tx, entity)


async def change_entity(tx: Tx, command: ChangeEntity) -> Entity:
    """Change what is given; seller and policies are replaced whole. Raises EntityNotFound, PreconditionFailed."""
    entity = await lock_entity(tx, command.entity_id, command.expected_version)
    changed = replace(
        entity,
        version=entity.version + 1,
        name=command.name or entity.name,
        credit_policy=command.credit_policy or entity.credit_policy,
        seller=command.seller or entity.seller,
        policies=command.policies or entity.policies,
    )
    await store.save(tx, changed)
    return changed


async def take_numbers(tx: Tx, entity_id: str, count: int, kind: SeriesKind = "invoice") -> list[str]:
    """The entity's next numbers of a kind, without gaps: they are given back should the transaction fail.

    Other issuers of the entity wait from here to the end of the transaction, so this comes as late in it as it can.
    """
    prefix, first = await store.take_numbers(tx, entity_id, kind, count)
    return [series_number(prefix, n) for n in range(first, first + count)]


async def get_series_prefix(tx: Tx, entity_id: str) -> str:
    """What the numbers that the entity gives out begin with."""
    return await store.series_prefix(tx, entity_id)
