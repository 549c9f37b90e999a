"""Reservations over HTTP: look at them, turn one into an invoice, give one back."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from services.credit.reservations import handlers, rules
from services.credit.reservations.rules import Reservation
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once, PageParams
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["reservations"])


class ReservationOut(BaseModel):
    """`held` until it is `used` by an invoice, `released` by somebody, or `expired`."""

    id: UUID
    version: int
    customer_id: UUID
    decision_id: UUID
    reference: str
    amount: Money
    status: rules.Status
    made_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    invoice_id: UUID | None

    @classmethod
    def of(cls, reservation: Reservation) -> "ReservationOut":
        return cls.model_validate(reservation, from_attributes=True)


class UseIn(Body):
    invoice_id: UUID


@router.get("/reservations", response_model=Page[ReservationOut], dependencies=[scope("credit:read")])
async def list_reservations(
    database: DatabaseDep, page: PageParams, customer_id: Annotated[UUID, Query()]
) -> Page[ReservationOut]:
    """A customer's reservations, the newest first."""
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_reservations(tx, customer_id, before, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.id])
    return Page[ReservationOut](items=[ReservationOut.of(one) for one in shown], next_cursor=more)


@router.get("/reservations/{reservation_id}", response_model=ReservationOut, dependencies=[scope("credit:read")])
async def show_reservation(reservation_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        reservation = await handlers.get_reservation(tx, reservation_id)
    return respond(ReservationOut.of(reservation), etag=reservation.version)


@router.post("/reservations/{reservation_id}/use", response_model=ReservationOut, dependencies=[scope("credit:write")])
async def use_reservation(reservation_id: UUID, body: UseIn, once: Once) -> Response:
    """The order was invoiced: once, and before the reservation runs out. An invoice that names the order as its
    reference does this by itself."""
    async with once as tx:
        ended = await handlers.end_reservation(tx, reservation_id, "used", body.invoice_id)
        return once.answer(200, ReservationOut.of(ended), etag=ended.version)


@router.post(
    "/reservations/{reservation_id}/release", response_model=ReservationOut, dependencies=[scope("credit:write")]
)
async def release_reservation(reservation_id: UUID, once: Once) -> Response:
    """The order will not come: its headroom is free again."""
    async with once as tx:
        ended = await handlers.end_reservation(tx, reservation_id, "released", None)
        return once.answer(200, ReservationOut.of(ended), etag=ended.version)
