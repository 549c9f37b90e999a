"""Which of several versions of an aggregate is the one to keep."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar
from uuid import UUID


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
