"""Paying through the provider's page: what a checkout is for, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from services.invoice.invoices.rules import Invoice
from shared.errors import NotFound, Refused, Unavailable
from shared.money import Money

Status = Literal["created", "open", "processing", "paid", "failed", "expired"]
"""created: meant, not yet known to the provider; open: the customer is at the provider's page; processing: a debit
that takes days; paid: booked."""
FINAL: tuple[Status, ...] = ("paid", "failed", "expired")

LOOK_AFTER = timedelta(minutes=10)
"""When the provider is asked what became of a checkout, should its call not come."""
LOOK_AGAIN_AFTER = timedelta(hours=6)
GIVEN_UP_AFTER = timedelta(days=28)
"""Longer than a bank debit takes to be confirmed, which is 14 business days at most."""
METHOD_LEFT = "method"


class CheckoutNotFound(NotFound):
    slug = "checkout-not-found"
    title = "There is no such payment"


class ProviderUnavailable(Unavailable):
    slug = "card-payments-unavailable"
    title = "Payments by card cannot be taken just now"


class ProviderRefuses(Refused):
    """The provider's own refusal: `code` is its word for it, such as `card_declined`."""

    slug = "card-payment-refused"
    title = "The payment provider refuses"

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, code=code)
        self.code = code


class SignatureRefused(Refused):
    status = 400
    slug = "webhook-signature"
    title = "The call does not bear the provider's signature"


class NothingToPay(Refused):
    slug = "nothing-to-pay"
    title = "There is nothing to pay among what was chosen"


@dataclass(frozen=True, slots=True)
class Part:
    """What of the amount is meant for one invoice."""

    invoice_id: UUID
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Checkout:
    id: UUID
    customer_id: UUID
    entity_id: str
    currency: str
    amount_minor: int
    parts: tuple[Part, ...]
    save_method: bool
    status: Status
    started_at: datetime
    look_at: datetime | None
    session_id: str | None = None
    url: str | None = None
    intent_id: str | None = None
    payment_id: UUID | None = None
    failure: str | None = None
    plan_id: UUID | None = None

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


def chosen_parts(chosen: Sequence[Invoice], under_way: Mapping[UUID, int]) -> list[tuple[Invoice, int]]:
    """What is undisputed of the chosen invoices and not being debited, all of one currency: that of the oldest due."""
    parts = [(i, i.undisputed_minor - under_way.get(i.id, 0)) for i in sorted(chosen, key=lambda i: (i.due_date, i.id))]
    payable = [(invoice, minor) for invoice, minor in parts if minor > 0]
    return [(invoice, minor) for invoice, minor in payable if invoice.currency == payable[0][0].currency]


def start(
    checkout_id: UUID,
    customer_id: UUID,
    entity_id: str,
    payable: Sequence[tuple[Invoice, int]],
    *,
    save_method: bool,
    now: datetime,
    plan_id: UUID | None = None,
) -> Checkout:
    """A checkout over these parts of invoices. Raises NothingToPay."""
    if not payable:
        raise NothingToPay("what was chosen is paid already, or disputed; nothing was charged")
    currency = payable[0][0].currency
    parts = tuple(Part(invoice.id, minor) for invoice, minor in payable)
    return Checkout(
        id=checkout_id,
        customer_id=customer_id,
        entity_id=entity_id,
        currency=currency,
        amount_minor=sum(part.amount_minor for part in parts),
        parts=parts,
        save_method=save_method,
        status="created",
        started_at=now,
        look_at=now + LOOK_AFTER,
        plan_id=plan_id,
    )


def about_method(customer_id: UUID, entity_id: str) -> str:
    """What a session that leaves a method without paying is told apart by when the provider calls."""
    return f"{METHOD_LEFT}.{customer_id}.{entity_id}"


def whose_method(about: str) -> tuple[UUID, str] | None:
    """The customer and the entity that a method was left for; None where it is about something else."""
    what, _, whose = about.partition(".")
    customer, _, entity_id = whose.partition(".")
    try:
        return (UUID(customer), entity_id) if what == METHOD_LEFT and entity_id else None
    except ValueError:
        return None


def opened(checkout: Checkout, session_id: str, url: str) -> Checkout:
    return replace(checkout, status="open", session_id=session_id, url=url)


def paid(checkout: Checkout, intent_id: str | None, payment_id: UUID) -> Checkout:
    return replace(checkout, status="paid", intent_id=intent_id, payment_id=payment_id, look_at=None)


def processing(checkout: Checkout, intent_id: str | None) -> Checkout:
    """The debit is under way; the provider will say how it ended."""
    return replace(checkout, status="processing", intent_id=intent_id)


def ended(checkout: Checkout, status: Literal["failed", "expired"], failure: str | None = None) -> Checkout:
    return replace(checkout, status=status, failure=failure, look_at=None)


def look_later(checkout: Checkout, now: datetime) -> Checkout:
    """Still undecided: look again, until it can no longer come to anything."""
    if now >= checkout.started_at + GIVEN_UP_AFTER:
        return ended(checkout, "expired")
    return replace(checkout, look_at=now + LOOK_AGAIN_AFTER)


def allocations(checkout: Checkout, invoices: Sequence[Invoice]) -> tuple[Part, ...]:
    """Where the money goes now: as meant, as far as it is still owed. What is not stays unapplied cash."""
    owed = {invoice.id: invoice.balance_minor for invoice in invoices}
    parts = (Part(part.invoice_id, min(part.amount_minor, owed.get(part.invoice_id, 0))) for part in checkout.parts)
    return tuple(part for part in parts if part.amount_minor)
