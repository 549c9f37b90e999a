"""Pauses over HTTP: leave a customer in peace for a while, and end that early."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.reminder.pauses import handlers, rules
from services.reminder.pauses.handlers import EndPause, PauseCase
from services.reminder.pauses.rules import Pause, Wanted
from services.reminder.receivables.rules import ENTITY
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["pauses"])

Number = Annotated[str, Field(min_length=1, max_length=100)]
Note = Annotated[str, Field(min_length=1, max_length=2_000)]
EntityParam = Annotated[str, Query(min_length=1, max_length=40)]


class PauseIn(Body):
    until: date = Field(description="Its last day")
    reason: rules.Why
    note: Note | None = None
    asked_by: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="Who wants it; left out, whoever writes it down"
    )
    items: Annotated[list[Number], Field(max_length=200)] = Field(
        default=[], description="Numbers of the invoices that rest; empty for the whole account"
    )


class EndPauseIn(Body):
    note: Note | None = None


class PauseOut(BaseModel):
    """`over` when it ran out by itself, `ended` when somebody ended it early."""

    id: UUID
    customer_id: UUID
    entity_id: str
    case_id: UUID
    status: rules.Status
    reason: rules.Why
    note: str | None
    items: tuple[str, ...]
    started_on: date
    until: date
    asked_by: str
    made_by: str
    ended_on: date | None
    ended_by: str | None
    ended_why: str | None
    version: int

    @classmethod
    def of(cls, pause: Pause) -> "PauseOut":
        return cls(
            id=pause.id,
            customer_id=pause.customer_id,
            entity_id=pause.entity_id,
            case_id=pause.case_id,
            status=pause.status,
            reason=pause.reason,
            note=pause.note,
            items=pause.items,
            started_on=pause.started_on,
            until=pause.until_on,
            asked_by=pause.asked_by,
            made_by=pause.made_by,
            ended_on=pause.ended_on,
            ended_by=pause.ended_by,
            ended_why=pause.ended_why,
            version=pause.version,
        )


@router.post(
    "/cases/{customer_id}/pauses", status_code=201, response_model=PauseOut, dependencies=[scope("reminders:write")]
)
async def pause_case(
    customer_id: UUID, body: PauseIn, once: Once, principal: PrincipalDep, entity_id: EntityParam = ENTITY
) -> Response:
    """Nothing goes out until its last day has passed, or nothing about the invoices named. One pause runs at a time."""
    asked_by = body.asked_by or principal.subject
    wanted = Wanted(body.until, body.reason, body.note, tuple(body.items), asked_by)
    async with once as tx:
        pause = await handlers.pause_case(tx, PauseCase(customer_id, entity_id, wanted, principal.subject))
        return once.answer(201, PauseOut.of(pause), etag=pause.version, location=f"/v1/pauses/{pause.id}")


@router.post(
    "/pauses/{pause_id}/end", status_code=201, response_model=PauseOut, dependencies=[scope("reminders:write")]
)
async def end_pause(pause_id: UUID, body: EndPauseIn, once: Once, principal: PrincipalDep) -> Response:
    """Before its time: the case goes on at once."""
    async with once as tx:
        pause = await handlers.end_pause(tx, EndPause(pause_id, principal.subject, body.note))
        return once.answer(201, PauseOut.of(pause), etag=pause.version)


@router.get("/cases/{customer_id}/pauses", response_model=Page[PauseOut], dependencies=[scope("reminders:read")])
async def list_of_case(
    customer_id: UUID, database: DatabaseDep, page: PageParams, entity_id: EntityParam = ENTITY
) -> Response:
    """Newest first."""
    return await _page(database, page, customer_id, entity_id, None)


@router.get("/pauses", response_model=Page[PauseOut], dependencies=[scope("reminders:read")])
async def list_pauses(
    database: DatabaseDep,
    page: PageParams,
    customer_id: UUID | None = None,
    entity_id: Annotated[str | None, Query(max_length=40)] = None,
    status: rules.Status | None = None,
) -> Response:
    """Newest first."""
    return await _page(database, page, customer_id, entity_id, status)


@router.get("/pauses/{pause_id}", response_model=PauseOut, dependencies=[scope("reminders:read")])
async def look_at(pause_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        pause = await handlers.get_pause(tx, pause_id)
    return respond(PauseOut.of(pause), etag=pause.version)


async def _page(
    database: DatabaseDep,
    page: PageParams,
    customer_id: UUID | None,
    entity_id: str | None,
    status: rules.Status | None,
) -> Response:
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_pauses(tx, customer_id, entity_id, status, before, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.id])
    return respond(Page[PauseOut](items=[PauseOut.of(each) for each in shown], next_cursor=more))
