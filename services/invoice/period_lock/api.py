"""The period lock over HTTP: close the books up to a day, see who did."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.invoice.drafting.rules import IsoDate
from services.invoice.period_lock import handlers
from services.invoice.period_lock.handlers import LockPeriod
from services.invoice.period_lock.rules import PeriodLock
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["entities"])


class LockPeriodIn(Body):
    locked_until: IsoDate | None = Field(description="The last day of the closed books; null opens them all")
    force: bool = Field(default=False, description="Moves the lock back, into what was closed; needs a reason")
    reason: Annotated[str, Field(min_length=1, max_length=500)] | None = None


class PeriodLockOut(BaseModel):
    entity_id: str
    locked_until: date | None
    version: int


class LockMoveOut(BaseModel):
    """`before` is where the lock stood."""

    id: UUID
    locked_until: date | None
    before: date | None
    reason: str | None
    locked_by: str
    locked_at: datetime

    @classmethod
    def of(cls, lock: PeriodLock) -> "LockMoveOut":
        return cls(
            id=lock.id,
            locked_until=lock.locked_until,
            before=lock.before,
            reason=lock.reason,
            locked_by=lock.locked_by,
            locked_at=lock.locked_at,
        )


@router.put("/entities/{entity_id}/period-lock", response_model=PeriodLockOut, dependencies=[scope("invoices:write")])
async def lock(
    entity_id: str, body: LockPeriodIn, version: IfMatch, principal: PrincipalDep, database: DatabaseDep
) -> Response:
    """Close the books up to a day. What comes in later for that time keeps its dates and is booked with effect of the
    first open day. If-Match is the entity's version."""
    command = LockPeriod(entity_id, version, body.locked_until, principal.subject, body.force, body.reason)
    async with transaction(database) as tx:
        entity = await handlers.lock_period(tx, command)
    answer = PeriodLockOut(entity_id=entity.id, locked_until=entity.locked_until, version=entity.version)
    return respond(answer, etag=entity.version)


@router.get(
    "/entities/{entity_id}/period-lock/moves",
    response_model=Page[LockMoveOut],
    dependencies=[scope("invoices:read")],
)
async def find_moves(entity_id: str, database: DatabaseDep, page: PageParams) -> Response:
    """Every move of the lock, the latest first."""
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_locks(tx, entity_id, before, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.id])
    return respond(Page[LockMoveOut](items=[LockMoveOut.of(each) for each in shown], next_cursor=more))
