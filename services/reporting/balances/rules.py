"""Invoices' events as movements: what each did to a balance, and to what of it is disputed or on a plan."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Literal, NamedTuple
from uuid import UUID

from shared.events.event import Event
from shared.events.invoice import (
    InvoiceBalanceChanged,
    InvoiceCharged,
    InvoiceCredited,
    InvoiceDisputed,
    InvoiceDisputeResolved,
    InvoiceEvent,
    InvoiceIssued,
    InvoicePlanAgreed,
    InvoicePlanBroken,
    InvoicePlanEnded,
    InvoiceSettled,
    InvoiceVoided,
    InvoiceWrittenOff,
)
from shared.money import Money

Cause = Literal[
    "sale", "cash", "discount", "difference", "credit", "charge", "write_off", "void", "restored", "hold", "other"
]
"""Why a balance moved; `hold` only moves what is disputed or on a plan."""

_CAUSES: dict[type[Event], Cause] = {
    InvoiceIssued: "sale",
    InvoiceCredited: "credit",
    InvoiceCharged: "charge",
    InvoiceWrittenOff: "write_off",
    InvoiceVoided: "void",
    InvoiceDisputed: "hold",
    InvoiceDisputeResolved: "hold",
    InvoicePlanAgreed: "hold",
    InvoicePlanBroken: "hold",
    InvoicePlanEnded: "hold",
}

_CAUSES_BY_REASON: dict[str, Cause] = {
    "allocation": "cash",
    "unallocation": "cash",
    "credit_note": "credit",
    "discount": "discount",
    "small_difference": "difference",
    "restored": "restored",
}


class Movement(NamedTuple):
    """One version of an invoice that changed its balance, or what of it is held back; minor units.

    `change_minor` is what it added to the balance, `disputed_minor` and `on_plan_minor` what is held back after it:
    events say the former as a change and the latter as a state.
    """

    invoice_id: UUID
    version: int
    customer_id: UUID
    entity_id: str
    currency: str
    kind: Cause
    due_on: date
    issued_on: date
    effective_on: date
    booked_on: date
    change_minor: int
    disputed_minor: int
    on_plan_minor: int


def movement(event: Event | None) -> Movement | None:
    """What the event does to an invoice's books; None when it leaves them alone.

    Every event on `ar.invoice` that moves a balance says by how much in `change`; the sum of an invoice's changes that
    are effective by the end of a day is its balance then.
    """
    if not isinstance(event, InvoiceEvent):
        return None
    change: Money | None = getattr(event, "change", None)
    kind = _cause(event)
    if change is None and kind != "hold":
        return None
    invoice = event.invoice
    return Movement(
        invoice.id,
        invoice.version,
        event.customer_id,
        invoice.entity_id,
        invoice.total.currency,
        kind,
        invoice.due_date,
        invoice.issue_date,
        event.effective_on,
        event.booked_on,
        change.minor if change else 0,
        invoice.disputed.minor,
        invoice.on_plan.minor if invoice.on_plan else 0,
    )


def _cause(event: InvoiceEvent) -> Cause:
    if isinstance(event, InvoiceBalanceChanged | InvoiceSettled):
        return _CAUSES_BY_REASON.get(event.reason, "other")
    return _CAUSES.get(type(event), "other")


def newest_invoices(events: Iterable[Event | None]) -> list[InvoiceEvent]:
    """The event with each invoice's highest version, sorted by invoice."""
    newest: dict[UUID, InvoiceEvent] = {}
    for event in events:
        if isinstance(event, InvoiceEvent):
            known = newest.get(event.invoice.id)
            if known is None or known.invoice.version < event.invoice.version:
                newest[event.invoice.id] = event
    return [newest[invoice_id] for invoice_id in sorted(newest)]
