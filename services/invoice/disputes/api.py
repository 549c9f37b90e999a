"""Disputes over HTTP: open one on an invoice, resolve it, list them."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.invoice.disputes import handlers, rules
from services.invoice.disputes.handlers import OpenDispute, ResolveDispute
from services.invoice.disputes.rules import Dispute
from services.invoice.invoices.rules import Invoice
from shared.db import reading
from shared.http.cursors import encode_cursor
from shared.http.dependencies import DatabaseDep, Once, PageParams
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["disputes"])


class OpenDisputeIn(Body):
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    amount: Money | None = Field(default=None, description="What is contested; left out: all that is not yet")


class ResolveDisputeIn(Body):
    outcome: rules.Resolution = Field(description="rejected by the seller, or withdrawn by the customer")


class DisputeOut(BaseModel):
    """`held` is what of the amount is still kept out of collection; it shrinks as the invoice is paid."""

    id: UUID
    invoice_id: UUID
    customer_id: UUID
    status: rules.Status
    reason: str
    amount: Money
    held: Money
    opened_on: date
    resolved_on: date | None

    @classmethod
    def of(cls, dispute: Dispute, invoice: Invoice) -> "DisputeOut":
        return cls(
            id=dispute.id,
            invoice_id=dispute.invoice_id,
            customer_id=dispute.customer_id,
            status=dispute.status,
            reason=dispute.reason,
            amount=invoice.money(dispute.amount_minor),
            held=invoice.money(dispute.held_minor),
            opened_on=dispute.opened_on,
            resolved_on=dispute.resolved_on,
        )


@router.post(
    "/invoices/{invoice_id}/disputes",
    status_code=201,
    response_model=DisputeOut,
    dependencies=[scope("invoices:write")],
)
async def open_dispute(invoice_id: UUID, body: OpenDisputeIn, once: Once) -> Response:
    """Record that the customer contests a part or the whole: that much is not collected until it is resolved."""
    async with once as tx:
        dispute, invoice = await handlers.open_dispute(tx, OpenDispute(invoice_id, body.reason, body.amount))
        return once.answer(201, DisputeOut.of(dispute, invoice))


@router.post(
    "/invoices/{invoice_id}/disputes/{dispute_id}/resolution",
    status_code=201,
    response_model=DisputeOut,
    dependencies=[scope("invoices:write")],
)
async def resolve_dispute(invoice_id: UUID, dispute_id: UUID, body: ResolveDisputeIn, once: Once) -> Response:
    """End a dispute without a credit: what it held back is collected again."""
    async with once as tx:
        dispute, invoice = await handlers.resolve_dispute(tx, ResolveDispute(invoice_id, dispute_id, body.outcome))
        return once.answer(201, DisputeOut.of(dispute, invoice))


@router.get("/invoices/{invoice_id}/disputes", response_model=Page[DisputeOut], dependencies=[scope("invoices:read")])
async def find(invoice_id: UUID, database: DatabaseDep, page: PageParams) -> Response:
    """An invoice's disputes, the oldest first."""
    after = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        invoice, found = await handlers.list_disputes(tx, invoice_id, after, page.limit + 1)
    shown = found[: page.limit]
    more = encode_cursor([shown[-1].id]) if len(found) > page.limit else None
    return respond(Page[DisputeOut](items=[DisputeOut.of(each, invoice) for each in shown], next_cursor=more))
