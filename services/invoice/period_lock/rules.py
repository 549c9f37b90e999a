"""The period lock: up to which day an entity's books are closed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from services.invoice.entities.rules import Entity
from shared.errors import Refused


class LockRefused(Refused):
    slug = "period-lock"
    title = "The books cannot be closed like this"


@dataclass(frozen=True, slots=True)
class PeriodLock:
    """One move of an entity's lock; `before` is where it stood."""

    id: UUID
    entity_id: str
    locked_until: date | None
    before: date | None
    reason: str | None
    locked_by: str
    locked_at: datetime


def lock(entity: Entity, until: date | None, *, forced: bool, reason: str | None, today: date) -> Entity:
    """Close the books up to and with a day, which has passed; None opens them all.

    The lock moves forward. Backward, into what was reported already, it moves only when forced and with a reason.
    Raises LockRefused.
    """
    if until is not None and until >= today:
        raise LockRefused(f"{until} is not over; the books can be closed up to yesterday", field="/locked_until")
    before = entity.locked_until
    if before is not None and (until is None or until < before):
        if not forced:
            raise LockRefused(
                f"the books are closed until {before}; to open them again, say force and why", field="/locked_until"
            )
        if not reason:
            raise LockRefused("closed books are opened again only with a reason", field="/reason")
    return replace(entity, version=entity.version + 1, locked_until=until)
