"""What a customer knows of its terms before it is written to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.credit.terms.rules import Terms


@dataclass(frozen=True, slots=True)
class NotedTerms:
    customer_id: UUID
    before: Terms
    noted_at: datetime
