"""Voids over HTTP."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.invoice.invoices.rules import Status
from services.invoice.voids import handlers
from services.invoice.voids.handlers import VoidCreditNote, VoidInvoice
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


class VoidCreditNoteIn(Body):
    reason: Annotated[str, Field(min_length=1, max_length=500, examples=["credited to the wrong invoice"])]


class VoidedNoteOut(BaseModel):
    """`balance` is what is owed on the invoice again."""

    id: UUID
    number: str
    invoice_id: UUID
    voided_on: date | None
    status: Status
    balance: Money


@router.post(
    "/credit-notes/{credit_note_id}/void",
    status_code=201,
    response_model=VoidedNoteOut,
    dependencies=[scope("invoices:write")],
)
async def void_credit_note(credit_note_id: UUID, body: VoidCreditNoteIn, once: Once) -> Response:
    """Take a credit note back: what it credited is owed again. Its number stays used; money that it set free stays
    unapplied cash. One that answers an accepted dispute stands."""
    async with once as tx:
        written, invoice = await handlers.void_credit_note(tx, VoidCreditNote(credit_note_id, body.reason))
        answer = VoidedNoteOut(
            id=written.note.id,
            number=written.note.number,
            invoice_id=invoice.id,
            voided_on=written.note.voided_on,
            status=invoice.status,
            balance=invoice.money(invoice.balance_minor),
        )
        return once.answer(201, answer)
