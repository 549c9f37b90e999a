"""Letters about limits over HTTP: what was written to whom, what became of it, and once more."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from services.credit.limit_letters import handlers, rules
from services.credit.limit_letters.rules import Letter
from services.credit.onboarding_mails.rules import Status
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once, PageParams
from shared.http.models import Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["limit letters"])


class LimitLetterOut(BaseModel):
    """`status` is planned, sending, sent, refused (with `detail`) or unknown: then it may have left, and is not sent
    again by itself. `plain` is what it said."""

    id: UUID
    customer_id: UUID
    before: Money | None
    limit: Money
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

    @classmethod
    def of(cls, letter: Letter) -> "LimitLetterOut":
        return cls.model_validate(letter, from_attributes=True)


@router.get("/limit-letters", response_model=Page[LimitLetterOut], dependencies=[scope("credit:read")])
async def list_limit_letters(
    database: DatabaseDep,
    page: PageParams,
    customer_id: Annotated[UUID | None, Query()] = None,
    status: Annotated[Status | None, Query()] = None,
) -> Response:
    """What customers were written about their limits, the newest first."""
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_letters(tx, customer_id, status, before, page.limit + 1)
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
        letter = await handlers.repeat_letter(tx, letter_id)
        return once.answer(201, LimitLetterOut.of(letter))
