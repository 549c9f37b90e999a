"""Invoices that collect themselves: a method of payment the customer left with the provider, charged on the due date.

A charge is written down before the provider is asked, one for each invoice and attempt, and its id is the provider's
Idempotency-Key: asking twice charges once. A refusal is tried again on a schedule and then given up, and the customer
sees both on its page.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Literal
from uuid import UUID

from services.invoice.entities.rules import Entity
from services.invoice.invoices.rules import Invoice
from shared.calendar import at_local_time
from shared.errors import NotFound
from shared.money import Money

CHARGED_AT = time(9, 0)
"""In the entity's time zone, on the due date."""
RETRY_DAYS = (3, 5, 7)
"""Days after the last refusal: what failed for lack of funds often passes after payday."""
LOST_AFTER = timedelta(hours=1)
"""A charge of which nothing was heard is asked for again under its own key, which charges once."""
UNDER_WAY_LOOK = timedelta(hours=12)

MethodStatus = Literal["wanted", "active", "removed"]
"""wanted: the customer paid and asked to keep the method, the provider is still to be asked which it was."""
Status = Literal["meant", "paid", "refused", "given_up", "needless"]
"""needless: nothing was left to collect when its time came."""


class MethodNotFound(NotFound):
    slug = "payment-method-not-found"
    title = "There is no such saved payment method"


@dataclass(frozen=True, slots=True)
class Method:
    """A card or mandate at the provider; `label` is how people know it, `Visa •••• 4242`."""

    id: UUID
    customer_id: UUID
    entity_id: str
    status: MethodStatus
    intent_id: str
    added_at: datetime
    look_at: datetime | None
    provider_customer: str | None = None
    provider_method: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Collection:
    """One charge of one invoice. `look_at` is when something is to be done about it."""

    id: UUID
    method_id: UUID
    customer_id: UUID
    entity_id: str
    invoice_id: UUID
    attempt: int
    currency: str
    amount_minor: int
    status: Status
    look_at: datetime | None
    intent_id: str | None = None
    payment_id: UUID | None = None
    failure: str | None = None

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


def due_moment(entity: Entity, invoice: Invoice) -> datetime:
    """When an invoice is collected: at nine on its due date."""
    return at_local_time(invoice.due_date, CHARGED_AT, entity.time_zone)


def begin(collection_id: UUID, method: Method, invoice: Invoice, attempt: int, now: datetime) -> Collection | None:
    """A charge over what may be chased of the invoice; None where nothing may: paid, disputed, on a plan."""
    if invoice.collectable_minor <= 0:
        return None
    return Collection(
        id=collection_id,
        method_id=method.id,
        customer_id=invoice.customer_id,
        entity_id=invoice.entity_id,
        invoice_id=invoice.id,
        attempt=attempt,
        currency=invoice.currency,
        amount_minor=invoice.collectable_minor,
        status="meant",
        look_at=now,
    )


def paid(collection: Collection, intent_id: str, payment_id: UUID) -> Collection:
    return replace(collection, status="paid", look_at=None, intent_id=intent_id, payment_id=payment_id)


def refused(collection: Collection, why: str, entity: Entity, today: date) -> Collection:
    """To be tried again some days later, a bounded number of times."""
    if collection.attempt > len(RETRY_DAYS):
        return replace(collection, status="given_up", look_at=None, failure=why)
    again_on = today + timedelta(days=RETRY_DAYS[collection.attempt - 1])
    return replace(
        collection, status="refused", look_at=at_local_time(again_on, CHARGED_AT, entity.time_zone), failure=why
    )


def unheard(collection: Collection, now: datetime) -> Collection:
    """Nobody knows whether it was charged: ask again under the same key."""
    return replace(collection, look_at=now + LOST_AFTER)


def under_way(collection: Collection, intent_id: str, now: datetime) -> Collection:
    """A debit that takes days: the provider is asked again how it went."""
    return replace(collection, intent_id=intent_id, look_at=now + UNDER_WAY_LOOK)


def needless(collection: Collection) -> Collection:
    return replace(collection, status="needless", look_at=None)
