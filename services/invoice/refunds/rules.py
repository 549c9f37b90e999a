"""Refunds: unapplied cash of a payment that goes back to the customer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from services.invoice.journal.rules import Entry
from services.invoice.payments.rules import Payment, PaymentIsReversed
from shared.errors import Conflict, NotFound, Refused
from shared.events.invoice import PaymentRefunded, PaymentRefundReversed
from shared.money import Money


class RefundNotFound(NotFound):
    slug = "refund-not-found"
    title = "There is no such refund"


class RefundIsReversed(Conflict):
    slug = "refund-reversed"
    title = "The refund was taken back already"


class RefundRefused(Refused):
    slug = "refund-amount"
    title = "So much cannot be refunded"


@dataclass(frozen=True, slots=True)
class Refund:
    id: UUID
    entity_id: str
    customer_id: UUID
    payment_id: UUID
    currency: str
    amount_minor: int
    reason: str
    method: str
    refunded_on: date
    requested_by: str
    booked_at: datetime
    reversed_on: date | None = None
    reversal_reason: str | None = None

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


def refunded_amount(payment: Payment, asked: Money | None) -> int:
    """What goes back, in minor units: the amount asked, or all that is unapplied.

    Raises PaymentIsReversed, RefundRefused.
    """
    if payment.reversed_on:
        raise PaymentIsReversed(f"the payment was reversed on {payment.reversed_on}; there is nothing to refund")
    unapplied = payment.unapplied_minor
    if not unapplied:
        raise RefundRefused("nothing of the payment is unapplied")
    if asked is None:
        return unapplied
    if asked.currency != payment.currency:
        raise RefundRefused(f"the payment is in {payment.currency}, not {asked.currency}", field="/amount/currency")
    if not 0 < asked.minor <= unapplied:
        raise RefundRefused(
            f"{asked} cannot be refunded; between nothing and {payment.money(unapplied)} can", field="/amount"
        )
    return asked.minor


def refund(payment: Payment, refunded: Refund) -> tuple[Payment, PaymentRefunded]:
    """Let the money go. The caller has checked the amount."""
    assert 0 < refunded.amount_minor <= payment.unapplied_minor
    payment = replace(
        payment, version=payment.version + 1, refunded_minor=payment.refunded_minor + refunded.amount_minor
    )
    event = PaymentRefunded(
        customer_id=payment.customer_id,
        effective_on=refunded.refunded_on,
        booked_on=refunded.refunded_on,
        entity_id=payment.entity_id,
        payment=payment.state(),
        refund_id=refunded.id,
        amount=refunded.amount,
        reason=refunded.reason,
    )
    return payment, event


def take_back(
    payment: Payment, refunded: Refund, reason: str, on: date
) -> tuple[Payment, Refund, PaymentRefundReversed]:
    """The money is here after all: it is unapplied cash of its payment again. Raises RefundIsReversed."""
    if refunded.reversed_on:
        raise RefundIsReversed(f"the refund was taken back on {refunded.reversed_on}")
    payment = replace(
        payment, version=payment.version + 1, refunded_minor=payment.refunded_minor - refunded.amount_minor
    )
    event = PaymentRefundReversed(
        customer_id=payment.customer_id,
        effective_on=on,
        booked_on=on,
        entity_id=payment.entity_id,
        payment=payment.state(),
        refund_id=refunded.id,
        amount=refunded.amount,
        reason=reason,
    )
    return payment, replace(refunded, reversed_on=on, reversal_reason=reason), event


def entry(refunded: Refund) -> Entry:
    return Entry(
        refunded.entity_id,
        refunded.customer_id,
        refunded.refunded_on,
        refunded.refunded_on,
        "refund",
        debit="unapplied_cash",
        credit="bank",
        amount_minor=refunded.amount_minor,
        currency=refunded.currency,
        payment_id=refunded.payment_id,
        source_id=refunded.id,
    )
