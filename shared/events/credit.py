"""What the credit service publishes: `ar.customer` (who the customers are) and `ar.credit` (what they may owe)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from shared.events.event import Event, Growing, Payload
from shared.money import Money


class PaymentTerms(Payload):
    """An invoice is due `net_days` after its date. Whoever takes orders asks for `prepaid_percent` of each before it is
    delivered; `deposit` is what the customer is asked for besides, received or not."""

    net_days: int
    prepaid_percent: int = 0
    deposit: Money | None = None


class ContactPerson(Payload):
    """Somebody at the customer; subscribers need no more than where to write and how to greet."""

    role: Annotated[Literal["billing", "approver", "escalation"], Growing()]
    name: str
    email: str | None = None
    phone: str | None = None


class PostalAddress(Payload):
    """A postal address in the customer's country, for documents."""

    lines: tuple[str, ...]
    city: str
    postal_code: str | None = None
    region: str | None = None


class CustomerState(Payload):
    """`requires` names what an invoice must bear before the customer takes it; `buyer_reference` is the one it gave
    for all its invoices (a Leitweg-ID, say); `contact_parent`: reminders go to the contact person of the parent
    company; `merged_into` is who a closed customer goes on as."""

    id: UUID
    version: int
    external_id: str
    name: str
    status: Annotated[Literal["active", "closed"], Growing()]
    country: str
    language: str
    time_zone: str
    currency: str
    segment: str
    payment_terms: PaymentTerms
    contacts: tuple[ContactPerson, ...] = ()
    address: PostalAddress | None = None
    vat_id: str | None = None
    buyer_reference: str | None = None
    requires: tuple[Annotated[Literal["buyer_reference", "purchase_order"], Growing()], ...] = ()
    parent_id: UUID | None = None
    contact_parent: bool = False
    merged_into: UUID | None = None


class CustomerEvent(Event):
    topic: ClassVar[str] = "ar.customer"
    customer: CustomerState

    @property
    def subject(self) -> UUID:
        return self.customer.id

    @property
    def version(self) -> int:
        return self.customer.version


class CustomerOnboarded(CustomerEvent):
    """A customer may be invoiced from now on."""

    type: ClassVar[str] = "dueward.customer.onboarded.v1"


class CustomerUpdated(CustomerEvent):
    """Names, contact persons or other particulars of a customer changed."""

    type: ClassVar[str] = "dueward.customer.updated.v1"
    changed: tuple[str, ...]


class CustomerTermsChanged(CustomerEvent):
    """The payment terms that later invoices of this customer get changed. `source` says who wanted it, `reason` why,
    where that was said."""

    type: ClassVar[str] = "dueward.customer.terms_changed.v1"
    previous_terms: PaymentTerms
    source: Annotated[Literal["manual", "recommended"], Growing()] | None = None
    reason: str | None = None


class CustomerSegmentChanged(CustomerEvent):
    """The customer moved to another segment, and so perhaps to another collection strategy."""

    type: ClassVar[str] = "dueward.customer.segment_changed.v1"
    previous_segment: str


class CustomerClosed(CustomerEvent):
    """Nothing new is sold to the customer any more; what it owes stays owed. One that was merged names who it goes on
    as."""

    type: ClassVar[str] = "dueward.customer.closed.v1"
    reason: str


class CreditState(Payload):
    """A customer's credit account. `exposure` is the sum of open balances, one amount for each currency owed;
    `available` is the limit less the exposure in the limit's currency, and may be negative."""

    id: UUID
    version: int
    limit: Money
    exposure: tuple[Money, ...]
    available: Money


class CreditLimitChanged(Event):
    """What the customer may owe was set or changed, by the policy, by a person, or as an assessment recommends."""

    topic: ClassVar[str] = "ar.credit"
    type: ClassVar[str] = "dueward.credit.limit_changed.v1"
    credit: CreditState
    previous_limit: Money | None
    source: Annotated[Literal["policy", "manual", "recommended"], Growing()]
    reason: str

    @property
    def subject(self) -> UUID:
        return self.credit.id

    @property
    def version(self) -> int:
        return self.credit.version


