"""May this customer owe this much more?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from services.credit.exposure.rules import Breakdown, Exposure, Facts, Pass
from services.credit.limits.rules import Account, rules_of, usable_rates
from services.credit.rates.rules import convert
from shared.calendar import local_date
from shared.errors import Conflict, NotFound, Refused
from shared.events.credit import CreditDecision, CreditDecisionMade
from shared.money import Money

Verdict = Literal["approved", "referred", "declined"]
Purpose = Literal["order", "invoice"]


class UnknownCustomer(Refused):
    slug = "unknown-customer"
    title = "The customer named in the request is not known"

    def __init__(self, customer_id: UUID) -> None:
        super().__init__(f"No customer has the id {customer_id}.", field="/customer_id")


class QuestionChanged(Refused):
    slug = "question-changed"
    title = "Another question was asked under this name before"


class DecisionNotFound(NotFound):
    slug = "credit-decision-not-found"
    title = "There is no such credit decision"

    def __init__(self, decision_id: UUID) -> None:
        super().__init__(f"No credit decision has the id {decision_id}.")


class OverrideRefused(Conflict):
    slug = "override-refused"
    title = "There is nothing to let pass"


class NoInputsKept(Conflict):
    slug = "no-inputs-kept"
    title = "The decision is older than the keeping of all inputs"


class Reason(StrEnum):
    WITHIN_LIMIT = "within_limit"
    OVERRIDDEN = "overridden"
    OVER_LIMIT = "over_limit"
    OVER_GROUP_LIMIT = "over_group_limit"
    ON_HOLD = "on_hold"
    CUSTOMER_CLOSED = "customer_closed"
    NO_RATE = "no_rate_for_requested_currency"
    NO_RATE_FOR_GROUP = "no_rate_for_group_limit"
    OTHER_CURRENCIES_NOT_COUNTED = "other_currencies_not_counted"


@dataclass(frozen=True, slots=True)
class AskedAs:
    """Who asks, and the name it gives its question."""

    caller: str
    name: str


@dataclass(frozen=True, slots=True)
class Question:
    """`reference` is what the amount is for; `order` the order it belongs to, where that is another: what is reserved
    for the order is not counted against it. An invoice is held by other holds than an order, and never referred: it is
    too late for that."""

    requested: Money
    reference: str | None = None
    order: str | None = None
    purpose: Purpose = "order"

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name in (self.reference, self.order) if name)


@dataclass(frozen=True, slots=True)
class Override:
    """A person let pass what the rules did not, until a moment."""

    decision_id: UUID
    customer_id: UUID
    reference: str
    amount: Money
    reason: str
    overridden_by: str
    overridden_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that an answer rests on: the same inputs give the same answer."""

    question: Question
    customer_status: str
    held: tuple[str, ...]
    limit: Money
    facts: Facts


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer with the facts it was given on. `available` is before the requested amount."""

    id: UUID
    customer_id: UUID
    decided_at: datetime
    requested: Money
    reference: str | None
    outcome: Verdict
    reasons: tuple[Reason, ...]
    limit: Money
    available: Money
    account_version: int
    exposure: Exposure
    inputs: Inputs | None = None
    reserved_until: datetime | None = None

    @property
    def counted(self) -> Breakdown:
        """What counted against the limit, by the rates of that day."""
        return self.exposure.against(self.limit.currency, self.inputs.facts.rates if self.inputs else None)


@dataclass(frozen=True, slots=True)
class Outcome:
    decision: Decision
    events: tuple[CreditDecisionMade, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    outcome: Verdict
    reasons: tuple[Reason, ...]
    available: Money


def decide(
    id: UUID,
    account: Account,
    facts: Facts,
    question: Question,
    now: datetime,
    reserved_until: datetime | None = None,
) -> Outcome:
    """Answer a question, and keep with the answer all that it rests on. `reserved_until` is what a reservation would
    hold for. Raises Refused for an amount that is not above zero."""
    if question.requested.minor <= 0:
        raise Refused(f"A decision is about an amount above zero, not {question.requested}.", field="/amount/amount")
    inputs = _inputs(account, facts, question, now)
    judged = judge(inputs, now)
    decision = Decision(
        id=id,
        customer_id=account.customer_id,
        decided_at=now,
        requested=question.requested,
        reference=question.reference,
        outcome=judged.outcome,
        reasons=judged.reasons,
        limit=account.limit,
        available=judged.available,
        account_version=account.version,
        exposure=facts.exposure,
        inputs=inputs,
        reserved_until=reserved_until if judged.outcome == "approved" else None,
    )
    return Outcome(decision, (_made(decision),))


def judge(inputs: Inputs, now: datetime) -> Judgement:
    """Approve what still fits the limit, and the group's, up to and including its last minor unit.

    Amounts in other currencies count by the rates of the day. What is owed in a currency without a rate is listed and
    not counted; a request in one is declined for that reason, and nothing is guessed. An order on hold, or over the
    limit by no more than the policy leaves to a person, is referred; an invoice is declined then.
    """
    question, facts, limit = inputs.question, inputs.facts, inputs.limit
    policy, rates = rules_of(facts.policy_rules), facts.rates
    counted = facts.exposure.against(limit.currency, rates)
    headroom = limit - counted.total + _own(facts, question, limit.currency)
    declined: list[Reason] = []
    referred: list[Reason] = []

    if inputs.customer_status != "active":
        declined.append(Reason.CUSTOMER_CLOSED)
    asked = convert(question.requested, limit.currency, rates)
    if asked is None:
        declined.append(Reason.NO_RATE)
    elif (over := asked.minor - headroom.minor) > 0:
        left_to_a_person = question.purpose == "order" and over * 100 <= limit.minor * policy.refer_over_percent
        (referred if left_to_a_person else declined).append(Reason.OVER_LIMIT)
    if reason := _group_forbids(question, facts):
        declined.append(reason)
    if ("orders" if question.purpose == "order" else "invoices") in inputs.held:
        (referred if question.purpose == "order" else declined).append(Reason.ON_HOLD)

    reasons = declined + referred
    outcome: Verdict = "declined" if declined else "referred" if referred else "approved"
    if not reasons:
        reasons = [Reason.WITHIN_LIMIT]
    elif Reason.CUSTOMER_CLOSED not in reasons and any(_lets_pass(each, question, now) for each in facts.passes):
        outcome, reasons = "approved", [Reason.OVERRIDDEN, *reasons]
    if counted.not_counted:
        reasons.append(Reason.OTHER_CURRENCIES_NOT_COUNTED)
    return Judgement(outcome, tuple(reasons), headroom)


def _own(facts: Facts, question: Question, currency: str) -> Money:
    """What is reserved for this very order, and counted already."""
    total = Money.zero(currency)
    for name in dict.fromkeys(question.names):
        if name in facts.own and (amount := convert(facts.own[name], currency, facts.rates)):
            total += amount
    return total


def _group_forbids(question: Question, facts: Facts) -> Reason | None:
    group, rates = facts.group, facts.rates
    if group is None:
        return None
    currency = group.limit.currency
    asked = convert(question.requested, currency, rates)
    if asked is None:
        return Reason.NO_RATE_FOR_GROUP
    headroom = group.limit - group.exposure.against(currency, rates).total + _own(facts, question, currency)
    return Reason.OVER_GROUP_LIMIT if asked.minor > headroom.minor else None


def _lets_pass(each: Pass, question: Question, now: datetime) -> bool:
    return (
        each.reference in question.names
        and each.expires_at > now
        and each.amount.currency == question.requested.currency
        and question.requested.minor <= each.amount.minor
    )


def _inputs(account: Account, facts: Facts, question: Question, now: datetime) -> Inputs:
    """Of the rates only those that are used, and none that are too old."""
    rates = usable_rates(facts, rules_of(facts.policy_rules), local_date(now, "UTC"))
    used = facts.exposure.currencies | {account.limit.currency, question.requested.currency}
    if facts.group:
        used |= facts.group.exposure.currencies | {facts.group.limit.currency}
    kept = Facts(
        exposure=facts.exposure,
        rates=rates.only(used) if rates and len(used) > 1 else None,
        group=facts.group,
        own={name: facts.own[name] for name in question.names if name in facts.own},
        passes=tuple(each for each in facts.passes if each.reference in question.names),
        policy_version=facts.policy_version,
        policy_rules=facts.policy_rules,
    )
    return Inputs(question, account.customer_status, account.held, account.limit, kept)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the kept inputs give today, beside what was answered."""

    decision: Decision
    judged: Judgement

    @property
    def same(self) -> bool:
        given = self.decision
        return (given.outcome, given.reasons, given.available) == (
            self.judged.outcome,
            self.judged.reasons,
            self.judged.available,
        )


