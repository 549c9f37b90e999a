"""Payments: what is applied of them and what is left, and how they are taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal
from uuid import UUID

from services.invoice.cash_application.rules import Basis, Part, Plan
from shared.errors import Conflict, NotFound, Refused
from shared.events.invoice import (
    AllocationPart,
    PaymentApplied,
    PaymentReceived,
    PaymentReversed,
    PaymentState,
    PaymentUnapplied,
)
from shared.money import Money

Status = Literal["unapplied", "partly_applied", "applied", "refunded", "reversed"]

ReversalKind = Literal["bounced", "charged_back", "booked_by_mistake"]


class PaymentNotFound(NotFound):
    slug = "payment-not-found"
    title = "There is no such payment"


class AllocationNotFound(NotFound):
    slug = "allocation-not-found"
    title = "The payment does not pay this invoice"


class PaymentIsReversed(Conflict):
    slug = "payment-reversed"
    title = "The payment is reversed already"


class RefundStands(Conflict):
    slug = "payment-refunded"
    title = "Money of the payment went back to the customer already"


class DateRefused(Refused):
    slug = "payment-date"
    title = "The payment cannot have been received then"


@dataclass(frozen=True, slots=True)
class Payment:
    id: UUID
    version: int
    entity_id: str
    customer_id: UUID
    currency: str
    amount_minor: int
    applied_minor: int
    received_on: date
    method: str
    reference: str | None
    applied_by: Basis
    reversed_on: date | None = None
    reversal_reason: str | None = None
    refunded_minor: int = 0
    reversal_kind: ReversalKind | None = None

    @property
    def unapplied_minor(self) -> int:
        return 0 if self.reversed_on else self.amount_minor - self.applied_minor - self.refunded_minor

    @property
    def status(self) -> Status:
        if self.reversed_on:
            return "reversed"
        if self.applied_minor == 0:
            return "refunded" if self.refunded_minor == self.amount_minor else "unapplied"
        return "partly_applied" if self.unapplied_minor else "applied"

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)

    def state(self) -> PaymentState:
        return PaymentState(
            id=self.id,
            version=self.version,
            entity_id=self.entity_id,
            status=self.status,
            received_on=self.received_on,
            amount=self.money(self.amount_minor),
            applied=self.money(self.applied_minor),
            unapplied=self.money(self.unapplied_minor),
            method=self.method,
            reference=self.reference,
            refunded=self.money(self.refunded_minor) if self.refunded_minor else None,
        )


def received_on(stated: date | None, today: date) -> date:
    """Today unless stated; late bookings are fine, future ones are not. Raises DateRefused."""
    day = stated or today
    if day > today:
        raise DateRefused(f"received on {day}, which is after today, {today}", field="/received_on")
    return day


def receive(payment: Payment, *, effective_on: date, booked_on: date) -> PaymentReceived:
    """Announce money that came in; nothing of it is applied yet."""
    return PaymentReceived(
        customer_id=payment.customer_id,
        effective_on=effective_on,
        booked_on=booked_on,
        entity_id=payment.entity_id,
        payment=payment.state(),
    )


def apply(payment: Payment, plan: Plan, *, effective_on: date, booked_on: date) -> tuple[Payment, PaymentApplied]:
    """Bind a part of the unapplied cash to invoices."""
    assert 0 < plan.total_minor <= payment.unapplied_minor
    applied = replace(
        payment,
        version=payment.version + 1,
        applied_minor=payment.applied_minor + plan.total_minor,
        applied_by=plan.basis,
    )
    event = PaymentApplied(
        customer_id=applied.customer_id,
        effective_on=effective_on,
        booked_on=booked_on,
        entity_id=applied.entity_id,
        payment=applied.state(),
        allocations=_allocation_parts(plan.parts),
    )
    return applied, event


def unapply(
    payment: Payment, parts: Sequence[Part], on: date, reason: str | None = None
) -> tuple[Payment, PaymentUnapplied]:
    """Take back a part of what it was applied to: the money is unapplied cash again."""
    taken = sum(part.amount_minor for part in parts)
    assert 0 < taken <= payment.applied_minor
    payment = replace(payment, version=payment.version + 1, applied_minor=payment.applied_minor - taken)
    event = PaymentUnapplied(
        customer_id=payment.customer_id,
        effective_on=on,
        booked_on=on,
        entity_id=payment.entity_id,
        payment=payment.state(),
        allocations=_allocation_parts(parts),
        reason=reason,
    )
    return payment, event


def reverse(
    payment: Payment, parts: Sequence[Part], reason: str, on: date, kind: ReversalKind | None = None
) -> tuple[Payment, tuple[PaymentUnapplied | PaymentReversed, ...]]:
    """Take a payment back, with all it was applied to. Raises PaymentIsReversed, RefundStands."""
    if payment.reversed_on:
        raise PaymentIsReversed(f"the payment was reversed on {payment.reversed_on}")
    if payment.refunded_minor:
        raise RefundStands(
            f"{payment.money(payment.refunded_minor)} of the payment went back to the customer; what the customer owes "
            "for it now is a claim of its own, to be invoiced"
        )
    events: list[PaymentUnapplied | PaymentReversed] = []
    if parts:
        payment, unapplied = unapply(payment, parts, on)
        events.append(unapplied)
    payment = replace(payment, version=payment.version + 1, reversed_on=on, reversal_reason=reason, reversal_kind=kind)
    events.append(
        PaymentReversed(
            customer_id=payment.customer_id,
            effective_on=on,
            booked_on=on,
            entity_id=payment.entity_id,
            payment=payment.state(),
            reason=reason,
            kind=kind,
        )
    )
    return payment, tuple(events)


@dataclass(frozen=True, slots=True)
class Standing:
    """An allocation that stands, and the payment that it is of."""

    id: int
    payment_id: UUID
    amount_minor: int
    charges_minor: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What of a standing allocation is taken back. The money that paid charges is the last to go."""

    allocation: Standing
    amount_minor: int

    @property
    def charges_minor(self) -> int:
        principal = self.allocation.amount_minor - self.allocation.charges_minor
        return max(0, self.amount_minor - principal)


def take_back(standing: Sequence[Standing], amount_minor: int) -> list[Taken]:
    """What of an invoice's allocations is taken back so that `amount_minor` is unapplied again, the newest first."""
    taken: list[Taken] = []
    for allocation in sorted(standing, key=lambda each: each.id, reverse=True):
        part = min(allocation.amount_minor, amount_minor)
        if part:
            taken.append(Taken(allocation, part))
            amount_minor -= part
    assert amount_minor == 0, "more is taken back than was paid"
    return taken


def take_whole(standing: Sequence[Standing], payment: Payment, invoice_id: UUID) -> list[Taken]:
    """All that a payment's own allocations pay of an invoice. Raises AllocationNotFound."""
    if not standing:
        raise AllocationNotFound(f"payment {payment.id} pays nothing of invoice {invoice_id}", field="/invoice_id")
    return [Taken(each, each.amount_minor) for each in standing]


def still_standing(payment: Payment) -> Payment:
    """The payment itself when it can be allocated. Raises PaymentIsReversed."""
    if payment.reversed_on:
        raise PaymentIsReversed(f"the payment was reversed on {payment.reversed_on}; there is nothing to allocate")
    return payment


def _allocation_parts(parts: Sequence[Part]) -> tuple[AllocationPart, ...]:
    return tuple(
        AllocationPart(
            invoice_id=part.invoice.id,
            invoice_number=part.invoice.number,
            amount=part.invoice.money(part.amount_minor),
        )
        for part in parts
    )
