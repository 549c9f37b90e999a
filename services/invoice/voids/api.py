"""Voids over HTTP."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.invoice.invoices.rules import Status
from services.invoice.voids import handlers
from services.invoice.voids.handlers import VoidInvoice
from shared.http.dependencies import Once
from shared.http.models import Body
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["invoices"])


class VoidInvoiceIn(Body):
    reason: Annotated[str, Field(min_length=1, max_length=500, examples=["issued to the wrong customer"])]


class VoidedOut(BaseModel):
    id: UUID
    number: str
    status: Status
    balance: Money
    voided_on: date | None
    version: int


@router.post(
    "/invoices/{invoice_id}/void", status_code=201, response_model=VoidedOut, dependencies=[scope("invoices:write")]
)
async def void(invoice_id: UUID, body: VoidInvoiceIn, once: Once) -> Response:
    """Take back an invoice of which nothing was paid or credited yet. Its number stays used."""
    async with once as tx:
        invoice = (await handlers.void_invoice(tx, VoidInvoice(invoice_id, body.reason))).invoice
        answer = VoidedOut(
            id=invoice.id,
            number=invoice.number,
            status=invoice.status,
            balance=invoice.money(invoice.balance_minor),
            voided_on=invoice.voided_on,
            version=invoice.version,
        )
        return once.answer(201, answer, etag=invoice.version)