def replay(decision: Decision) -> Replayed:
    """Raises NoInputsKept."""
    if decision.inputs is None:
        raise NoInputsKept(f"Decision {decision.id} was made before all inputs were kept.")
    return Replayed(decision, judge(decision.inputs, decision.decided_at))


def override(decision: Decision, reason: str, by: str, expires_at: datetime, now: datetime) -> Override:
    """Let an order pass that was not approved. Raises OverrideRefused, and Refused for a moment that is past."""
    if decision.outcome == "approved":
        raise OverrideRefused("The decision was to approve it.")
    if Reason.CUSTOMER_CLOSED in decision.reasons:
        raise OverrideRefused("The customer is closed.")
    if decision.reference is None:
        raise OverrideRefused("The decision names no order, so nothing could be known again as what was let pass.")
    if expires_at <= now:
        raise Refused(f"An override until {expires_at.isoformat()} would have ended already.", field="/expires_at")
    return Override(
        decision.id, decision.customer_id, decision.reference, decision.requested, reason, by, now, expires_at
    )


def same_question(given: Decision, repeated: Decision) -> Decision | Refused:
    """The decision that was given, or QuestionChanged where the repeated one is about something else."""
    before, again = ((d.customer_id, d.requested, d.reference) for d in (given, repeated))
    if before == again:
        return given
    return QuestionChanged(
        "asked_as was sent before with another question; a new question takes a new name", field="/asked_as"
    )


