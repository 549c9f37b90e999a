"""Review packs over HTTP, as JSON and as a PDF: what those who answer for policy and scorecard look at."""

import asyncio
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from services.credit.decisions.rules import Verdict
from services.credit.policy_rules.rules import RiskClass
from services.credit.review_packs import handlers, rules
from services.credit.review_packs.handlers import ReviewPack
from services.credit.scorecards.rules import DEFAULT
from shared.db import Database, snapshot
from shared.http.connected import GONE_AWAY, while_connected
from shared.http.dependencies import DatabaseDep
from shared.http.responses import document, respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["credit"])

Day = Annotated[date, Query(description="Both days are included")]
Name = Annotated[str, Query(min_length=1, max_length=60)]


class PolicyChangeOut(BaseModel):
    version: int
    changed_at: datetime | None
    changed_by: str | None
    reason: str | None
    says: list[str]


class OverriddenOut(BaseModel):
    """`became` is the worst that became of its invoices, `lost` what was written off of them."""

    decision_id: UUID
    customer_id: UUID
    reference: str
    amount: Money
    reason: str
    overridden_by: str
    overridden_at: datetime
    declined_for: tuple[str, ...]
    became: rules.Became
    lost: Money | None


class SoldOut(BaseModel):
    """Invoices by what was decided last of them, the risk class then (null: not assessed) and currency."""

    outcome: str
    risk_class: RiskClass | None
    invoices: int
    amount: Money
    lost_invoices: int
    lost: Money


class PolicyOutcomeOut(BaseModel):
    """`overridden` lists the first 200; `overrides` counts all."""

    version: int
    owner: str | None
    review_on: date | None
    review_overdue: bool
    changes: list[PolicyChangeOut]
    decisions: dict[Verdict, int]
    reasons: dict[str, int]
    overrides: dict[rules.Became, int]
    overridden: list[OverriddenOut]
    sold: list[SoldOut]


class ClassOutcomeOut(BaseModel):
    """`expected` is the mean of the probabilities of default that were given, `actual` the share that defaulted within
    a year; `tail` how likely so many defaults or more are if the mean is right."""

    risk_class: RiskClass
    customers: int
    defaults: int
    expected: str | None
    actual: str | None
    tail: str | None


class ScorecardOutcomeOut(BaseModel):
    """Each customer's first assessment of the period counts, once its year is over (`too_early`: not yet) and where it
    had not defaulted before (`in_default`)."""

    name: str
    versions: tuple[int, ...]
    owner: str
    review_on: date
    review_overdue: bool
    customers: int
    defaults: int
    too_early: int
    in_default: int
    gini: str | None
    ks: str | None
    classes: list[ClassOutcomeOut]


class ReviewPackOut(BaseModel):
    first: date = Field(serialization_alias="from")
    last: date = Field(serialization_alias="to")
    made_on: date
    policy: PolicyOutcomeOut
    scorecard: ScorecardOutcomeOut

    @classmethod
    def of(cls, pack: ReviewPack) -> "ReviewPackOut":
        return cls(
            first=pack.since,
            last=pack.until,
            made_on=pack.made_on,
            policy=_policy(pack),
            scorecard=_scorecard(pack),
        )


def _policy(pack: ReviewPack) -> PolicyOutcomeOut:
    policy, outcome = pack.policy.policy, pack.outcome
    return PolicyOutcomeOut(
        version=policy.version,
        owner=policy.owner,
        review_on=pack.review_on,
        review_overdue=pack.review_on is not None and pack.review_on < pack.made_on,
        changes=[
            PolicyChangeOut(
                version=found.policy.version,
                changed_at=found.changed_at,
                changed_by=found.changed_by,
                reason=found.policy.reason,
                says=[change.says for change in changes],
            )
            for found, changes in pack.changes
        ],
        decisions=dict(outcome.decisions),
        reasons=dict(outcome.reasons),
        overrides=dict(outcome.overrides),
        overridden=[OverriddenOut.model_validate(each, from_attributes=True) for each in outcome.overridden],
        sold=[SoldOut.model_validate(each, from_attributes=True) for each in outcome.sold],
    )


def _scorecard(pack: ReviewPack) -> ScorecardOutcomeOut:
    found = pack.scorecard
    figures = {name: getattr(found, name) for name in ScorecardOutcomeOut.model_fields}
    classes = [
        ClassOutcomeOut(
            risk_class=each.risk_class,
            customers=each.customers,
            defaults=each.defaults,
            expected=_share(each.expected),
            actual=_share(each.actual),
            tail=_share(each.tail),
        )
        for each in found.classes
    ]
    return ScorecardOutcomeOut(**{**figures, "gini": _share(found.gini), "ks": _share(found.ks), "classes": classes})


def _share(value: object) -> str | None:
    return None if value is None else str(value)


@router.get("/review-packs", response_model=ReviewPackOut, dependencies=[scope("credit:read")])
async def show_pack(
    request: Request,
    database: DatabaseDep,
    first: Annotated[Day, Query(alias="from")],
    last: Annotated[Day, Query(alias="to")],
    scorecard: Name = DEFAULT,
) -> Response:
    """Outcomes of a period: defaults by risk class beside the probabilities that were given, how well the scores told
    them apart, what persons let pass and what became of it, and losses by decision and class."""
    found = await while_connected(request, _pack(database, scorecard, first, last))
    return Response(status_code=GONE_AWAY) if found is None else respond(found)


@router.get(
    "/review-packs/document.pdf",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}},
    dependencies=[scope("credit:read")],
)
async def print_pack(
    request: Request,
    database: DatabaseDep,
    first: Annotated[Day, Query(alias="from")],
    last: Annotated[Day, Query(alias="to")],
    scorecard: Name = DEFAULT,
) -> Response:
    """The same to be read and signed, as PDF/A-3."""
    found = await while_connected(request, _pack(database, scorecard, first, last))
    if found is None:
        return Response(status_code=GONE_AWAY)
    view = found.model_dump(mode="json", by_alias=True)
    pdf = await asyncio.to_thread(handlers.print_pack, view, found.made_on)
    return document(pdf, "application/pdf", f"review-{scorecard}-{last}.pdf")


async def _pack(database: Database, scorecard: str, first: date, last: date) -> ReviewPackOut:
    async with snapshot(database) as (tx, _):
        return ReviewPackOut.of(await handlers.gather(tx, scorecard, first, last))
