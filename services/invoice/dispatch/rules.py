"""What a mail with a document says, and the queue of what nobody has received."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from uuid import UUID

from services.invoice.deliveries.rules import Delivery
from services.invoice.invoices.rules import Invoice, Outcome
from services.invoice.papers.rules import Paper
from shared.errors import NotFound
from shared.events.invoice import InvoiceDelivered, NoticeSent
from shared.money import Money

SIGNATURE_SECONDS_MAX = 300


class BatchNotFound(NotFound):
    slug = "letter-batch-not-found"
    title = "There is no such batch of letters"


@dataclass(frozen=True, slots=True)
class Undelivered:
    """An invoice that nobody has received for longer than its entity allows."""

    invoice_id: UUID
    number: str
    customer_id: UUID
    customer_name: str
    issue_date: date
    total: Money
    status: str | None
    reason: str | None
    channel: str
    owner: str | None
    days: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Letters to print together, of one entity and business day."""

    id: UUID
    entity_id: str
    day: date
    letters: int
    printed_on: date | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """One letter of a batch, for the manifest."""

    delivery: Delivery
    number: str
    customer_name: str


def delivered(invoice: Invoice, paper: Paper, delivery: Delivery, *, on: date) -> Outcome:
    """Announce that the invoice left for the customer, with how long that took from the day of supply."""
    moved = replace(invoice, version=invoice.version + 1)
    event = InvoiceDelivered(
        customer_id=moved.customer_id,
        effective_on=on,
        booked_on=on,
        entity_id=moved.entity_id,
        invoice=moved.state(),
        delivery_id=delivery.id,
        channel=delivery.channel,
        delivered_on=on,
        days_from_supply=(on - (paper.supplied_on or invoice.issue_date)).days,
    )
    return Outcome(moved, (event,))


def told(delivery: Delivery, *, on: date) -> NoticeSent:
    """Announce that something other than an invoice left for the customer. A delivery is no invoice here."""
    assert delivery.kind != "invoice"
    return NoticeSent(
        customer_id=delivery.customer_id,
        effective_on=on,
        booked_on=on,
        entity_id=delivery.entity_id,
        delivery_id=delivery.id,
        kind=delivery.kind,
        channel=delivery.channel,
        sent_on=on,
        invoice_id=delivery.invoice_id,
    )


def is_signed(header: str, body: bytes, secret: str, now: datetime) -> bool:
    """Whether a call of the mail provider is: `t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`, of the last
    five minutes, so that a call that was listened to cannot be repeated later."""
    parts = {name: value for name, _, value in (part.strip().partition("=") for part in header.split(","))}
    at, signature = parts.get("t", ""), parts.get("v1", "")
    if not (at.isascii() and at.isdecimal()) or abs(now.timestamp() - int(at)) > SIGNATURE_SECONDS_MAX:
        return False
    expected = hmac.new(secret.encode(), at.encode() + b"." + body, sha256).hexdigest()
    return hmac.compare_digest(expected, signature)
