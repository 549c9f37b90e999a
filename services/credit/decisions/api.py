"""Credit decisions over HTTP: ask for one, and look at those that were given."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from services.credit.decisions import handlers, rules
from services.credit.decisions.handlers import MakeDecision
from services.credit.decisions.rules import AskedAs, Decision
from services.credit.exposure.rules import Breakdown
from shared.db import reading
from shared.errors import Refused
from shared.http.cursors import encode_cursor
from shared.http.dependencies import DatabaseDep, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page, ProblemDocument
from shared.http.problems import problem_of
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["credit decisions"])

QUESTIONS_MAX = 100


class MakeDecisionIn(Body):
    customer_id: UUID
    amount: Money
    reference: Annotated[str, Field(min_length=1, max_length=128)] | None = Field(
        default=None, description="What the amount is for, such as an order or invoice number"
    )


class DecisionOut(BaseModel):
    """`available` is what the limit left before the requested amount; `exposure.total` is what counted against it."""

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

    @classmethod
    def of(cls, decision: Decision) -> "DecisionOut":
        return cls(
            id=decision.id,
            customer_id=decision.customer_id,
            decided_at=decision.decided_at,
            outcome=decision.outcome,
            reasons=decision.reasons,
            explanation=rules.explain(decision),
            requested=decision.requested,
            limit=decision.limit,
            exposure=decision.exposure.against(decision.limit.currency),
            available=decision.available,
            reference=decision.reference,
        )


class QuestionIn(MakeDecisionIn):
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
async def make_decision(body: MakeDecisionIn, once: Once) -> Response:
    """May the customer owe this much more? The answer is recorded and published; it reserves nothing."""
    async with once as tx:
        decision = await handlers.make_decision(tx, MakeDecision(body.customer_id, body.amount, body.reference, tx.now))
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
    shown = decisions[: page.limit]
    more = encode_cursor([str(shown[-1].id)]) if len(decisions) > page.limit else None
    return Page[DecisionOut](items=[DecisionOut.of(decision) for decision in shown], next_cursor=more)


@router.get("/credit-decisions/{decision_id}", response_model=DecisionOut, dependencies=[scope("credit:read")])
async def show_decision(decision_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        decision = await handlers.get_decision(tx, decision_id)
    return respond(DecisionOut.of(decision))
