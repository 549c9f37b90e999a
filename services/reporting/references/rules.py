"""What figures are held against, and users may replace: benchmarks of their industry, what a contact costs them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Name = Literal["benchmarks", "contact_costs"]


@dataclass(frozen=True, slots=True)
class Reference:
    """A list of entries and its version, 0 while there is none."""

    version: int
    entries: tuple[Mapping[str, Any], ...] = ()
    put_by: str | None = None
    put_at: datetime | None = None


def benchmarks_of(entries: Iterable[Mapping[str, Any]], segment: str | None) -> list[Mapping[str, Any]]:
    """What a segment's figures are held against: its own benchmarks, then those that name no segment; without a segment
    the latter alone."""
    known = list(entries)
    own = [entry for entry in known if segment is not None and entry.get("segment") == segment]
    return own + [entry for entry in known if entry.get("segment") is None]
