"""Credit decisions over HTTP: ask for one, and look at those that were given."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from services.credit.decisions import handlers, rules
from services.credit.decisions.handlers import MakeDecision
from services.credit.decisions.rules import AskedAs, Decision, Override, Replayed
from services.credit.exposure.rules import Breakdown
from shared.db import reading
from shared.errors import Refused
from shared.http.dependencies import DatabaseDep, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page, ProblemDocument
from shared.http.problems import problem_of
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["credit decisions"])

QUESTIONS_MAX = 100


class AskIn(Body):
    customer_id: UUID
    amount: Money
    reference: Annotated[str, Field(min_length=1, max_length=128)] | None = Field(
        default=None, description="What the amount is for, such as an order or invoice number"
    )
    order: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None,
        description="The order it belongs to, where the reference is another: its reservation is not counted",
    )


class MakeDecisionIn(AskIn):
    purpose: rules.Purpose = Field(default="order", description="An invoice obeys holds on invoices")
    reserve: bool = Field(default=False, description="Keep the headroom for the order that `reference` names")
    reserve_until: AwareDatetime | None = Field(default=None, description="Left out: as long as the policy says")


class DecisionOut(BaseModel):
    """`available` is what the limit left before the requested amount; `exposure.total` is what counted against it.
    `reserved_until`: the amount is kept for the order until then, or until it is invoiced."""

    id: UUID
    customer_id: UUID
    decided_at: datetime
    outcome: rules.Verdict
    reasons: tuple[rules.Reason, ...]
    explanation: str
    requested: Money
    limit: Money
    exposure: Breakdown
    available: Money
    reference: str | None
    reserved_until: datetime | None
    held: tuple[str, ...]
    account_version: int
    policy_version: int | None
    rates_on: date | None

    @classmethod
    def of(cls, decision: Decision) -> "DecisionOut":
        inputs = decision.inputs
        return cls(
            id=decision.id,
            customer_id=decision.customer_id,
            decided_at=decision.decided_at,
            outcome=decision.outcome,
            reasons=decision.reasons,
            explanation=rules.explain(decision),
            requested=decision.requested,
            limit=decision.limit,
            exposure=decision.counted,
            available=decision.available,
            reference=decision.reference,
            reserved_until=decision.reserved_until,
            held=inputs.held if inputs else (),
            account_version=decision.account_version,
            policy_version=inputs.facts.policy_version if inputs else None,
            rates_on=inputs.facts.rates.on if inputs and inputs.facts.rates else None,
        )


class QuestionIn(AskIn):
    purpose: rules.Purpose = "invoice"
    asked_as: Annotated[str, Field(min_length=1, max_length=255)] = Field(
        description="The caller's own name for this question"
    )
    correlation_id: Annotated[str, Field(pattern=r"^[\w.:/+=-]{1,128}$")] | None = Field(
        default=None, description="The work this is asked for, where it is not the request's"
    )


class MakeDecisionsIn(Body):
    questions: Annotated[tuple[QuestionIn, ...], Field(min_length=1, max_length=QUESTIONS_MAX)]


class AnswerOut(BaseModel):
    """Either a decision or a problem."""

    asked_as: str
    decision: DecisionOut | None = None
    problem: ProblemDocument | None = None


class AnswersOut(BaseModel):
    answers: list[AnswerOut]


@router.post("/credit-decisions", status_code=201, response_model=DecisionOut, dependencies=[scope("credit:write")])
async def make_decision(body: MakeDecisionIn, once: Once, principal: PrincipalDep) -> Response:
    """May the customer owe this much more? The answer is recorded and published. It reserves nothing unless asked:
    then an approved order keeps its headroom, and one that is not approved stands among the blocked orders."""
    async with once as tx:
        command = MakeDecision(
            customer_id=body.customer_id,
            requested=body.amount,
            reference=body.reference,
            now=tx.now,
            order=body.order,
            purpose=body.purpose,
            reserve=body.reserve,
            reserve_until=body.reserve_until,
            asked_by=principal.subject,
        )
        decision = await handlers.make_decision(tx, command)
        return once.answer(201, DecisionOut.of(decision), location=f"/v1/credit-decisions/{decision.id}")


@router.post(
    "/credit-decisions/batches", status_code=201, response_model=AnswersOut, dependencies=[scope("credit:write")]
)
async def make_decisions(body: MakeDecisionsIn, once: Once, principal: PrincipalDep, request: Request) -> Response:
    """Many questions at once, each with a decision or a problem of its own; in the order they were asked.

    `asked_as` names a question for good: asked again, alone or among others, it gets the decision that was made.
    """
    async with once as tx:
        commands = [
            MakeDecision(
                customer_id=question.customer_id,
                requested=question.amount,
                reference=question.reference,
                now=tx.now,
                asked=AskedAs(principal.key, question.asked_as),
                correlation=question.correlation_id,
                order=question.order,
                purpose=question.purpose,
            )
            for question in body.questions
        ]
        decided = await handlers.make_decisions(tx, commands)
        answers = [
            _answer(question.asked_as, outcome, f"/questions/{n}", request.url.path)
            for n, (question, outcome) in enumerate(zip(body.questions, decided, strict=True))
        ]
        return once.answer(201, AnswersOut(answers=answers))


def _answer(asked_as: str, outcome: Decision | Refused, place: str, instance: str) -> AnswerOut:
    if isinstance(outcome, Decision):
        return AnswerOut(asked_as=asked_as, decision=DecisionOut.of(outcome))
    return AnswerOut(asked_as=asked_as, problem=problem_of(outcome, instance, place))


@router.get("/credit-decisions", response_model=Page[DecisionOut], dependencies=[scope("credit:read")])
async def list_decisions(
    database: DatabaseDep, page: PageParams, customer_id: Annotated[UUID, Query()]
) -> Page[DecisionOut]:
    """A customer's decisions, the newest first."""
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        decisions = await handlers.list_decisions(tx, customer_id, before, page.limit + 1)
    shown, more = page.cut(decisions, lambda last: [last.id])
    return Page[DecisionOut](items=[DecisionOut.of(decision) for decision in shown], next_cursor=more)


