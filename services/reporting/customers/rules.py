"""Which of several versions of an aggregate is the one to keep."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar
from uuid import UUID

from shared.events.reminder import TaskEvent


class Versioned(Protocol):
    @property
    def id(self) -> UUID: ...
    @property
    def version(self) -> int: ...


V = TypeVar("V", bound=Versioned)


def newest(states: Iterable[V]) -> list[V]:
    """One state an aggregate, its newest, sorted by id: writers that take rows in one order do not deadlock."""
    kept: dict[UUID, V] = {}
    for state in states:
        known = kept.get(state.id)
        if known is None or known.version < state.version:
            kept[state.id] = state
    return sorted(kept.values(), key=lambda state: state.id)


def newest_tasks(events: Iterable[TaskEvent]) -> list[TaskEvent]:
    """The last word about each customer's tasks, sorted by customer: whoever has that task looks after the customer."""
    kept: dict[UUID, TaskEvent] = {}
    for event in events:
        known = kept.get(event.customer_id)
        if known is None or _when(known) < _when(event):
            kept[event.customer_id] = event
    return sorted(kept.values(), key=lambda event: event.customer_id)


def _when(event: TaskEvent) -> tuple[object, UUID, int]:
    return (event.booked_on, event.task.id, event.task.version)
