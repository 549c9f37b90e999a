"""Do the books agree? The subledger (invoices and payments), the journal, and what reporting shows of them.

Invoices against the journal, one by one: the balance of an invoice is what its entries leave on `trade_receivables`,
the unapplied cash of a payment what its entries leave on `unapplied_cash`. Then reporting, by currency: what it shows
for the end of a day is the sum of the journal's receivables with effect up to that day; where a currency differs, the
customers are named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from shared.errors import NotFound

Scope = Literal["moved", "all"]
"""What was compared: what had entries since the run before the last one, or everything."""
What = Literal["invoice", "payment", "reporting"]
ReportingStatus = Literal["agrees", "differs", "unreachable"]


class ReconciliationNotFound(NotFound):
    slug = "reconciliation-not-found"
    title = "There is no such reconciliation"


@dataclass(frozen=True, slots=True)
class Difference:
    """Two figures that should be one. `booked_minor` is the journal's, `shown_minor` the other; `entries` are the
    journal entries the figure is made of, newest first and at most a hundred."""

    what: What
    customer_id: UUID | None
    subject_id: UUID | None
    name: str
    currency: str
    booked_minor: int
    shown_minor: int
    entries: tuple[int, ...] = ()

    @property
    def difference_minor(self) -> int:
        return self.shown_minor - self.booked_minor


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One run over the books as they stood at its moment; `as_of` is the day reporting was asked about."""

    id: UUID
    on_day: date
    as_of: date
    at: datetime
    scope: Scope
    invoices_compared: int
    payments_compared: int
    up_to_entry: int
    reporting: ReportingStatus
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """A run without its differences."""

    id: UUID
    on_day: date
    as_of: date
    at: datetime
    scope: Scope
    invoices_compared: int
    payments_compared: int
    up_to_entry: int
    reporting: ReportingStatus
    differences_count: int


def scope_on(day: date) -> Scope:
    """Every day what moved, on the first of a month everything: the whole of the books once a month, whatever their
    size, and each movement within a day."""
    return "all" if day.day == 1 else "moved"


def against_reporting(booked: Mapping[str, int], shown: Mapping[str, int]) -> list[str]:
    """Currencies in which the journal's receivables are not what reporting shows."""
    return sorted(c for c in booked.keys() | shown.keys() if booked.get(c, 0) != shown.get(c, 0))


def customers_apart(
    booked: Mapping[tuple[UUID, str], int], shown: Mapping[tuple[UUID, str], int], names: Mapping[UUID, str]
) -> tuple[Difference, ...]:
    """The customers behind a currency that differs."""
    return tuple(
        Difference("reporting", who, None, names.get(who, str(who)), currency, booked.get(key, 0), shown.get(key, 0))
        for key in sorted(booked.keys() | shown.keys())
        if booked.get(key, 0) != shown.get(key, 0)
        for who, currency in [key]
    )
