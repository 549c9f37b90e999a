"""A dispute in the queue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True)
class DisputeRow:
    id: UUID
    status: str
    reason: str
    code: str
    amount_minor: int
    held_minor: int
    currency: str
    opened_on: date
    answer_by: date | None
    escalated_on: date | None
    owner: str | None
    opened_by: str
    resolved_on: date | None
    invoice_id: UUID
    invoice_number: str
    customer_name: str
    today: date

    @property
    def is_late(self) -> bool:
        return self.status == "open" and self.answer_by is not None and self.answer_by < self.today
