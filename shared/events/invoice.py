"""What the invoice service publishes: `ar.invoice`, `ar.payment` and `ar.overdue`."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from shared.events.event import Event, Growing, Payload
from shared.money import Money


class InvoiceState(Payload):
    """An invoice after the change. `collectable` is the balance less what is disputed: what may be chased now.

    `overdue_episode` counts the times it became overdue; `overdue_since` is the first overdue day of the running
    episode, null while none runs.
    """

    id: UUID
    version: int
    entity_id: str
    number: str
    status: Annotated[Literal["open", "partly_paid", "settled"], Growing()]
    issue_date: date
    due_date: date
    total: Money
    balance: Money
    disputed: Money
    collectable: Money
    overdue_episode: int
    overdue_since: date | None
    settled_on: date | None


class InvoiceEvent(Event):
    topic: ClassVar[str] = "ar.invoice"
    entity_id: str
    invoice: InvoiceState

    @property
    def subject(self) -> UUID:
        return self.invoice.id

    @property
    def version(self) -> int:
        return self.invoice.version


class InvoiceIssued(InvoiceEvent):
    """An invoice became a claim on the customer. `change` is what it adds to the balance, its total."""

    type: ClassVar[str] = "dueward.invoice.issued.v1"
    change: Money
    net: Money
    tax: Money
    customer_reference: str | None = None
    delivery_channel: Annotated[Literal["email", "letter"], Growing()]


class InvoiceBalanceChanged(InvoiceEvent):
    """The balance moved and is not zero. `change` is signed: negative when something was paid."""

    type: ClassVar[str] = "dueward.invoice.balance_changed.v1"
    change: Money
    reason: Annotated[Literal["allocation", "unallocation"], Growing()]


class InvoiceSettled(InvoiceEvent):
    """The balance reached zero. `change` is negative; `days_late` counts from the due date, below zero when early."""

    type: ClassVar[str] = "dueward.invoice.settled.v1"
    change: Money
    reason: Annotated[Literal["allocation"], Growing()]
    days_late: int


class InvoiceDisputed(InvoiceEvent):
    """The customer contests a part or the whole; `amount` is held back from collection until it is resolved."""

    type: ClassVar[str] = "dueward.invoice.disputed.v1"
    dispute_id: UUID
    amount: Money
    reason: str


class InvoiceDisputeResolved(InvoiceEvent):
    """A dispute ended; the amount is collectable again, unless the customer `paid` what was contested."""

    type: ClassVar[str] = "dueward.invoice.dispute_resolved.v1"
    dispute_id: UUID
    amount: Money
    outcome: Annotated[Literal["rejected", "withdrawn", "paid"], Growing()]


class OverdueEvent(InvoiceEvent):
    topic: ClassVar[str] = "ar.overdue"


class InvoiceDueSoon(OverdueEvent):
    """The due date is near and something is still owed; said once for an invoice."""

    type: ClassVar[str] = "dueward.invoice.due_soon.v1"
    days_until_due: int


class InvoiceOverdue(OverdueEvent):
    """The due date passed with a balance; said once for an overdue episode, never before the day after due."""

    type: ClassVar[str] = "dueward.invoice.overdue.v1"
    episode: int


class InvoiceAged(OverdueEvent):
    """An overdue invoice reached day 31, 61 or 91 (`days_overdue`)."""

    type: ClassVar[str] = "dueward.invoice.aged.v1"
    episode: int
    days_overdue: Literal[31, 61, 91]


class InvoiceOverdueCleared(OverdueEvent):
    """An overdue episode ended: nothing is owed on the invoice any more."""

    type: ClassVar[str] = "dueward.invoice.overdue_cleared.v1"
    episode: int
    days_overdue: int


class PaymentState(Payload):
    """A payment after the change; `amount` = `applied` + `unapplied` unless it is reversed (both zero then)."""

    id: UUID
    version: int
    entity_id: str
    status: Annotated[Literal["unapplied", "partly_applied", "applied", "reversed"], Growing()]
    received_on: date
    amount: Money
    applied: Money
    unapplied: Money
    method: str
    reference: str | None = None


class PaymentEvent(Event):
    topic: ClassVar[str] = "ar.payment"
    entity_id: str
    payment: PaymentState

    @property
    def subject(self) -> UUID:
        return self.payment.id

    @property
    def version(self) -> int:
        return self.payment.version


class AllocationPart(Payload):
    invoice_id: UUID
    invoice_number: str
    amount: Money


class PaymentReceived(PaymentEvent):
    """Money came in from a customer; nothing of it is applied yet."""

    type: ClassVar[str] = "dueward.payment.received.v1"


class PaymentApplied(PaymentEvent):
    """Money of a payment was allocated to invoices; `allocations` is what this step added."""

    type: ClassVar[str] = "dueward.payment.applied.v1"
    allocations: tuple[AllocationPart, ...]


class PaymentUnapplied(PaymentEvent):
    """Allocations of a payment were taken back; `allocations` is what this step removed."""

    type: ClassVar[str] = "dueward.payment.unapplied.v1"
    allocations: tuple[AllocationPart, ...]


class PaymentReversed(PaymentEvent):
    """The money did not stay: the payment bounced, was charged back or was booked by mistake."""

    type: ClassVar[str] = "dueward.payment.reversed.v1"
    reason: str
