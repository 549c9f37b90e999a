"""What a customer knows of its limit before it is written to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.money import Money


@dataclass(frozen=True, slots=True)
class Limits:
    """The limit in force, and its base without raises and securities."""

    limit: Money
    base: Money


@dataclass(frozen=True, slots=True)
class Change:
    customer_id: UUID
    before: Limits
    noted_at: datetime
