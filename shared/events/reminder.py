"""What the reminder service publishes: `ar.reminder` (contacts, cases, tasks, and what is agreed with customers)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from shared.events.event import Event, Growing, Payload
from shared.money import Money

Tone = Annotated[Literal["friendly", "firm", "formal"], Growing()]


class ReminderEvent(Event):
    """Something that happened to one thing of this service, whose state is the field that `about` names."""

    topic: ClassVar[str] = "ar.reminder"
    about: ClassVar[str]
    entity_id: str

    @property
    def subject(self) -> UUID:
        return getattr(self, self.about).id

    @property
    def version(self) -> int:
        return getattr(self, self.about).version


class ContactState(Payload):
    """A message to a customer. `episode` is the case's episode number, or `due-<date>` for one before due."""

    id: UUID
    version: int
    entity_id: str
    channel: Annotated[Literal["email", "sms", "letter", "call", "chat", "webhook"], Growing()]
    strategy: str
    strategy_version: int
    step: str
    tone: Tone
    episode: str
    status: Annotated[Literal["planned", "sending", "sent", "suppressed", "failed", "unknown"], Growing()]
    invoices: tuple[str, ...]
    amounts: tuple[Money, ...]
    sent_at: datetime | None = None
    reason: str | None = None


class ContactEvent(ReminderEvent):
    about: ClassVar[str] = "contact"
    contact: ContactState


class ReminderPlanned(ContactEvent):
    """A step of the strategy is due and allowed; its message is about to be sent."""

    type: ClassVar[str] = "dueward.reminder.planned.v1"


class ReminderSent(ContactEvent):
    """The mail server took the message."""

    type: ClassVar[str] = "dueward.reminder.sent.v1"


class ReminderSuppressed(ContactEvent):
    """A message was due and deliberately not sent; `contact.reason` says why."""

    type: ClassVar[str] = "dueward.reminder.suppressed.v1"


class ReminderFailed(ContactEvent):
    """The message was refused for good, or a crash left its fate unknown; a person should look."""

    type: ClassVar[str] = "dueward.reminder.failed.v1"


class ReminderBounced(ContactEvent):
    """A message that was sent came back: it reached nobody, and its address is not used again."""

    type: ClassVar[str] = "dueward.reminder.bounced.v1"
    bounce_reason: str


class CaseState(Payload):
    """A customer's collection case in its running episode; `step` is the last rung climbed, null before the first.
    `formal_notice_on` is when the customer got formal notice of default in this episode."""

    id: UUID
    version: int
    entity_id: str
    episode: int
    status: Annotated[Literal["open", "closed"], Growing()]
    strategy: str
    strategy_version: int
    level: int
    step: str | None
    oldest_due_on: date | None
    collectable: tuple[Money, ...]
    formal_notice_on: date | None = None


class CaseEvent(ReminderEvent):
    about: ClassVar[str] = "case"
    case: CaseState


class CaseOpened(CaseEvent):
    """An overdue item became collectable: the customer's collection case runs."""

    type: ClassVar[str] = "dueward.case.opened.v1"


class CaseHeld(CaseEvent):
    """The case rests: nothing goes out through `until`, or until it is released when null. `kind` says why, `source`
    names the promise, pause, reply ... it rests for."""

    type: ClassVar[str] = "dueward.case.held.v1"
    kind: Annotated[Literal["promised", "paused", "replied", "conversation", "placed", "legal", "insolvent"], Growing()]
    until: date | None
    source: str


class CaseReleased(CaseEvent):
    """What the case rested for is over."""

    type: ClassVar[str] = "dueward.case.released.v1"
    kind: Annotated[Literal["promised", "paused", "replied", "conversation", "placed", "legal", "insolvent"], Growing()]
    source: str


class CaseEscalated(CaseEvent):
    """The case climbed a rung, each once in an episode; `actions` are what the step wants of others: `agency_referral`,
    `fee` (the seller's fee for a reminder), `interest` (charged to date), `credit_hold` (the credit service is to stop
    deliveries on credit to the customer, `case.collectable` being overdue since `case.oldest_due_on`)."""

    type: ClassVar[str] = "dueward.case.escalated.v1"
    actions: tuple[str, ...] = ()
    plan_instalments_max: int | None = None


class CaseStepSkipped(CaseEvent):
    """The case went on without one of its strategy's steps; `reason` says why: `conditions` of the step that do not
    hold, `opted_out`, `missed` days, `approval_refused`."""

    type: ClassVar[str] = "dueward.case.step_skipped.v1"
    skipped: str
    reason: str


class CaseMoved(CaseEvent):
    """The case goes on with another version of its strategy, from the step that `case` names there."""

    type: ClassVar[str] = "dueward.case.moved.v1"
    previous_strategy_version: int


