"""How a customer hears from a selling entity: on paper or by mail, and how often with a statement of account."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from services.invoice.entities.rules import Entity
from shared.calendar import ONE_DAY, add_months
from shared.errors import NotFound

Rhythm = Literal["never", "weekly", "monthly"]


class CustomerNotFound(NotFound):
    slug = "customer-not-found"
    title = "There is no such customer"


@dataclass(frozen=True, slots=True)
class Preference:
    """`statements` is None where the entity's own setting holds. `period_first` is the first day of the period whose
    statement is next, which is made at `next_at`. Version 0 was never set."""

    customer_id: UUID
    entity_id: str
    version: int = 0
    statements: Rhythm | None = None
    paper: bool = False
    period_first: date | None = None
    next_at: datetime | None = None


def period_of(rhythm: Rhythm, day: date) -> tuple[date, date]:
    """The week (Monday to Sunday, ISO 8601) or the calendar month of a day: its first and its last."""
    if rhythm == "weekly":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    first = day.replace(day=1)
    return first, add_months(first, 1) - ONE_DAY


def preferred(before: Preference, statements: Rhythm | None, paper: bool, entity: Entity, today: date) -> Preference:
    """What the customer wants from now on. The period that runs is the first of a new rhythm; one that stays the same
    goes on as it was."""
    after = replace(before, version=before.version + 1, statements=statements, paper=paper)
    if statements == before.statements:
        return after
    return scheduled(after, entity, today)


def scheduled(preference: Preference, entity: Entity, day: date) -> Preference:
    """With the statement over the period of `day` as the next: it is made when the period is over."""
    if preference.statements in (None, "never"):
        return replace(preference, period_first=None, next_at=None)
    first, last = period_of(preference.statements, day)
    return replace(preference, period_first=first, next_at=entity.starts(last + ONE_DAY))
