"""A debtor as a report shows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Literal
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


def ranked(rows: Iterable[Any], sort_by: SortBy) -> list[Any]:
    """Largest first; who owes alike is told apart by the other amount, then by id."""
    first, second = ("total_minor", "overdue_minor") if sort_by == "total" else ("overdue_minor", "total_minor")
    return sorted(rows, key=lambda row: (-row[first], -row[second], row["customer_id"]))


def is_settled(first: Sequence[Any], limit: int, sort_by: SortBy, next_peak_minor: int) -> bool:
    """Whether nobody whose debt was at most that peak can be among the first any more."""
    amount = "total_minor" if sort_by == "total" else "overdue_minor"
    return len(first) == limit and first[-1][amount] > next_peak_minor
