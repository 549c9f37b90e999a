"""Calls over HTTP."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, Field

from services.reminder.calls import handlers
from services.reminder.calls.handlers import LogCall
from services.reminder.calls.rules import Call, Direction, Outcome
from services.reminder.receivables.rules import ENTITY
from shared.db import reading
from shared.events.reminder import LatePaymentReason
from shared.http.dependencies import DatabaseDep, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["calls"])

EntityId = Annotated[str, Query(min_length=1, max_length=40)]


class CallIn(Body):
    outcome: Outcome
    direction: Direction = "out"
    person: str | None = Field(default=None, max_length=200, description="With whom you spoke")
    number: str | None = Field(default=None, max_length=40, pattern=r"^\+?[0-9 ()/.-]{4,40}$")
    reason: LatePaymentReason | None = Field(default=None, description="Why they pay late, by their own word")
    note: str | None = Field(default=None, max_length=4_000)
    contact_id: UUID | None = Field(default=None, description="The planned call that this one was")
    call_back_on: date | None = Field(default=None, description="When they want to be called again: a task for you")
    called_at: AwareDatetime | None = Field(default=None, description="Left out: just now")
    entity_id: str = Field(default=ENTITY, min_length=1, max_length=40)


class CallOut(BaseModel):
    """A call that was made, or tried."""

    id: UUID
    customer_id: UUID
    entity_id: str
    caller: str
    direction: Direction
    outcome: Outcome
    person: str | None
    number: str | None
    reason: LatePaymentReason | None
    note: str | None
    contact_id: UUID | None
    call_back_on: date | None
    called_at: AwareDatetime

    @classmethod
    def of(cls, call: Call) -> "CallOut":
        return cls(
            id=call.id,
            customer_id=call.customer_id,
            entity_id=call.entity_id,
            caller=call.caller,
            direction=call.direction,
            outcome=call.outcome,
            person=call.person,
            number=call.number,
            reason=call.reason,
            note=call.note,
            contact_id=call.contact_id,
            call_back_on=call.call_back_on,
            called_at=call.called_at,
        )


@router.post(
    "/cases/{customer_id}/calls", status_code=201, response_model=CallOut, dependencies=[scope("reminders:write")]
)
async def log_call(customer_id: UUID, body: CallIn, once: Once, principal: PrincipalDep) -> Response:
    """Log a call. It counts for the contact policy; the tasks that asked for it are done."""
    command = LogCall(
        customer_id=customer_id,
        entity_id=body.entity_id,
        caller=principal.subject,
        outcome=body.outcome,
        direction=body.direction,
        person=body.person,
        number=body.number,
        reason=body.reason,
        note=body.note,
        contact_id=body.contact_id,
        call_back_on=body.call_back_on,
        called_at=body.called_at,
    )
    async with once as tx:
        call = await handlers.log_call(tx, command)
        return once.answer(201, CallOut.of(call))


@router.get("/cases/{customer_id}/calls", response_model=Page[CallOut], dependencies=[scope("reminders:read")])
async def list_calls(
    customer_id: UUID, database: DatabaseDep, page: PageParams, entity_id: EntityId = ENTITY
) -> Response:
    """Newest first."""
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_calls(tx, customer_id, entity_id, before, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.id])
    return respond(Page[CallOut](items=[CallOut.of(call) for call in shown], next_cursor=more))