class CreditDecision(Payload):
    """`referred` leaves it to a person. `reserved_until`: the amount is kept for this order until then."""

    id: UUID
    version: int
    outcome: Annotated[Literal["approved", "declined", "referred"], Growing()]
    reasons: tuple[str, ...]
    requested: Money
    limit: Money
    exposure: Money
    available: Money
    reserved_until: datetime | None = None


class CreditDecisionMade(Event):
    """Somebody asked whether the customer may owe this much more, and this was the answer."""

    topic: ClassVar[str] = "ar.credit"
    type: ClassVar[str] = "dueward.credit.decision_made.v1"
    decision: CreditDecision
    reference: str | None = None

    @property
    def subject(self) -> UUID:
        return self.decision.id

    @property
    def version(self) -> int:
        return self.decision.version


class HoldState(Payload):
    """A hold on a customer: `held` says of what there is nothing more for now, `cause` why."""

    id: UUID
    version: int
    status: Annotated[Literal["in_force", "released"], Growing()]
    cause: Annotated[
        Literal[
            "by_hand",
            "overdue_days",
            "overdue_amount",
            "promise_broken",
            "over_limit",
            "insolvency",
            "dunning",
            "insolvency_on_record",
            "court_flags",
        ],
        Growing(),
    ]
    held: tuple[Annotated[Literal["orders", "invoices", "delivery"], Growing()], ...]
    reason: str
    until: date | None = None


class HoldEvent(Event):
    """`held_now` is what all holds of the customer together hold after this."""

    topic: ClassVar[str] = "ar.credit"
    hold: HoldState
    held_now: tuple[Annotated[Literal["orders", "invoices", "delivery"], Growing()], ...]

    @property
    def subject(self) -> UUID:
        return self.hold.id

    @property
    def version(self) -> int:
        return self.hold.version


class HoldPlaced(HoldEvent):
    """A customer gets nothing more of something for now."""

    type: ClassVar[str] = "dueward.credit.hold_placed.v1"


class HoldReleased(HoldEvent):
    """One hold on a customer ended; others may go on, see `held_now`."""

    type: ClassVar[str] = "dueward.credit.hold_released.v1"
    release_reason: str


class Rate(Payload):
    """What one unit of the base costs in this currency, as decimal text."""

    currency: str
    rate: str


class RatesState(Payload):
    id: UUID
    version: int
    on: date
    base: str
    source: str
    rates: tuple[Rate, ...]


class RatesPublished(Event):
    """Reference rates of a day became known. They belong to no customer; one fixed id stands in its place."""

    topic: ClassVar[str] = "ar.credit"
    type: ClassVar[str] = "dueward.rates.published.v1"
    rates: RatesState

    @property
    def subject(self) -> UUID:
        return self.rates.id

    @property
    def version(self) -> int:
        return self.rates.version


RiskClass = Annotated[Literal["A", "B", "C", "D", "E"], Growing()]
"""A is the safest."""


class ScoreReason(Payload):
    """Why a score is what it is: a reason code of the scorecard and the points it added."""

    code: str
    points: int


class CreditFileState(Payload):
    """A customer's newest assessment. `probability_of_default` is a decimal from 0 to 1, within a year; `raised` and
    `lowered` go from the heaviest to the lightest."""

    id: UUID
    version: int
    assessment_id: UUID
    risk_class: RiskClass
    score: int
    probability_of_default: str
    scorecard: str
    scorecard_version: int
    raised: tuple[ScoreReason, ...]
    lowered: tuple[ScoreReason, ...]
    valid_until: date


class CreditAssessed(Event):
    """A customer was assessed. `because` says why now; `previous_risk_class` is null the first time."""

    topic: ClassVar[str] = "ar.credit"
    type: ClassVar[str] = "dueward.credit.assessed.v1"
    file: CreditFileState
    previous_risk_class: RiskClass | None
    because: tuple[str, ...]

    @property
    def subject(self) -> UUID:
        return self.file.id

    @property
    def version(self) -> int:
        return self.file.version


class DriftPoint(Payload):
    """An invoice on a control chart, in days beyond terms (decimal text but for its own). `still_open`: it was not paid
    on `seen_on`, and was that late already."""

    invoice_id: UUID
    due_date: date
    seen_on: date
    days: int
    still_open: bool
    expected_days: str
    smoothed_days: str
    limit_days: str


