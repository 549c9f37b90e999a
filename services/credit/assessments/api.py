"""Assessments over HTTP: assess a customer, look at how it came out, make it again, and try a scorecard on the book."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from services.credit.assessments import handlers
from services.credit.assessments.handlers import AssessCustomer
from services.credit.assessments.rules import Assessment, Move, Mover, Result, Trial
from services.credit.behaviour.rules import History
from services.credit.ratios.rules import Ratios
from services.credit.scorecards.rules import Counted, InvalidScorecard, RiskClass
from services.credit.vetting.rules import Input, LeftOut
from shared.db import reading
from shared.documents import Fault
from shared.http.dependencies import DatabaseDep, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["assessments"])


class AssessIn(Body):
    scorecard: Annotated[str, Field(min_length=1, max_length=60)] | None = Field(
        default=None, description="By name; else the one it was assessed by last, else `standard`"
    )


class ReasonOut(BaseModel):
    """What one characteristic added; `reason` is the scorecard's code, `says` the same in words."""

    characteristic: str
    value: str | None
    points: int
    reason: str
    says: str

    @classmethod
    def of(cls, counted: Counted) -> "ReasonOut":
        return cls(**{name: getattr(counted, name) for name in cls.model_fields})


class ResultOut(BaseModel):
    """`raised` and `lowered` go from the heaviest to the lightest; `probability_of_default` is within a year."""

    score: int
    risk_class: RiskClass
    probability_of_default: Decimal
    valid_until: date
    raised: tuple[ReasonOut, ...]
    lowered: tuple[ReasonOut, ...]
    neutral: tuple[ReasonOut, ...]
    ratios: Ratios | None

    @classmethod
    def of(cls, result: Result) -> "ResultOut":
        score = result.score
        return cls(
            score=score.score,
            risk_class=score.risk_class,
            probability_of_default=score.probability_of_default,
            valid_until=result.valid_until,
            raised=tuple(map(ReasonOut.of, score.raised)),
            lowered=tuple(map(ReasonOut.of, score.lowered)),
            neutral=tuple(map(ReasonOut.of, score.neutral)),
            ratios=result.ratios,
        )


class AssessmentOut(ResultOut):
    """With what it rests on: `inputs` counted, `left_out` did not and say why."""

    id: UUID
    customer_id: UUID
    assessed_at: datetime
    assessed_by: str
    because: tuple[str, ...]
    scorecard: str
    scorecard_version: int
    history: History
    inputs: tuple[Input, ...]
    left_out: tuple[LeftOut, ...]

    @classmethod
    def of_assessment(cls, made: Assessment) -> "AssessmentOut":
        return cls(
            **dict(ResultOut.of(made.result)),
            id=made.id,
            customer_id=made.customer_id,
            assessed_at=made.assessed_at,
            assessed_by=made.assessed_by,
            because=made.because,
            scorecard=made.scorecard,
            scorecard_version=made.scorecard_version,
            history=made.material.history,
            inputs=made.material.inputs,
            left_out=made.material.left_out,
        )


class ReplayOut(BaseModel):
    """`same` says whether the stored material gives the stored answer."""

    same: bool
    stored: ResultOut
    replayed: ResultOut


class TrialOut(BaseModel):
    """`moves` counts customers for each pair of classes, those that stay included; `movers` are the first
    200 that go, the furthest first."""

    customers: int
    better: int
    worse: int
    moves: tuple[Move, ...]
    movers: tuple[Mover, ...]

    @classmethod
    def of(cls, trial: Trial) -> "TrialOut":
        return cls(**{name: getattr(trial, name) for name in cls.model_fields})


@router.post(
    "/customers/{customer_id}/assessments",
    status_code=201,
    response_model=AssessmentOut,
    dependencies=[scope("credit:write")],
)
async def assess_customer(customer_id: UUID, body: AssessIn, once: Once, caller: PrincipalDep) -> Response:
    """Score all that is known of the customer now. From here on it is assessed again by itself: when an input expires,
    when another comes in, and after late payments, disputes, write-offs and broken promises."""
    async with once as tx:
        made = await handlers.assess_customer(tx, AssessCustomer(customer_id, body.scorecard, caller.subject))
        return once.answer(201, AssessmentOut.of_assessment(made), location=f"/v1/assessments/{made.id}")


@router.get(
    "/customers/{customer_id}/assessments", response_model=Page[AssessmentOut], dependencies=[scope("credit:read")]
)
async def list_assessments(customer_id: UUID, database: DatabaseDep, page: PageParams) -> Page[AssessmentOut]:
    """A customer's assessments, the newest first."""
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        made = await handlers.list_assessments(tx, customer_id, before, page.limit + 1)
    shown, more = page.cut(made, lambda last: [last.id])
    return Page[AssessmentOut](items=[AssessmentOut.of_assessment(each) for each in shown], next_cursor=more)


@router.get("/assessments/{assessment_id}", response_model=AssessmentOut, dependencies=[scope("credit:read")])
async def show_assessment(assessment_id: UUID, database: DatabaseDep) -> Response:
    """An assessment with all that it rests on."""
    async with reading(database) as tx:
        made = await handlers.get_assessment(tx, assessment_id)
    return respond(AssessmentOut.of_assessment(made))


@router.post("/assessments/{assessment_id}/replay", response_model=ReplayOut, dependencies=[scope("credit:read")])
async def replay_assessment(assessment_id: UUID, database: DatabaseDep) -> Response:
    """Make an assessment again from what is stored with it, by its own version of the scorecard; changes nothing."""
    async with reading(database) as tx:
        stored, again = await handlers.replay(tx, assessment_id)
    out = ReplayOut(same=stored.result == again, stored=ResultOut.of(stored.result), replayed=ResultOut.of(again))
    return respond(out)


@router.post(
    "/scorecards/{name}/trials",
    response_model=TrialOut,
    dependencies=[scope("credit:read")],
    openapi_extra={
        "requestBody": {
            "required": False,
            "description": "A document to try, as YAML or JSON; without one the newest version is tried",
            "content": {
                "application/yaml": {"schema": {"type": "string"}},
                "application/json": {"schema": {"type": "object"}},
            },
        }
    },
)
async def try_scorecard(name: str, request: Request, database: DatabaseDep) -> Response:
    """What a scorecard would make of the book: moves between classes, on the material of each customer's newest
    assessment. Changes nothing."""
    try:
        document = (await request.body()).decode()
    except UnicodeDecodeError as fault:
        raise InvalidScorecard([Fault(1, "", f"not UTF-8: {fault.reason}")]) from None
    async with reading(database) as tx:
        trial = await handlers.try_scorecard(tx, name, document or None)
    return respond(TrialOut.of(trial))
