"""What a mail with a document says, and the queue of what nobody has received."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from unicodedata import normalize
from uuid import UUID

from services.invoice.autopay.rules import Collection, Method
from services.invoice.customers.rules import Account
from services.invoice.deliveries.rules import Delivery
from services.invoice.disputes.rules import Dispute
from services.invoice.documents.rules import Paper
from services.invoice.invoices.rules import Invoice, Outcome
from services.invoice.payments.rules import Payment
from services.invoice.plans.rules import Filled, Plan
from services.invoice.printing.rules import Language
from shared.errors import NotFound
from shared.events.invoice import InvoiceDelivered
from shared.mail_address import one_line
from shared.money import Money

SIGNATURE_SECONDS_MAX = 300
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})
_NOT_IN_A_FILE_NAME = re.compile(r"[^A-Za-z0-9._-]+")


class BatchNotFound(NotFound):
    slug = "letter-batch-not-found"
    title = "There is no such batch of letters"


@dataclass(frozen=True, slots=True)
class Figure:
    """What the mail is about, at a glance: a name, a sum and what is to know about it."""

    label: str
    amount: str
    remark: str


@dataclass(frozen=True, slots=True)
class View:
    """What the templates see; `closed` in a notice that nothing further is tried or wanted."""

    language: Language
    seller: str
    person: str
    number: str
    day: str
    due: str
    first: str
    last: str
    figures: tuple[Figure, ...]
    rows: tuple[tuple[str, str], ...]
    owes: bool
    pay_link: str
    files: tuple[str, ...]
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Noticed:
    """What a notice tells of, with whatever it belongs to."""

    account: Account
    about: (
        tuple[Dispute, Invoice] | tuple[Plan, tuple[Filled, ...]] | tuple[Collection, Method, str] | tuple[Payment, str]
    )


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


def greeting_name(contacts: list[dict[str, str | None]]) -> str:
    billing = next((each for each in contacts if each.get("role") == "billing"), None)
    return one_line((billing or {}).get("name") or "")


def is_signed(header: str, body: bytes, secret: str, now: datetime) -> bool:
    """Whether a call of the mail provider is: `t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`, of the last
    five minutes, so that a call that was listened to cannot be repeated later."""
    parts = {name: value for name, _, value in (part.strip().partition("=") for part in header.split(","))}
    at, signature = parts.get("t", ""), parts.get("v1", "")
    if not (at.isascii() and at.isdecimal()) or abs(now.timestamp() - int(at)) > SIGNATURE_SECONDS_MAX:
        return False
    expected = hmac.new(secret.encode(), at.encode() + b"." + body, sha256).hexdigest()
    return hmac.compare_digest(expected, signature)


def file_name(text: str) -> str:
    """A name that every mail program and file system takes."""
    plain = normalize("NFKD", text.translate(_GERMAN)).encode("ascii", "ignore").decode()
    return _NOT_IN_A_FILE_NAME.sub("-", plain).strip("-.") or "document"