class CaseClosed(CaseEvent):
    """Nothing overdue is collectable any more: the episode is over."""

    type: ClassVar[str] = "dueward.case.closed.v1"
    reason: str


class TaskState(Payload):
    id: UUID
    version: int
    entity_id: str
    kind: str
    title: str
    status: Annotated[Literal["open", "done"], Growing()]
    due_on: date
    case_id: UUID
    assignee: str | None = None
    role: str | None = None


class TaskEvent(ReminderEvent):
    about: ClassVar[str] = "task"
    task: TaskState


class TaskAssigned(TaskEvent):
    """Somebody has something to do for this customer, such as deciding on an agency referral; also when it passes from
    one person to another."""

    type: ClassVar[str] = "dueward.task.assigned.v1"


class TaskDone(TaskEvent):
    """What somebody had to do for this customer is done."""

    type: ClassVar[str] = "dueward.task.done.v1"


class PromiseState(Payload):
    """What a customer said it will pay, and by when. `items` are the invoices it named, empty for the account as a
    whole; `paid` is what has come in of it since `made_on`. It is broken after `grace_until`."""

    id: UUID
    version: int
    entity_id: str
    case_id: UUID
    status: Annotated[Literal["open", "kept", "broken", "withdrawn", "replaced", "lapsed"], Growing()]
    amount: Money
    paid: Money
    items: tuple[str, ...]
    made_on: date
    promised_on: date
    grace_until: date
    origin: Annotated[Literal["staff", "customer", "offer"], Growing()]
    because: str | None = None


class PromiseEvent(ReminderEvent):
    about: ClassVar[str] = "promise"
    promise: PromiseState


class PromiseMade(PromiseEvent):
    """A customer promised a payment, or more of one: nothing is asked of it until the promised day and some days of
    grace have passed."""

    type: ClassVar[str] = "dueward.promise.made.v1"


class PromiseKept(PromiseEvent):
    """What was promised has come in, or nothing is owed any more of what it was about."""

    type: ClassVar[str] = "dueward.promise.kept.v1"


class PromiseBroken(PromiseEvent):
    """The days of grace are over and the amount has not come in, or only `promise.paid` of it."""

    type: ClassVar[str] = "dueward.promise.broken.v1"


class PromiseEnded(PromiseEvent):
    """A promise that is neither kept nor broken: withdrawn, replaced by another, or left without a claim."""

    type: ClassVar[str] = "dueward.promise.ended.v1"


class PlacementState(Payload):
    """Invoices given to a collection agency. `amount` is what was owed on them when they were handed over, `collected`
    what has come in since, `commission` what the agency is owed for that."""

    id: UUID
    version: int
    entity_id: str
    case_id: UUID
    agency_id: str
    status: Annotated[
        Literal["requested", "approved", "placed", "recalled", "closed", "rejected", "withdrawn"], Growing()
    ]
    amount: Money
    collected: Money
    commission: Money
    invoices: tuple[str, ...]
    placed_on: date | None = None
    ended_on: date | None = None
    because: str | None = None


class PlacementEvent(ReminderEvent):
    about: ClassVar[str] = "placement"
    placement: PlacementState


class PlacementMade(PlacementEvent):
    """Claims were handed to a collection agency: the seller itself does not contact the customer meanwhile."""

    type: ClassVar[str] = "dueward.placement.made.v1"


class PlacementRecalled(PlacementEvent):
    """Claims were taken back from the agency; `placement.because` says why, such as `paid`."""

    type: ClassVar[str] = "dueward.placement.recalled.v1"


class PlacementClosed(PlacementEvent):
    """The agency gave the claims back."""

    type: ClassVar[str] = "dueward.placement.closed.v1"


class PauseState(Payload):
    """A customer left in peace from `started_on` through `until`: as a whole, or for the invoices of `items`. `reason`
    is why, without a word of what was said."""

    id: UUID
    version: int
    entity_id: str
    case_id: UUID
    status: Annotated[Literal["running", "over", "ended"], Growing()]
    reason: Annotated[
        Literal["customer_asked", "sales_asked", "service_case", "hardship", "holidays", "investigation", "other"],
        Growing(),
    ]
    items: tuple[str, ...]
    started_on: date
    until: date
    ended_on: date | None = None


class PauseEvent(ReminderEvent):
    about: ClassVar[str] = "pause"
    pause: PauseState


class PauseMade(PauseEvent):
    """Somebody decided that the customer, or some of its invoices, is left in peace for a while."""

    type: ClassVar[str] = "dueward.pause.made.v1"


