"""Which open invoices the page lists, as its address says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from services.reporting.charts.rules import BUCKET_LABELS


class Age(NamedTuple):
    """Invoices overdue for `late_min` to `late_max` days; None is any."""

    key: str
    label: str
    late_min: int | None
    late_max: int | None


_BOUNDS = ((None, 0), (1, 30), (31, 60), (61, 90), (91, None))
EVERY_AGE = Age("", "All", None, None)
AGES = (EVERY_AGE, *(Age(*names, *bounds) for names, bounds in zip(BUCKET_LABELS, _BOUNDS, strict=True)))


@dataclass(frozen=True, slots=True)
class Tab:
    """An age to choose, and what is open of it."""

    age: Age
    minor: int
    invoices: int


def read_age(text: str | None) -> Age:
    return next((age for age in AGES if age.key == text), EVERY_AGE)


def read_place(text: str | None) -> tuple[date, UUID] | None:
    """Behind which invoice a page starts, `2013-06-30.0f0e...` (due day, id); None where it holds none."""
    day, _, invoice_id = (text or "").partition(".")
    try:
        return date.fromisoformat(day), UUID(invoice_id)
    except ValueError:
        return None


def tabs(split: Sequence[int], counts: Sequence[int]) -> list[Tab]:
    """All first, then bucket by bucket."""
    whole = ((sum(split), sum(counts)), *zip(split, counts, strict=True))
    return [Tab(age, minor, count) for age, (minor, count) in zip(AGES, whole, strict=True)]
