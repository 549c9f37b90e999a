"""What became of promises, disputes and payments, as rows from events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple
from uuid import UUID

from shared.events.event import Event
from shared.events.invoice import (
    InvoiceDisputed,
    InvoiceDisputeResolved,
    PaymentEvent,
    PaymentRefunded,
    PaymentReversed,
    PaymentUnapplied,
)
from shared.events.reminder import PromiseEvent

KEPT_BEFORE = 2
"""What everybody keeps counts as much as so many promises of a customer's own."""


class Promise(NamedTuple):
    id: UUID
    version: int
    customer_id: UUID
    entity_id: str
    currency: str
    amount_minor: int
    paid_minor: int
    status: str
    made_on: date
    promised_on: date
    ended_on: date | None
    invoices: tuple[str, ...]


class Dispute(NamedTuple):
    """What one event says of a dispute; None is what the other one says."""

    id: UUID
    customer_id: UUID
    invoice_id: UUID
    currency: str
    amount_minor: int
    opened_on: date | None
    resolved_on: date | None
    outcome: str | None
    reason: str | None


class Receipt(NamedTuple):
    """What events say of a payment: the first day it was known, the first day all of it was applied."""

    payment_id: UUID
    customer_id: UUID
    currency: str
    amount_minor: int
    received_on: date
    booked_on: date
    applied_on: date | None
    touched: bool
    entity_id: str


def promises(events: Iterable[Event | None]) -> list[Promise]:
    """The newest of each promise, sorted by id."""
    newest: dict[UUID, Promise] = {}
    for event in events:
        if not isinstance(event, PromiseEvent):
            continue
        p = event.promise
        known = newest.get(p.id)
        if known is None or known.version < p.version:
            newest[p.id] = Promise(
                p.id,
                p.version,
                event.customer_id,
                p.entity_id,
                p.amount.currency,
                p.amount.minor,
                p.paid.minor,
                p.status,
                p.made_on,
                p.promised_on,
                None if p.status == "open" else event.effective_on,
                p.items,
            )
    return [newest[key] for key in sorted(newest)]


def kept_share(kept: Mapping[UUID, int], broken: Mapping[UUID, int], customer_id: UUID) -> float:
    """How likely a promise of this customer is kept: its own record, drawn to everybody's while it is short.

    Without any record one half, as nothing speaks for either.
    """
    all_kept, all_broken = sum(kept.values()), sum(broken.values())
    everybody = (all_kept + 1) / (all_kept + all_broken + 2)
    own_kept, own_broken = kept.get(customer_id, 0), broken.get(customer_id, 0)
    return (own_kept + KEPT_BEFORE * everybody) / (own_kept + own_broken + KEPT_BEFORE)


def disputes(events: Iterable[Event | None]) -> list[Dispute]:
    """One row a dispute, of both of its events where both are there, sorted by id."""
    found: dict[UUID, Dispute] = {}
    for event in events:
        if not isinstance(event, InvoiceDisputed | InvoiceDisputeResolved):
            continue
        opened, resolved, outcome, reason = event.effective_on, None, None, None
        if isinstance(event, InvoiceDisputeResolved):
            opened, resolved, outcome = None, event.effective_on, event.outcome
        else:
            reason = event.code or event.reason
        known = found.get(event.dispute_id)
        found[event.dispute_id] = Dispute(
            event.dispute_id,
            event.customer_id,
            event.invoice.id,
            event.amount.currency,
            max(event.amount.minor, known.amount_minor if known else 0),
            opened or (known.opened_on if known else None),
            resolved or (known.resolved_on if known else None),
            outcome or (known.outcome if known else None),
            reason or (known.reason if known else None),
        )
    return [found[key] for key in sorted(found)]


def receipts(events: Iterable[Event | None]) -> list[Receipt]:
    """One row a payment, of all its events, sorted by id."""
    found: dict[UUID, Receipt] = {}
    for event in events:
        if not isinstance(event, PaymentEvent):
            continue
        p = event.payment
        row = Receipt(
            p.id,
            event.customer_id,
            p.amount.currency,
            p.amount.minor,
            p.received_on,
            event.booked_on,
            event.booked_on if p.status == "applied" and p.unapplied.minor == 0 else None,
            isinstance(event, PaymentUnapplied | PaymentReversed | PaymentRefunded),
            p.entity_id,
        )
        known = found.get(p.id)
        found[p.id] = row if known is None else _together(known, row)
    return [found[key] for key in sorted(found)]


def _together(one: Receipt, other: Receipt) -> Receipt:
    applied = [day for day in (one.applied_on, other.applied_on) if day]
    return one._replace(
        booked_on=min(one.booked_on, other.booked_on),
        applied_on=min(applied, default=None),
        touched=one.touched or other.touched,
    )