class PauseEnded(PauseEvent):
    """The customer may be asked again: the last day has passed (`over`), or somebody ended the pause before it
    (`ended`)."""

    type: ClassVar[str] = "dueward.pause.ended.v1"


class OfferState(Payload):
    """What the seller offers in a negotiation about `amount`: more time (`extension`), instalments (`plan`), or less
    than all of it (`settlement`, of which `to_pay` is to be paid). The customer may accept it through `expires_on`."""

    id: UUID
    version: int
    entity_id: str
    case_id: UUID
    kind: Annotated[Literal["extension", "plan", "settlement"], Growing()]
    status: Annotated[
        Literal["awaiting_approval", "open", "accepted", "refused", "expired", "withdrawn", "rejected", "lapsed"],
        Growing(),
    ]
    amount: Money
    to_pay: Money
    invoices: tuple[str, ...]
    expires_on: date
    pay_by: date | None = None
    instalments: int = 0
    ended_on: date | None = None
    because: str | None = None


class OfferEvent(ReminderEvent):
    about: ClassVar[str] = "offer"
    offer: OfferState


class OfferMade(OfferEvent):
    """An offer is open to the customer; one that takes a second person's approval has it."""

    type: ClassVar[str] = "dueward.offer.made.v1"


class OfferAccepted(OfferEvent):
    """The customer accepted: more time and a settlement are a promise from now on, a plan is asked of the invoice
    service."""

    type: ClassVar[str] = "dueward.offer.accepted.v1"


class OfferLapsed(OfferEvent):
    """An offer that was open stands no more: `offer.status` says whether it was refused, expired, withdrawn, or
    accepted and then not paid as agreed (`lapsed`)."""

    type: ClassVar[str] = "dueward.offer.lapsed.v1"


class ProceedingState(Payload):
    """A customer before a court: the seller's legal action, or the customer's insolvency. `claim` is what is sought."""

    id: UUID
    version: int
    entity_id: str
    case_id: UUID
    kind: Annotated[Literal["legal_action", "insolvency"], Growing()]
    status: Annotated[Literal["open", "closed"], Growing()]
    opened_on: date
    claim: Money | None = None
    closed_on: date | None = None


class ProceedingEvent(ReminderEvent):
    about: ClassVar[str] = "proceeding"
    proceeding: ProceedingState


class ProceedingBegun(ProceedingEvent):
    """A legal action against the customer, or its insolvency, was noted: nothing is sent to it meanwhile. Effective on
    the day it was opened."""

    type: ClassVar[str] = "dueward.proceeding.begun.v1"


class ProceedingEnded(ProceedingEvent):
    """The proceeding is closed, and collection goes on."""

    type: ClassVar[str] = "dueward.proceeding.ended.v1"


LatePaymentReason = Annotated[
    Literal[
        "cash_flow",
        "invoice_not_received",
        "invoice_wrong",
        "goods_missing",
        "approval_pending",
        "already_paid",
        "dispute",
        "insolvency",
        "payment_run",
        "other",
    ],
    Growing(),
]
"""Why a customer pays late, as a person found out; `payment_run`: it pays on fixed days."""


class ReplyState(Payload):
    """What a customer answered, without a word of it. `contact_id` is the message it answers, where that is known;
    `reason` is why the customer pays late, once a person has looked."""

    id: UUID
    version: int
    entity_id: str
    case_id: UUID
    contact_id: UUID | None
    channel: Annotated[Literal["email", "sms"], Growing()]
    kind: Annotated[Literal["reply", "unreadable"], Growing()]
    status: Annotated[Literal["open", "done"], Growing()]
    reason: LatePaymentReason | None = None
    attachments: int
    received_on: date


class ReplyEvent(ReminderEvent):
    about: ClassVar[str] = "reply"
    reply: ReplyState


class ReplyReceived(ReplyEvent):
    """A customer answered: automatic contact rests until a person has looked."""

    type: ClassVar[str] = "dueward.reply.received.v1"


class ReplyDone(ReplyEvent):
    """A person has looked at what the customer answered, and said why it pays late."""

    type: ClassVar[str] = "dueward.reply.done.v1"


class CallState(Payload):
    """A telephone call with a customer, or the attempt at one. `reason` is why it pays late, by its own word."""

    id: UUID
    version: int
    entity_id: str
    direction: Literal["out", "in"]
    outcome: Annotated[Literal["spoke", "left_message", "no_answer", "wrong_number", "refused"], Growing()]
    reason: LatePaymentReason | None = None
    caller: str
    called_at: datetime


class CallLogged(ReminderEvent):
    """Somebody called the customer or was called by it; a call is logged once and never changed."""

    type: ClassVar[str] = "dueward.call.logged.v1"
    about: ClassVar[str] = "call"
    call: CallState