def explain(decision: Decision) -> str:
    """The reasons in a sentence for a person."""
    limit, requested, headroom = decision.limit, decision.requested, decision.available
    counted = decision.counted
    owed, group = counted.total, decision.inputs.facts.group if decision.inputs else None
    sentences = {
        Reason.WITHIN_LIMIT: f"{requested} fits: of the limit of {limit}, {owed} is taken and {headroom} available.",
        Reason.OVER_LIMIT: f"{requested} is too much: of the limit of {limit}, {owed} is taken"
        + (f" and {headroom} available." if headroom.minor >= 0 else f", {-headroom} more than allowed."),
        Reason.OVERRIDDEN: "A person let this order pass.",
        Reason.OVER_GROUP_LIMIT: f"The group's limit{f' of {group.limit}' if group else ''} is too little.",
        Reason.ON_HOLD: "The customer is on hold.",
        Reason.CUSTOMER_CLOSED: "The customer is closed.",
        Reason.NO_RATE_FOR_GROUP: f"There is no rate to compare {requested} with the group's limit.",
        Reason.NO_RATE: f"The limit is in {limit.currency}, and there is no rate to compare {requested} with it.",
        Reason.OTHER_CURRENCIES_NOT_COUNTED: "Owed besides, and not counted: "
        + ", ".join(map(str, counted.not_counted))
        + ".",
    }
    return " ".join(sentences[reason] for reason in decision.reasons)


def _made(decision: Decision) -> CreditDecisionMade:
    today = local_date(decision.decided_at, "UTC")
    return CreditDecisionMade(
        customer_id=decision.customer_id,
        effective_on=today,
        booked_on=today,
        decision=CreditDecision(
            id=decision.id,
            version=1,
            outcome=decision.outcome,
            reasons=tuple(map(str, decision.reasons)),
            requested=decision.requested,
            limit=decision.limit,
            exposure=decision.counted.total,
            available=decision.available,
            reserved_until=decision.reserved_until,
        ),
        reference=decision.reference,
    )
