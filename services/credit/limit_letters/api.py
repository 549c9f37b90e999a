"""Letters about limits and terms over HTTP: what was written to whom, what became of it, and once more."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from services.credit.limit_letters import handlers, rules
from services.credit.limit_letters.rules import Letter, LimitChange, TermsChange
from services.credit.onboarding_mails.rules import Status
from services.credit.terms.rules import Terms
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once, PageParams
from shared.http.models import Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["limit letters"])

CustomerQuery = Annotated[UUID | None, Query()]
StatusQuery = Annotated[Status | None, Query()]


class LetterOut(BaseModel):
    """`status` is planned, sending, sent, refused (with `detail`) or unknown: then it may have left, and is not sent
    again by itself. `plain` is what it said."""

    id: UUID
    customer_id: UUID
    reason: rules.Reason
    effective_on: date
    language: str
    recipient: str | None
    recipient_name: str
    planned_at: datetime
    repeat_of: UUID | None
    status: Status
    attempts: int
    ended_at: datetime | None
    detail: str | None
    subject: str | None
    plain: str | None


class LimitLetterOut(LetterOut):
    before: Money | None
    limit: Money

    @classmethod
    def of(cls, letter: Letter) -> "LimitLetterOut":
        about = letter.about
        assert isinstance(about, LimitChange)
        return cls(**_said(letter), before=about.before, limit=about.after)


class TermLetterOut(LetterOut):
    before: Terms
    terms: Terms

    @classmethod
    def of(cls, letter: Letter) -> "TermLetterOut":
        about = letter.about
        assert isinstance(about, TermsChange)
        return cls(**_said(letter), before=about.before, terms=about.after)


def _said(letter: Letter) -> dict[str, Any]:
    return {name: getattr(letter, name) for name in LetterOut.model_fields}


@router.get("/limit-letters", response_model=Page[LimitLetterOut], dependencies=[scope("credit:read")])
async def list_limit_letters(
    database: DatabaseDep, page: PageParams, customer_id: CustomerQuery = None, status: StatusQuery = None
) -> Response:
    """What customers were written about their limits, the newest first."""
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_letters(tx, "limit", customer_id, status, before, page.limit + 1)
    shown, more = page.cut(found, lambda last: [str(last.id)])
    return respond(Page[LimitLetterOut](items=[LimitLetterOut.of(each) for each in shown], next_cursor=more))


@router.post(
    "/limit-letters/{letter_id}/repeats",
    status_code=201,
    response_model=LimitLetterOut,
    dependencies=[scope("credit:write")],
)
async def repeat_limit_letter(letter_id: UUID, once: Once) -> Response:
    """Write one once more that was refused, or of which nobody knows whether it left."""
    async with once as tx:
        letter = await handlers.repeat_letter(tx, "limit", letter_id)
        return once.answer(201, LimitLetterOut.of(letter))


@router.get("/term-letters", response_model=Page[TermLetterOut], dependencies=[scope("credit:read")])
async def list_term_letters(
    database: DatabaseDep, page: PageParams, customer_id: CustomerQuery = None, status: StatusQuery = None
) -> Response:
    """What customers were written about their terms, the newest first."""
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_letters(tx, "terms", customer_id, status, before, page.limit + 1)
    shown, more = page.cut(found, lambda last: [str(last.id)])
    return respond(Page[TermLetterOut](items=[TermLetterOut.of(each) for each in shown], next_cursor=more))


@router.post(
    "/term-letters/{letter_id}/repeats",
    status_code=201,
    response_model=TermLetterOut,
    dependencies=[scope("credit:write")],
)
async def repeat_term_letter(letter_id: UUID, once: Once) -> Response:
    """Write one once more that was refused, or of which nobody knows whether it left."""
    async with once as tx:
        letter = await handlers.repeat_letter(tx, "terms", letter_id)
        return once.answer(201, TermLetterOut.of(letter))
