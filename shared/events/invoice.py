"""What the invoice service publishes: `ar.invoice`, `ar.payment` and `ar.overdue`."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from shared.events.event import Event, Growing, Payload
from shared.money import Money


class InvoiceState(Payload):
    """An invoice after the change. `collectable` is the balance less what is disputed or on a plan: what may be
    chased now.

    balance = total + charged - paid - credited - discounted - differences - written_off; a part that is nothing is
    left out. `overdue_episode` counts the times it became overdue; `overdue_since` is the first overdue day of the
    running episode, null while none runs.
    """

    id: UUID
    version: int
    entity_id: str
    number: str
    status: Annotated[Literal["open", "partly_paid", "settled", "voided", "written_off"], Growing()]
    issue_date: date
    due_date: date
    total: Money
    balance: Money
    disputed: Money
    collectable: Money
    overdue_episode: int
    overdue_since: date | None
    settled_on: date | None
    charged: Money | None = None
    credited: Money | None = None
    discounted: Money | None = None
    differences: Money | None = None
    written_off: Money | None = None
    on_plan: Money | None = None


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


class ProductLineShare(Payload):
    """What the lines of one product line come to: net, before tax and what is taken off or added on the whole."""

    product_line: str
    net: Money


class InvoiceIssued(InvoiceEvent):
    """An invoice became a claim on the customer. `change` is what it adds to the balance, its total; `product_lines`
    what its lines were sold as, null where none says. Lines that say nothing are the rest of `net`."""

    type: ClassVar[str] = "dueward.invoice.issued.v1"
    change: Money
    net: Money
    tax: Money
    customer_reference: str | None = None
    delivery_channel: Annotated[Literal["email", "letter"], Growing()]
    product_lines: tuple[ProductLineShare, ...] | None = None


class InvoiceBalanceChanged(InvoiceEvent):
    """The balance moved and is not zero. `change` is signed: negative when something was paid; `restored` is an
    earlier credit, discount, difference, write-off or charge taken back."""

    type: ClassVar[str] = "dueward.invoice.balance_changed.v1"
    change: Money
    reason: Annotated[Literal["allocation", "unallocation", "discount", "small_difference", "restored"], Growing()]


class InvoiceSettled(InvoiceEvent):
    """The balance reached zero. `change` is negative, or zero where `invoice.credited` just told of it; `days_late`
    counts from the due date, below zero when early."""

    type: ClassVar[str] = "dueward.invoice.settled.v1"
    change: Money
    reason: Annotated[Literal["allocation", "credit_note", "discount", "small_difference", "restored"], Growing()]
    days_late: int


class InvoiceCredited(InvoiceEvent):
    """A credit note took back a part of the invoice, or all of it. `change` is negative."""

    type: ClassVar[str] = "dueward.invoice.credited.v1"
    change: Money
    credit_note_id: UUID
    credit_note_number: str
    reason: str


class InvoiceCharged(InvoiceEvent):
    """Interest, a fee or a recovery cost was added to what is owed on the invoice. `change` is what it adds."""

    type: ClassVar[str] = "dueward.invoice.charged.v1"
    change: Money
    charge_id: UUID
    kind: Annotated[Literal["interest", "fee", "recovery_cost"], Growing()]
    reason: str


class InvoiceWrittenOff(InvoiceEvent):
    """What was still owed, or a part of it, is no longer expected. `change` is negative."""

    type: ClassVar[str] = "dueward.invoice.written_off.v1"
    change: Money
    write_off_id: UUID
    reason: str


class InvoiceVoided(InvoiceEvent):
    """The invoice was issued by mistake and is taken back whole, before anything was paid. `change` is negative."""

    type: ClassVar[str] = "dueward.invoice.voided.v1"
    change: Money
    reason: str


class Instalment(Payload):
    due_date: date
    amount: Money


class InvoicePlanAgreed(InvoiceEvent):
    """What is owed on the invoice may be paid in parts: `amount` of it waits for the plan's dates and is not chased."""

    type: ClassVar[str] = "dueward.invoice.plan_agreed.v1"
    plan_id: UUID
    amount: Money
    instalments: tuple[Instalment, ...]


class InvoicePlanEnded(InvoiceEvent):
    """A plan on the invoice ended without being broken: kept to the end, or called off by the seller."""

    type: ClassVar[str] = "dueward.invoice.plan_ended.v1"
    plan_id: UUID
    outcome: Annotated[Literal["kept", "cancelled"], Growing()]


