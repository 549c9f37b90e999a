"""A debtor as a report shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal
from uuid import UUID

SortBy = Literal["total", "overdue"]


@dataclass(frozen=True, slots=True)
class Debtor:
    """A customer with something open in one currency, minor units; `split` is by ageing bucket, current first."""

    customer_id: UUID
    name: str
    external_id: str | None
    segment: str | None
    currency: str
    split: tuple[int, int, int, int, int]
    oldest_due_on: date
    days_overdue: int
    open_invoices: int
    share_percent: Decimal

    @property
    def total_minor(self) -> int:
        return sum(self.split)

    @property
    def overdue_minor(self) -> int:
        return sum(self.split[1:])


def share_percent(part_minor: int, whole_minor: int) -> Decimal:
    """A part of the whole in percent, two decimals, half-even; zero of nothing."""
    if whole_minor == 0:
        return Decimal("0.00")
    return (Decimal(part_minor * 100) / whole_minor).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