@router.get("/credit-decisions/{decision_id}", response_model=DecisionOut, dependencies=[scope("credit:read")])
async def show_decision(decision_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        decision = await handlers.get_decision(tx, decision_id)
    return respond(DecisionOut.of(decision))


class ReplayOut(BaseModel):
    """`same`: the inputs that were kept give the answer that was given."""

    same: bool
    decision: DecisionOut
    outcome: rules.Verdict
    reasons: tuple[rules.Reason, ...]
    available: Money

    @classmethod
    def of(cls, replayed: Replayed) -> "ReplayOut":
        return cls(
            same=replayed.same,
            decision=DecisionOut.of(replayed.decision),
            outcome=replayed.judged.outcome,
            reasons=replayed.judged.reasons,
            available=replayed.judged.available,
        )


class OverrideIn(Body):
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    expires_at: AwareDatetime = Field(description="Until when the order passes")


class OverrideOut(BaseModel):
    decision_id: UUID
    reference: str
    amount: Money
    reason: str
    overridden_by: str
    overridden_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, override: Override) -> "OverrideOut":
        return cls.model_validate(override, from_attributes=True)


@router.post("/credit-decisions/{decision_id}/replay", response_model=ReplayOut, dependencies=[scope("credit:read")])
async def replay_decision(decision_id: UUID, database: DatabaseDep) -> Response:
    """Decide again on the inputs and versions that were kept; changes nothing, and needs no Idempotency-Key."""
    async with reading(database) as tx:
        replayed = await handlers.replay_decision(tx, decision_id)
    return respond(ReplayOut.of(replayed))


@router.post(
    "/credit-decisions/{decision_id}/overrides",
    status_code=201,
    response_model=OverrideOut,
    dependencies=[scope("credit:approve")],
)
async def override_decision(decision_id: UUID, body: OverrideIn, once: Once, principal: PrincipalDep) -> Response:
    """Let an order pass that was not approved, for a while: asked again it is approved, and if it stood among the
    blocked orders it is released with a reservation until then."""
    async with once as tx:
        _, override = await handlers.override_decision(tx, decision_id, body.reason, principal.subject, body.expires_at)
        return once.answer(201, OverrideOut.of(override))