class InvoicePlanBroken(InvoiceEvent):
    """An instalment was missed beyond its grace: what is open on the invoice may be chased at once again."""

    type: ClassVar[str] = "dueward.invoice.plan_broken.v1"
    plan_id: UUID
    missed_on: date


class InvoicePromiseOffered(InvoiceEvent):
    """On its page the customer named the day it will pay; the reminder service makes a promise of it."""

    type: ClassVar[str] = "dueward.invoice.promise_offered.v1"
    promised_on: date
    amount: Money


class InvoiceDelivered(InvoiceEvent):
    """The invoice left for the customer, or reached it. `days_from_supply` counts from the day of supply, or the issue
    date where none is stated."""

    type: ClassVar[str] = "dueward.invoice.delivered.v1"
    delivery_id: UUID
    channel: Annotated[Literal["email", "letter"], Growing()]
    delivered_on: date
    days_from_supply: int


class NoticeSent(Event):
    """A message of the invoice service left for the customer, other than an invoice (invoice.delivered tells of those):
    a statement, a receipt, a credit note, or word of a dispute, a plan, an instalment, a debit or a payment that came
    back. Its own aggregate, said once; no balance moves by it."""

    type: ClassVar[str] = "dueward.notice.sent.v1"
    topic: ClassVar[str] = "ar.invoice"
    entity_id: str
    delivery_id: UUID
    kind: Annotated[
        Literal[
            "statement",
            "receipt",
            "credit_note",
            "dispute_acknowledged",
            "plan_agreed",
            "plan_broken",
            "plan_kept",
            "instalment_due",
            "instalment_missed",
            "collection_failed",
            "debit_announced",
            "payment_returned",
        ],
        Growing(),
    ]
    channel: Annotated[Literal["email", "letter"], Growing()]
    sent_on: date
    invoice_id: UUID | None = None

    @property
    def subject(self) -> UUID:
        return self.delivery_id

    @property
    def version(self) -> int:
        return 1


class InvoiceDisputed(InvoiceEvent):
    """The customer contests a part or the whole; `amount` is held back from collection until it is resolved. `code` is
    what the dispute is counted under, `answer_by` the day by which the seller should answer."""

    type: ClassVar[str] = "dueward.invoice.disputed.v1"
    dispute_id: UUID
    amount: Money
    reason: str
    code: str | None = None
    answer_by: date | None = None


class InvoiceDisputeResolved(InvoiceEvent):
    """A dispute ended; the amount is collectable again, unless the customer `paid` what was contested. Of an `accepted`
    one, `accepted` is credited next (invoice.credited). What is owed again is not to be chased before
    `collect_again_on`, where that is given."""

    type: ClassVar[str] = "dueward.invoice.dispute_resolved.v1"
    dispute_id: UUID
    amount: Money
    outcome: Annotated[Literal["rejected", "withdrawn", "paid", "accepted"], Growing()]
    accepted: Money | None = None
    collect_again_on: date | None = None


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
    """A payment after the change; `amount` = `applied` + `refunded` + `unapplied` unless it is reversed (all zero
    then); `refunded` is left out while nothing is."""

    id: UUID
    version: int
    entity_id: str
    status: Annotated[Literal["unapplied", "partly_applied", "applied", "refunded", "reversed"], Growing()]
    received_on: date
    amount: Money
    applied: Money
    unapplied: Money
    method: str
    reference: str | None = None
    refunded: Money | None = None


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
    """Allocations of a payment were taken back; `allocations` is what this step removed, `reason` what whoever did it
    by hand said."""

    type: ClassVar[str] = "dueward.payment.unapplied.v1"
    allocations: tuple[AllocationPart, ...]
    reason: str | None = None


class PaymentReversed(PaymentEvent):
    """The money did not stay: the payment bounced, was charged back or was booked by mistake."""

    type: ClassVar[str] = "dueward.payment.reversed.v1"
    reason: str
    kind: Annotated[Literal["bounced", "charged_back", "booked_by_mistake"], Growing()] | None = None


class PaymentRefundReversed(PaymentEvent):
    """Money that was booked as gone back to the customer is here after all, bound to no invoice."""

    type: ClassVar[str] = "dueward.payment.refund_reversed.v1"
    refund_id: UUID
    amount: Money
    reason: str


class PaymentRefunded(PaymentEvent):
    """Money of the payment that was bound to no invoice went back to the customer."""

    type: ClassVar[str] = "dueward.payment.refunded.v1"
    refund_id: UUID
    amount: Money
    reason: str
