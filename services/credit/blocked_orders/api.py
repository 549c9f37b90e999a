"""Blocked orders over HTTP: the queue, and what a person decides."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, Field

from services.credit.blocked_orders import handlers
from services.credit.reservations import handlers as reservations
from services.credit.reservations.rules import BlockedOrder, BlockedStatus
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["blocked orders"])

Text = Annotated[str, Field(min_length=1, max_length=500)]


class BlockedOrderOut(BaseModel):
    """An order that asked for a reservation and did not get it; its id is that of the decision, which has the
    figures."""

    id: UUID
    version: int
    customer_id: UUID
    reference: str
    amount: Money
    reasons: tuple[str, ...]
    asked_by: str
    blocked_at: datetime
    status: BlockedStatus
    closed_at: datetime | None
    closed_by: str | None
    closed_because: str | None

    @classmethod
    def of(cls, order: BlockedOrder) -> "BlockedOrderOut":
        return cls.model_validate(order, from_attributes=True)


class ReleaseIn(Body):
    reason: Text
    expires_at: AwareDatetime = Field(description="Until when the order may be invoiced")


class RefuseIn(Body):
    reason: Text


@router.get("/blocked-orders", response_model=Page[BlockedOrderOut], dependencies=[scope("credit:read")])
async def list_blocked_orders(
    database: DatabaseDep,
    page: PageParams,
    status: Annotated[BlockedStatus | None, Query()] = "waiting",
    customer_id: Annotated[UUID | None, Query()] = None,
) -> Page[BlockedOrderOut]:
    """Those that wait for a person, the oldest first; others by their status."""
    after = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await reservations.list_blocked(tx, status, customer_id, after, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.id])
    return Page[BlockedOrderOut](items=[BlockedOrderOut.of(one) for one in shown], next_cursor=more)


@router.get("/blocked-orders/{order_id}", response_model=BlockedOrderOut, dependencies=[scope("credit:read")])
async def show_blocked_order(order_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        order = await reservations.get_blocked(tx, order_id)
    return respond(BlockedOrderOut.of(order), etag=order.version)


@router.post(
    "/blocked-orders/{order_id}/release", response_model=BlockedOrderOut, dependencies=[scope("credit:approve")]
)
async def release_order(order_id: UUID, body: ReleaseIn, once: Once, principal: PrincipalDep) -> Response:
    """Let it pass, with its reason: it is reserved until then, whatever the limit says."""
    async with once as tx:
        order = await handlers.release_order(tx, order_id, body.reason, principal.subject, body.expires_at)
        return once.answer(200, BlockedOrderOut.of(order), etag=order.version)


@router.post(
    "/blocked-orders/{order_id}/refusal", response_model=BlockedOrderOut, dependencies=[scope("credit:approve")]
)
async def refuse_order(order_id: UUID, body: RefuseIn, once: Once, principal: PrincipalDep) -> Response:
    """The order stays refused; who decided and why is kept."""
    async with once as tx:
        order = await handlers.refuse_order(tx, order_id, body.reason, principal.subject)
        return once.answer(200, BlockedOrderOut.of(order), etag=order.version)
