"""How a customer behaves as we see it ourselves: what it paid late, disputed, and promised in vain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from shared.calendar import add_months
from shared.events.event import Event
from shared.events.invoice import (
    InvoiceBalanceChanged,
    InvoiceDisputed,
    InvoiceEvent,
    InvoiceSettled,
    InvoiceWrittenOff,
)
from shared.events.reminder import CaseEscalated, PromiseBroken

MONTHS = 12
WRITE_OFF_MONTHS = 36


class Cause(StrEnum):
    """Why a customer is assessed again."""

    LATE_PAYMENT = "late_payment"
    REMINDED = "reminded"
    WRITTEN_OFF = "written_off"
    DISPUTED = "disputed"
    PROMISE_BROKEN = "promise_broken"
    DRIFT = "drift"
    NEW_INPUT = "new_input"
    INPUT_EXPIRED = "input_expired"
    VALIDITY_OVER = "validity_over"
    ASKED = "asked"


@dataclass(frozen=True, slots=True)
class Record:
    """How one invoice went. `ended_on` is when it was paid or written off, None while it is open again."""

    invoice_id: UUID
    customer_id: UUID
    version: int
    due_date: date
    ended_on: date | None
    written_off: bool
    disputed_on: date | None


@dataclass(frozen=True, slots=True)
class History:
    """Paid invoices, disputes and broken promises of twelve months, write-offs of three years, and how long the oldest
    open invoice is past due (0 or less: not yet; None: nothing is open)."""

    paid: int = 0
    days_late: int = 0
    paid_late: int = 0
    disputes: int = 0
    broken_promises: int = 0
    write_offs: int = 0
    oldest_overdue_days: int | None = None

    @property
    def average_days_late(self) -> Decimal | None:
        """Days after due, an early payment counting below zero; None before the first payment."""
        return Decimal(self.days_late) / self.paid if self.paid else None

    @property
    def late_share(self) -> Decimal | None:
        return Decimal(self.paid_late) / self.paid if self.paid else None


def windows(today: date) -> tuple[date, date]:
    """The first days of which payments, and of which write-offs, still count."""
    return add_months(today, -MONTHS), add_months(today, -WRITE_OFF_MONTHS)


def records(events: Iterable[InvoiceEvent]) -> list[Record]:
    """What is worth keeping of them, one record an invoice: the simple life of an invoice that is not yet due or not
    yet paid leaves none."""
    kept: dict[UUID, Record] = {}
    for event in events:
        if not _tells(event):
            continue
        invoice = event.invoice
        disputed_on = event.effective_on if isinstance(event, InvoiceDisputed) else None
        record = Record(
            invoice_id=invoice.id,
            customer_id=event.customer_id,
            version=invoice.version,
            due_date=invoice.due_date,
            ended_on=invoice.settled_on or (event.effective_on if invoice.status == "written_off" else None),
            written_off=invoice.status == "written_off",
            disputed_on=disputed_on,
        )
        known = kept.get(invoice.id)
        newest = record if known is None or record.version > known.version else known
        disputed = disputed_on or (known.disputed_on if known else None)
        kept[invoice.id] = replace(newest, disputed_on=disputed)
    return list(kept.values())


def _tells(event: InvoiceEvent) -> bool:
    if isinstance(event, InvoiceSettled | InvoiceDisputed | InvoiceWrittenOff):
        return True
    return isinstance(event, InvoiceBalanceChanged) and event.change.minor > 0  # Paid no longer.


def cause(event: Event) -> Cause | None:
    """Whether, and why, an event makes a customer worth another look."""
    match event:
        case InvoiceSettled(days_late=days) if days > 0:
            return Cause.LATE_PAYMENT
        case InvoiceDisputed():
            return Cause.DISPUTED
        case InvoiceWrittenOff():
            return Cause.WRITTEN_OFF
        case PromiseBroken():
            return Cause.PROMISE_BROKEN
        case CaseEscalated():  # Who pays nothing at all never pays late.
            return Cause.REMINDED
        case _:
            return None
