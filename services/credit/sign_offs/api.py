"""Sign-offs of review packs over HTTP."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.credit.scorecards.rules import DEFAULT
from services.credit.sign_offs import handlers, rules
from services.credit.sign_offs.handlers import SignReview
from services.credit.sign_offs.rules import SignOff
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.security import scope

router = APIRouter(tags=["credit"])

Name = Annotated[str, Field(min_length=1, max_length=60)]


class SignReviewIn(Body):
    from_: date = Field(alias="from", description="Both days are included")
    to: date
    scorecard: Name = DEFAULT
    conclusion: rules.Conclusion
    note: Annotated[str, Field(min_length=1, max_length=2000)] | None = Field(
        default=None, description="What is to change; needed where something is"
    )


class SignOffOut(BaseModel):
    """`figures` are those of the pack as it was signed: decisions and overrides by what became of them, losses by
    currency, and of the scorecard its versions, customers, defaults, Gini and KS."""

    id: UUID
    scorecard: str
    from_: date = Field(validation_alias="first_on", serialization_alias="from")
    to: date = Field(validation_alias="last_on")
    policy_version: int
    conclusion: rules.Conclusion
    note: str | None
    figures: dict[str, Any]
    signed_by: str
    signed_at: datetime

    @classmethod
    def of(cls, signed: SignOff) -> "SignOffOut":
        return cls.model_validate(signed, from_attributes=True)


@router.post("/review-sign-offs", status_code=201, response_model=SignOffOut, dependencies=[scope("credit:approve")])
async def sign_review(body: SignReviewIn, once: Once, principal: PrincipalDep) -> Response:
    """You looked at the review pack of a period, and policy and scorecard stay as they are, or what is to change."""
    async with once as tx:
        command = SignReview(body.scorecard, body.from_, body.to, body.conclusion, body.note, principal.subject)
        signed = await handlers.sign_review(tx, command)
        return once.answer(201, SignOffOut.of(signed))


@router.get("/review-sign-offs", response_model=Page[SignOffOut], dependencies=[scope("credit:read")])
async def list_sign_offs(
    database: DatabaseDep, page: PageParams, scorecard: Annotated[str | None, Query(max_length=60)] = None
) -> Page[SignOffOut]:
    """Newest first."""
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_sign_offs(tx, scorecard, before, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.id])
    return Page[SignOffOut](items=[SignOffOut.of(each) for each in shown], next_cursor=more)
