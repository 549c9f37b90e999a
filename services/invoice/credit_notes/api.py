"""Credit notes over HTTP: issue, look at, list."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, model_validator

from services.invoice.credit_notes import handlers
from services.invoice.credit_notes.handlers import IssueCreditNote
from services.invoice.credit_notes.rules import CreditNote, LineAsked, Written
from services.invoice.drafting.rules import QUANTITY_PLACES, RATE_PLACES, IsoDate, Quantity
from services.invoice.pricing.rules import decimal_text, scaled
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once, PageParams
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["credit notes"])

LINES_MAX = 1_000


class LineAskedIn(Body):
    position: Annotated[int, Field(ge=1, description="Of the invoice's line")]
    quantity: Quantity | None = Field(default=None, description="Left out: all that is left of the line")


class IssueCreditNoteIn(Body):
    """By lines, by a gross amount, or, without either, all that is left of the invoice."""

    reason: Annotated[str, Field(min_length=1, max_length=500, examples=["goods returned"])]
    amount: Money | None = Field(default=None, description="With tax; spread over the invoice's taxes")
    lines: Annotated[list[LineAskedIn], Field(min_length=1, max_length=LINES_MAX)] | None = None
    issue_date: IsoDate | None = Field(default=None, description="Left out: today")

    @model_validator(mode="after")
    def _one_way(self) -> "IssueCreditNoteIn":
        if self.amount and self.lines:
            raise ValueError("credit an amount or lines, not both")
        return self

    def asked(self) -> tuple[LineAsked, ...]:
        return tuple(
            LineAsked(each.position, scaled(each.quantity, QUANTITY_PLACES) if each.quantity else None)
            for each in self.lines or ()
        )


class NoteLineOut(BaseModel):
    """`invoice_position` is the line of the invoice that it takes back; null where an amount is."""

    position: int
    description: str
    quantity: str
    unit_price: Money
    net: Money
    tax_category: str
    tax_rate: str
    invoice_position: int | None


class NoteTaxOut(BaseModel):
    category: str
    rate: str
    taxable: Money
    tax: Money


class CreditNoteOut(BaseModel):
    """Amounts are positive. `unapplied` is what of it had been paid: it is unapplied cash of those payments again, to
    be refunded or to pay other invoices."""

    id: UUID
    number: str
    entity_id: str
    customer_id: UUID
    invoice_id: UUID
    issue_date: date
    effective_on: date
    reason: str
    net: Money
    tax: Money
    total: Money
    unapplied: Money
    issued_at: datetime
    voided_on: date | None
    void_reason: str | None

    @classmethod
    def of(cls, note: CreditNote) -> "CreditNoteOut":
        return cls(**_fields(note))


class CreditNoteDetailOut(CreditNoteOut):
    invoice_number: str
    lines: tuple[NoteLineOut, ...]
    taxes: tuple[NoteTaxOut, ...]

    @classmethod
    def of_written(cls, written: Written) -> "CreditNoteDetailOut":
        money = written.note.money
        lines = tuple(
            NoteLineOut(
                position=line.position,
                description=line.description,
                quantity=decimal_text(line.quantity_millionths, QUANTITY_PLACES),
                unit_price=money(line.unit_price_minor),
                net=money(line.net_minor),
                tax_category=line.tax_category,
                tax_rate=decimal_text(line.tax_rate_bp, RATE_PLACES),
                invoice_position=line.invoice_position,
            )
            for line in written.credit.lines
        )
        taxes = tuple(
            NoteTaxOut(
                category=tax.category,
                rate=decimal_text(tax.rate_bp, RATE_PLACES),
                taxable=money(tax.taxable_minor),
                tax=money(tax.tax_minor),
            )
            for tax in written.credit.taxes
        )
        return cls(**_fields(written.note), invoice_number=written.invoice_number, lines=lines, taxes=taxes)


def _fields(note: CreditNote) -> dict:
    return {
        "id": note.id,
        "number": note.number,
        "entity_id": note.entity_id,
        "customer_id": note.customer_id,
        "invoice_id": note.invoice_id,
        "issue_date": note.issue_date,
        "effective_on": note.effective_on,
        "reason": note.reason,
        "net": note.money(note.net_minor),
        "tax": note.money(note.tax_minor),
        "total": note.money(note.total_minor),
        "unapplied": note.money(note.unapplied_minor),
        "issued_at": note.issued_at,
        "voided_on": note.voided_on,
        "void_reason": note.void_reason,
    }


@router.post(
    "/invoices/{invoice_id}/credit-notes",
    status_code=201,
    response_model=CreditNoteDetailOut,
    dependencies=[scope("invoices:write")],
)
async def issue(invoice_id: UUID, body: IssueCreditNoteIn, once: Once) -> Response:
    """Take back a part or the whole of an invoice. What of it was paid becomes unapplied cash again, the newest payment
    first."""
    command = IssueCreditNote(invoice_id, body.reason, body.amount, body.asked(), body.issue_date)
    async with once as tx:
        written, _ = await handlers.issue_credit_note(tx, command)
        return once.answer(201, CreditNoteDetailOut.of_written(written), location=f"/v1/credit-notes/{written.note.id}")


@router.get("/credit-notes", response_model=Page[CreditNoteOut], dependencies=[scope("invoices:read")])
async def find(
    database: DatabaseDep,
    page: PageParams,
    invoice_id: UUID | None = None,
    customer_id: UUID | None = None,
    number: Annotated[str | None, Query(min_length=1, max_length=64)] = None,
) -> Response:
    """Credit notes in the order of their issue."""
    after = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_credit_notes(
            tx, after=after, invoice_id=invoice_id, customer_id=customer_id, number=number, limit=page.limit + 1
        )
    shown, more = page.cut(found, lambda last: [last.id])
    return respond(Page[CreditNoteOut](items=[CreditNoteOut.of(note) for note in shown], next_cursor=more))


@router.get("/credit-notes/{credit_note_id}", response_model=CreditNoteDetailOut, dependencies=[scope("invoices:read")])
async def look_at(credit_note_id: UUID, database: DatabaseDep) -> Response:
    """A credit note with its lines and taxes."""
    async with reading(database) as tx:
        written = await handlers.get_credit_note(tx, credit_note_id)
    return respond(CreditNoteDetailOut.of_written(written))
