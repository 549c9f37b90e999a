"""A document or a notice on its way to a customer: the intent, and what may become of it.

    queued ─> sending ─> sent ─> delivered ─> opened
                 │         └───────┴─> bounced
                 ├─> failed    (certainly not sent, and not tried again)
                 └─> unknown   (perhaps sent: never sent again by itself)

A letter goes from queued into a batch, and is sent when the batch is printed. What the mail provider tells comes in
any order and more than once: it only ever moves a delivery onwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from services.invoice.customers.rules import Customer
from services.invoice.entities.rules import Entity
from shared.calendar import ONE_DAY
from shared.errors import NotFound, Refused
from shared.mail_address import is_address

Notice = Literal[
    "dispute_acknowledged",
    "plan_agreed",
    "plan_broken",
    "plan_kept",
    "collection_failed",
    "debit_announced",
    "payment_returned",
    "instalment_due",
    "instalment_missed",
]
"""Word of something that is the customer's to know: a few lines, without a document."""
Kind = Literal["invoice", "credit_note", "statement", "receipt"] | Notice
DUTIES: frozenset[Kind] = frozenset({"debit_announced"})
"""What has to be told wherever it happens, also where the entity sends nothing else by itself."""
Channel = Literal["email", "letter"]
Status = Literal["queued", "sending", "sent", "delivered", "opened", "bounced", "failed", "unknown"]
Told = Literal["delivered", "opened", "bounced"]

REACHED: tuple[Status, ...] = ("sent", "delivered", "opened")
"""As far as anybody knows, the customer has it."""
TEMPORARY_REFUSALS_MAX = 5
NO_ADDRESS = "the customer has no e-mail address"
OVERTAKEN = "not sent: what it tells of was paid or has ended in the meantime"


class DeliveryNotFound(NotFound):
    slug = "delivery-not-found"
    title = "There is no such delivery"


class AddressRefused(Refused):
    slug = "mail-address"
    title = "There is no address to send it to"


@dataclass(frozen=True, slots=True)
class Delivery:
    id: UUID
    entity_id: str
    customer_id: UUID
    kind: Kind
    channel: Channel
    status: Status
    recipient: str | None
    requested_on: date
    due_at: datetime
    invoice_id: UUID | None = None
    payment_id: UUID | None = None
    period_first: date | None = None
    period_last: date | None = None
    attempts: int = 0
    retry_at: datetime | None = None
    lease_until: datetime | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    opened_at: datetime | None = None
    reason: str | None = None
    batch_id: UUID | None = None
    credit_note_id: UUID | None = None
    dispute_id: UUID | None = None
    plan_id: UUID | None = None
    collection_id: UUID | None = None
    instalment_on: date | None = None

    def sending(self, lease_until: datetime) -> Delivery:
        """From here on a crash leaves its fate unknown."""
        return replace(self, status="sending", lease_until=lease_until, retry_at=None)

    def sent(self, at: datetime) -> Delivery:
        return replace(self, status="sent", sent_at=at, lease_until=None, reason=None)

    def failed(self, reason: str) -> Delivery:
        return replace(self, status="failed", reason=reason, lease_until=None)

    def unknown(self, reason: str) -> Delivery:
        return replace(self, status="unknown", reason=reason, lease_until=None)

    def waiting(self) -> Delivery:
        """Not tried at all."""
        return replace(self, status="queued", lease_until=None)

    def deferred(self, reason: str, real_now: datetime) -> Delivery:
        """Not sent, for a reason that passes: tried again after 1, 2, 4 seconds and so on up to five minutes."""
        retry_at = real_now + timedelta(seconds=min(2**self.attempts, 300))
        return replace(
            self, status="queued", reason=reason, attempts=self.attempts + 1, retry_at=retry_at, lease_until=None
        )


def ask(
    entity: Entity,
    customer: Customer,
    now: datetime,
    *,
    delivery_id: UUID,
    kind: Kind,
    channel: Channel = "email",
    recipient: str | None = None,
    invoice_id: UUID | None = None,
    payment_id: UUID | None = None,
    credit_note_id: UUID | None = None,
    period: tuple[date, date] | None = None,
    dispute_id: UUID | None = None,
    plan_id: UUID | None = None,
    collection_id: UUID | None = None,
    instalment_on: date | None = None,
) -> Delivery:
    """The intent to send a document. A mail is due at once; a letter when the business day is over, with all others
    of the day. Without any address a mail has failed before it began, and says so where undelivered things are shown.
    """
    today = entity.today(now)
    address = (recipient or address_of(customer.contacts)) if channel == "email" else None
    lost = channel == "email" and address is None
    return Delivery(
        id=delivery_id,
        entity_id=entity.id,
        customer_id=customer.id,
        kind=kind,
        channel=channel,
        status="failed" if lost else "queued",
        recipient=address,
        requested_on=today,
        due_at=now if channel == "email" else entity.starts(today + ONE_DAY),
        invoice_id=invoice_id,
        payment_id=payment_id,
        period_first=period[0] if period else None,
        period_last=period[1] if period else None,
        reason=NO_ADDRESS if lost else None,
        credit_note_id=credit_note_id,
        dispute_id=dispute_id,
        plan_id=plan_id,
        collection_id=collection_id,
        instalment_on=instalment_on,
    )


def wants_told(entity: Entity, kind: Notice) -> bool:
    """Whether a notice leaves by itself: the entity sends on its own, or it is a duty."""
    return kind in DUTIES or entity.policies.delivery.automatic


def address_of(contacts: Iterable[Mapping[str, Any]]) -> str | None:
    """Where invoices are sent: to whoever deals with billing, else to the first person with an address that works."""
    reachable = [each for each in contacts if each.get("email") and is_address(each["email"])]
    billing = [each for each in reachable if each.get("role") == "billing"]
    chosen = billing or reachable
    return chosen[0]["email"] if chosen else None


def good_address(text: str) -> str:
    """The address itself. Raises AddressRefused."""
    if not is_address(text):
        raise AddressRefused(f"{text!r} is not an e-mail address", field="/recipient")
    return text


def tell(delivery: Delivery, told: Told, at: datetime, reason: str | None) -> Delivery:
    """What the mail provider says of a mail. Word of a mail that was in doubt settles the doubt; a bounce does not
    undo what was opened, and nothing undoes a bounce."""
    if delivery.status in ("queued", "failed", "bounced"):
        return delivery
    sent_at = delivery.sent_at or at
    moved = replace(delivery, sent_at=sent_at, lease_until=None, reason=None)
    if told == "bounced":
        if delivery.status == "opened":
            return delivery
        return replace(moved, status="bounced", reason=reason or "the mail came back")
    if told == "opened":
        return replace(
            moved,
            status="opened",
            delivered_at=delivery.delivered_at or at,
            opened_at=delivery.opened_at or at,
        )
    if delivery.status in ("delivered", "opened"):
        return delivery
    return replace(moved, status="delivered", delivered_at=at)
