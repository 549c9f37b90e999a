"""In whose name a company is written to: one of the selling entities that the invoice service keeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

EntityId = Annotated[str, Field(min_length=1, max_length=64, pattern="^[A-Za-z0-9_-]+$")]

DEFAULT = "default"
"""The entity that is there from the start; it looks after everybody of whom nothing else is said."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """Version 0 is the default that nobody chose."""

    entity_id: str = DEFAULT
    version: int = 0
    changed_by: str | None = None
    changed_at: datetime | None = None
