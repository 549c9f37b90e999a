"""Records are copied as `dataclasses.replace` copies them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import pytest

from shared.records import replace


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 0
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Computed:
    x: int
    y: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "y", self.x + 1)


def test_a_copy_has_the_changed_fields_and_the_record_stays_as_it_was() -> None:
    point = Point(1, 2, "here")
    assert replace(point, y=5, name=None) == dataclasses.replace(point, y=5, name=None) == Point(1, 5)
    assert replace(point) == point == Point(1, 2, "here")


def test_a_field_there_is_not_and_a_record_that_computes_something_are_refused() -> None:
    with pytest.raises(KeyError):
        replace(Point(1), z=2)
    with pytest.raises(TypeError):
        replace(Computed(1, 2), x=3)
