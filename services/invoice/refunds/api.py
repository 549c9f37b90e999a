"""Refunds over HTTP: send unapplied cash back, list what went."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.invoice.refunds import handlers
from services.invoice.refunds.handlers import RefundPayment, ReverseRefund
from services.invoice.refunds.rules import Refund
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["payments"])


class RefundPaymentIn(Body):
    amount: Money | None = Field(default=None, description="Left out: all that is unapplied")
    reason: Annotated[str, Field(min_length=1, max_length=500, examples=["paid twice"])]
    method: str = Field(default="bank_transfer", min_length=1, max_length=40, pattern="^[a-z][a-z0-9_]*$")


class ReverseRefundIn(Body):
    reason: Annotated[str, Field(min_length=1, max_length=500, examples=["the account was closed"])]


class RefundOut(BaseModel):
    id: UUID
    entity_id: str
    customer_id: UUID
    payment_id: UUID
    amount: Money
    reason: str
    method: str
    refunded_on: date
    requested_by: str
    booked_at: datetime
    reversed_on: date | None
    reversal_reason: str | None

    @classmethod
    def of(cls, refund: Refund) -> "RefundOut":
        return cls(
            id=refund.id,
            entity_id=refund.entity_id,
            customer_id=refund.customer_id,
            payment_id=refund.payment_id,
            amount=refund.amount,
            reason=refund.reason,
            method=refund.method,
            refunded_on=refund.refunded_on,
            requested_by=refund.requested_by,
            booked_at=refund.booked_at,
            reversed_on=refund.reversed_on,
            reversal_reason=refund.reversal_reason,
        )


@router.post(
    "/payments/{payment_id}/refunds",
    status_code=201,
    response_model=RefundOut,
    dependencies=[scope("payments:write")],
)
async def refund(payment_id: UUID, body: RefundPaymentIn, once: Once, principal: PrincipalDep) -> Response:
    """Book that unapplied cash of a payment went back to the customer; never more than is unapplied."""
    command = RefundPayment(payment_id, body.amount, body.reason, body.method, principal.subject)
    async with once as tx:
        refunded, _ = await handlers.refund_payment(tx, command)
        return once.answer(201, RefundOut.of(refunded), location=f"/v1/refunds/{refunded.id}")


@router.post(
    "/refunds/{refund_id}/reversal", status_code=201, response_model=RefundOut, dependencies=[scope("payments:write")]
)
async def reverse_refund(refund_id: UUID, body: ReverseRefundIn, once: Once) -> Response:
    """Take a refund back whose money came back or never left: it is unapplied cash of its payment again."""
    async with once as tx:
        refund, _ = await handlers.reverse_refund(tx, ReverseRefund(refund_id, body.reason))
        return once.answer(201, RefundOut.of(refund))


@router.get("/refunds", response_model=Page[RefundOut], dependencies=[scope("payments:read")])
async def find_refunds(
    database: DatabaseDep, page: PageParams, payment_id: UUID | None = None, customer_id: UUID | None = None
) -> Response:
    """Refunds in the order they were booked."""
    after = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_refunds(
            tx, after=after, payment_id=payment_id, customer_id=customer_id, limit=page.limit + 1
        )
    shown, more = page.cut(found, lambda last: [last.id])
    return respond(Page[RefundOut](items=[RefundOut.of(each) for each in shown], next_cursor=more))


@router.get("/refunds/{refund_id}", response_model=RefundOut, dependencies=[scope("payments:read")])
async def look_at_refund(refund_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        return respond(RefundOut.of(await handlers.get_refund(tx, refund_id)))
