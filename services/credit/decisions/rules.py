"""May this customer owe this much more?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from services.credit.exposure.rules import Exposure
from services.credit.limits.rules import Account, available
from shared.calendar import local_date
from shared.errors import NotFound, Refused
from shared.events.credit import CreditDecision, CreditDecisionMade
from shared.money import Money

Verdict = Literal["approved", "declined"]


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


class Reason(StrEnum):
    WITHIN_LIMIT = "within_limit"
    OVER_LIMIT = "over_limit"
    CUSTOMER_CLOSED = "customer_closed"
    NO_RATE = "no_rate_for_requested_currency"
    OTHER_CURRENCIES_NOT_COUNTED = "other_currencies_not_counted"


@dataclass(frozen=True, slots=True)
class AskedAs:
    """Who asks, and the name it gives its question."""

    caller: str
    name: str


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


@dataclass(frozen=True, slots=True)
class Outcome:
    decision: Decision
    events: tuple[CreditDecisionMade, ...]


def decide(
    id: UUID, account: Account, exposure: Exposure, requested: Money, reference: str | None, now: datetime
) -> Outcome:
    """Approve what still fits the limit, up to and including its last minor unit.

    Only amounts in the limit's currency can be compared, as there are no exchange rates yet: what is owed in other
    currencies is listed and not counted, and a request in another currency is declined for that reason.
    """
    if requested.minor <= 0:
        raise Refused(f"A decision is about an amount above zero, not {requested}.", field="/amount/amount")
    headroom = available(account.limit, exposure)
    reasons: list[Reason] = []
    if account.customer_status != "active":
        reasons.append(Reason.CUSTOMER_CLOSED)
    if requested.currency != account.limit.currency:
        reasons.append(Reason.NO_RATE)
    elif requested.minor > headroom.minor:
        reasons.append(Reason.OVER_LIMIT)
    verdict: Verdict = "declined" if reasons else "approved"
    if not reasons:
        reasons.append(Reason.WITHIN_LIMIT)
    if exposure.beside(account.limit.currency):
        reasons.append(Reason.OTHER_CURRENCIES_NOT_COUNTED)

    decision = Decision(
        id=id,
        customer_id=account.customer_id,
        decided_at=now,
        requested=requested,
        reference=reference,
        outcome=verdict,
        reasons=tuple(reasons),
        limit=account.limit,
        available=headroom,
        account_version=account.version,
        exposure=exposure,
    )
    return Outcome(decision, (_made(decision),))


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
    owed = decision.exposure.open_in(limit.currency)
    sentences = {
        Reason.WITHIN_LIMIT: f"{requested} fits: of the limit of {limit}, {owed} is taken and {headroom} available.",
        Reason.OVER_LIMIT: f"{requested} is too much: of the limit of {limit}, {owed} is taken"
        + (f" and {headroom} available." if headroom.minor >= 0 else f", {-headroom} more than allowed."),
        Reason.CUSTOMER_CLOSED: "The customer is closed.",
        Reason.NO_RATE: f"The limit is in {limit.currency}, and there is no rate to compare {requested} with it.",
        Reason.OTHER_CURRENCIES_NOT_COUNTED: "Owed besides, and not counted: "
        + ", ".join(map(str, decision.exposure.beside(limit.currency)))
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
            exposure=decision.exposure.open_in(decision.limit.currency),
            available=decision.available,
        ),
        reference=decision.reference,
    )
