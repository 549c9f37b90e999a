"""Holds over HTTP: place one by hand, look at all, release."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.credit.holds import handlers, rules
from services.credit.holds.handlers import PlaceHold, ReleaseHold
from services.credit.holds.rules import Hold
from services.credit.policy_rules.rules import Held
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["holds"])

Text = Annotated[str, Field(min_length=1, max_length=500)]


class PlaceHoldIn(Body):
    held: Annotated[tuple[Held, ...], Field(min_length=1, max_length=3)]
    reason: Text
    cause: rules.ByHand = "by_hand"
    until: date | None = Field(default=None, description="The last day; left out: until somebody releases it")


class HoldOut(BaseModel):
    id: UUID
    version: int
    customer_id: UUID
    cause: rules.Cause
    held: tuple[Held, ...]
    reason: str
    placed_by: str
    placed_at: datetime
    until: date | None
    released_at: datetime | None
    released_by: str | None
    release_reason: str | None

    @classmethod
    def of(cls, hold: Hold) -> "HoldOut":
        return cls(
            id=hold.id,
            version=hold.version,
            customer_id=hold.customer_id,
            cause=hold.cause,
            held=hold.held,
            reason=hold.reason,
            placed_by=hold.placed_by,
            placed_at=hold.placed_at,
            until=hold.until_on,
            released_at=hold.released_at,
            released_by=hold.released_by,
            release_reason=hold.release_reason,
        )


@router.post(
    "/customers/{customer_id}/holds", status_code=201, response_model=HoldOut, dependencies=[scope("credit:write")]
)
async def place_hold(customer_id: UUID, body: PlaceHoldIn, once: Once, principal: PrincipalDep) -> Response:
    """From now on there is nothing more of what is held, until it is released or its last day is over."""
    async with once as tx:
        command = PlaceHold(customer_id, body.cause, body.held, body.reason, principal.subject, body.until)
        hold = await handlers.place_hold(tx, command)
        return once.answer(
            201, HoldOut.of(hold), etag=hold.version, location=f"/v1/customers/{customer_id}/holds/{hold.id}"
        )


@router.get("/customers/{customer_id}/holds", response_model=Page[HoldOut], dependencies=[scope("credit:read")])
async def list_holds(customer_id: UUID, database: DatabaseDep, page: PageParams) -> Page[HoldOut]:
    """All holds there were, the newest first."""
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        holds = await handlers.list_holds(tx, customer_id, before, page.limit + 1)
    shown, more = page.cut(holds, lambda last: [last.id])
    return Page[HoldOut](items=[HoldOut.of(hold) for hold in shown], next_cursor=more)


@router.get("/customers/{customer_id}/holds/{hold_id}", response_model=HoldOut, dependencies=[scope("credit:read")])
async def show_hold(customer_id: UUID, hold_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        hold = await handlers.get_hold(tx, customer_id, hold_id)
    return respond(HoldOut.of(hold), etag=hold.version)


@router.delete("/customers/{customer_id}/holds/{hold_id}", response_model=HoldOut, dependencies=[scope("credit:write")])
async def release_hold(
    customer_id: UUID,
    hold_id: UUID,
    version: IfMatch,
    database: DatabaseDep,
    principal: PrincipalDep,
    reason: Annotated[str, Query(min_length=1, max_length=500)] = "released by hand",
) -> Response:
    """Release it. One that the figures would bring back at once is refused: change the policy, or let orders pass."""
    async with transaction(database) as tx:
        hold = await handlers.release_hold(tx, ReleaseHold(customer_id, hold_id, version, reason, principal.subject))
    return respond(HoldOut.of(hold), etag=hold.version)
