"""Selling entities: read, changed, and their gapless numbers given out."""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.invoice.entities import store
from services.invoice.entities.rules import CreditPolicy, Entity, series_number
from shared.db import Tx
from shared.errors import NotFound, PreconditionFailed


class EntityNotFound(NotFound):
    slug = "entity-not-found"
    title = "There is no such selling entity"


@dataclass(frozen=True, slots=True)
class ChangeEntity:
    entity_id: str
    expected_version: int
    name: str | None = None
    credit_policy: CreditPolicy | None = None


async def list_entities(tx: Tx, after: str | None, limit: int) -> list[Entity]:
    return await store.page(tx, after, limit)


async def get_entity(tx: Tx, entity_id: str) -> Entity:
    entity = await store.find(tx, entity_id)
    if entity is None:
        raise EntityNotFound(f"there is no selling entity {entity_id!r}")
    return entity


async def change_entity(tx: Tx, command: ChangeEntity) -> Entity:
    """Change name or credit policy. Raises EntityNotFound, PreconditionFailed."""
    entity = await store.lock(tx, command.entity_id)
    if entity is None:
        raise EntityNotFound(f"there is no selling entity {command.entity_id!r}")
    if entity.version != command.expected_version:
        raise PreconditionFailed(f"the entity is at version {entity.version}, not {command.expected_version}")
    changed = replace(
        entity,
        version=entity.version + 1,
        name=command.name or entity.name,
        credit_policy=command.credit_policy or entity.credit_policy,
    )
    await store.save(tx, changed)
    return changed


async def take_numbers(tx: Tx, entity_id: str, count: int) -> list[str]:
    """The entity's next numbers, without gaps: they are given back should the transaction fail.

    Other issuers of the entity wait from here to the end of the transaction, so this comes as late in it as it can.
    """
    prefix, first = await store.take_numbers(tx, entity_id, count)
    return [series_number(prefix, n) for n in range(first, first + count)]


async def get_series_prefix(tx: Tx, entity_id: str) -> str:
    """What the numbers that the entity gives out begin with."""
    return await store.series_prefix(tx, entity_id)
