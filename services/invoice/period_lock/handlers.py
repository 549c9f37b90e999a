"""The period lock: moved, and who moved it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.invoice.entities import handlers as entities
from services.invoice.entities.rules import Entity
from services.invoice.period_lock import rules, store
from services.invoice.period_lock.rules import PeriodLock
from shared.db import Tx
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class LockPeriod:
    entity_id: str
    expected_version: int
    locked_until: date | None
    locked_by: str
    force: bool = False
    reason: str | None = None


async def lock_period(tx: Tx, command: LockPeriod) -> Entity:
    """Close the books up to a day; from here on late entries count from the day after it.

    Raises EntityNotFound, PreconditionFailed, LockRefused.
    """
    entity = await entities.lock_entity(tx, command.entity_id, command.expected_version)
    locked = rules.lock(
        entity, command.locked_until, forced=command.force, reason=command.reason, today=entity.today(tx.now)
    )
    await entities.set_period_lock(tx, locked)
    moved = PeriodLock(
        new_id(), entity.id, locked.locked_until, entity.locked_until, command.reason, command.locked_by, tx.now
    )
    await store.insert(tx, moved)
    return locked


async def list_locks(tx: Tx, entity_id: str, before: UUID | None, limit: int) -> list[PeriodLock]:
    """The latest first. Raises EntityNotFound."""
    await entities.get_entity(tx, entity_id)
    return await store.page(tx, entity_id, before, limit)