class DriftState(Payload):
    """How a customer pays, held against how it used to: `expected_days` beyond terms, give or take `spread_days`, by
    `own_payments` of its own and by its segment's `segment_days`."""

    id: UUID
    version: int
    status: Annotated[Literal["steady", "drifting"], Growing()]
    since: date | None
    segment: str
    own_payments: int
    expected_days: str
    spread_days: str
    segment_days: str | None = None


class DriftEvent(Event):
    topic: ClassVar[str] = "ar.credit"
    drift: DriftState

    @property
    def subject(self) -> UUID:
        return self.drift.id

    @property
    def version(self) -> int:
        return self.drift.version


class DriftDetected(DriftEvent):
    """The customer began to pay later than it used to, beyond what is scatter; told once an episode. `points` are the
    evidence, the last of them beyond the limit."""

    type: ClassVar[str] = "dueward.credit.drift_detected.v1"
    points: tuple[DriftPoint, ...]


class DriftEnded(DriftEvent):
    """The customer pays as before again, or has paid so for so long that this is its usual way now."""

    type: ClassVar[str] = "dueward.credit.drift_ended.v1"
    outcome: Annotated[Literal["came_back", "new_level"], Growing()]


class DriftWeek(Payload):
    """A segment's week: how far all payments together were off what was expected, in standard deviations."""

    from_day: date
    payments: int
    deviation: str


class SegmentDriftState(Payload):
    """Whether a segment as a whole pays later: the average of its weeks and the limit of that, as decimal text."""

    id: UUID
    version: int
    segment: str
    status: Annotated[Literal["steady", "drifting"], Growing()]
    since: date | None
    smoothed: str
    limit: str


class SegmentDriftEvent(Event):
    """Of a segment, which is no customer: one fixed id stands in the customer's place."""

    topic: ClassVar[str] = "ar.credit"
    drift: SegmentDriftState

    @property
    def subject(self) -> UUID:
        return self.drift.id

    @property
    def version(self) -> int:
        return self.drift.version


class SegmentDriftDetected(SegmentDriftEvent):
    """The customers of a segment, taken together, began to pay later than they used to."""

    type: ClassVar[str] = "dueward.credit.segment_drift_detected.v1"
    weeks: tuple[DriftWeek, ...]


class SegmentDriftEnded(SegmentDriftEvent):
    """The customers of a segment pay as before again."""

    type: ClassVar[str] = "dueward.credit.segment_drift_ended.v1"


class ReviewState(Payload):
    """A person's look at a customer's credit. `because` names what made it due; `owner` does it, null while nobody took
    it."""

    id: UUID
    version: int
    status: Annotated[Literal["open", "done"], Growing()]
    because: tuple[str, ...]
    opened_on: date
    due_on: date
    owner: str | None = None
    outcome: (
        Annotated[
            Literal["no_change", "limit_changed", "terms_changed", "hold_placed", "security_asked_for", "other"],
            Growing(),
        ]
        | None
    ) = None


class ReviewEvent(Event):
    topic: ClassVar[str] = "ar.credit"
    review: ReviewState

    @property
    def subject(self) -> UUID:
        return self.review.id

    @property
    def version(self) -> int:
        return self.review.version


class ReviewDue(ReviewEvent):
    """A customer's credit is to be looked at by a person until `due_on`."""

    type: ClassVar[str] = "dueward.credit.review_due.v1"


class ReviewDone(ReviewEvent):
    """A person looked at a customer's credit."""

    type: ClassVar[str] = "dueward.credit.review_done.v1"


class GroupState(Payload):
    """What a company and all that belong to it may owe together, besides what each may. `limit` is null where there is
    none any more; `exposure` is what they owe together, one amount for each currency."""

    id: UUID
    version: int
    top_id: UUID
    limit: Money | None
    exposure: tuple[Money, ...]


class GroupLimitChanged(Event):
    """The limit of a group was set, changed or taken away."""

    topic: ClassVar[str] = "ar.credit"
    type: ClassVar[str] = "dueward.credit.group_limit_changed.v1"
    group: GroupState
    previous_limit: Money | None
    reason: str

    @property
    def subject(self) -> UUID:
        return self.group.id

    @property
    def version(self) -> int:
        return self.group.version
