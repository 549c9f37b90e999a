"""Receivables as movements, and as buckets at the end of a day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

from pydantic import AfterValidator

from shared.events.event import Event
from shared.events.invoice import InvoiceEvent, InvoiceIssued
from shared.money import Money, exponent

GroupBy = Literal["customer", "segment"]

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2999, 12, 31)
"""What a report may be asked for: beyond them date arithmetic would overflow, and nobody has books."""


def known_currency(code: str) -> str:
    """Raises ValueError for a code that ISO 4217 does not have."""
    exponent(code)
    return code


def reportable(day: date) -> date:
    """Raises ValueError for a day beyond the ones that reports are for."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"reports are for days from {FIRST_DAY} to {LAST_DAY}")
    return day


ReportDay = Annotated[date, AfterValidator(reportable)]
ReportCurrency = Annotated[str, AfterValidator(known_currency)]

ALL_KNOWN = date.max
"""`known_at` for the figures as they are known now."""


class Movement(NamedTuple):
    """One change of an invoice's balance, in minor units; `sale_minor` is what of it is a credit sale."""

    invoice_id: UUID
    version: int
    customer_id: UUID
    currency: str
    due_on: date
    effective_on: date
    booked_on: date
    change_minor: int
    sale_minor: int


@dataclass(frozen=True, slots=True)
class Buckets:
    """Open items of one currency (and one group) by days overdue, minor units; overdue is all but `current`."""

    currency: str
    group: str | None
    label: str | None
    current: int
    d1_30: int
    d31_60: int
    d61_90: int
    d91_plus: int
    open_invoices: int

    @property
    def overdue(self) -> int:
        return self.d1_30 + self.d31_60 + self.d61_90 + self.d91_plus

    @property
    def total(self) -> int:
        return self.current + self.overdue

    @property
    def split(self) -> tuple[int, int, int, int, int]:
        return (self.current, self.d1_30, self.d31_60, self.d61_90, self.d91_plus)


def movement(event: Event | None) -> Movement | None:
    """What the event does to a balance; None when it leaves it alone.

    Every event on `ar.invoice` that moves a balance says by how much in `change`; the sum of an invoice's changes that
    are effective by the end of a day is its balance then.
    """
    if not isinstance(event, InvoiceEvent):
        return None
    change: Money | None = getattr(event, "change", None)
    if change is None:
        return None
    invoice = event.invoice
    return Movement(
        invoice.id,
        invoice.version,
        event.customer_id,
        change.currency,
        invoice.due_date,
        event.effective_on,
        event.booked_on,
        change.minor,
        change.minor if isinstance(event, InvoiceIssued) else 0,
    )


def newest_invoices(events: Iterable[Event | None]) -> list[InvoiceEvent]:
    """The event with each invoice's highest version, sorted by invoice."""
    newest: dict[UUID, InvoiceEvent] = {}
    for event in events:
        if isinstance(event, InvoiceEvent):
            known = newest.get(event.invoice.id)
            if known is None or known.invoice.version < event.invoice.version:
                newest[event.invoice.id] = event
    return [newest[invoice_id] for invoice_id in sorted(newest)]


def nothing_open(currency: str) -> Buckets:
    return Buckets(currency, None, None, 0, 0, 0, 0, 0, 0)
