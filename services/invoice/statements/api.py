"""Statements of account over HTTP: as JSON and as PDF."""

import asyncio
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from services.invoice.drafting.rules import IsoDate
from services.invoice.entities.rules import DEFAULT
from services.invoice.pay_links import handlers as pay_links
from services.invoice.print_words.rules import Language
from services.invoice.statements import handlers
from services.invoice.statements.rules import Applied, Entry, EntryKind, Section, Statement
from shared.db import reading
from shared.http.dependencies import DatabaseDep, ResourcesDep
from shared.http.responses import document, respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["statements"], dependencies=[scope("invoices:read")])

From = Annotated[IsoDate | None, Query(alias="from", description="Left out: the first of the month of `to`")]
To = Annotated[IsoDate | None, Query(alias="to", description="Left out: today")]


class AppliedOut(BaseModel):
    """What of a payment was bound to an invoice; negative when it was taken back."""

    invoice_id: UUID
    invoice_number: str
    amount: Money


class EntryOut(BaseModel):
    """`change` is what it adds to what the customer owes, `balance` what is owed after it."""

    effective_on: date
    kind: EntryKind
    change: Money
    balance: Money
    invoice_id: UUID | None
    invoice_number: str | None
    payment_id: UUID | None
    reference: str | None
    applied: list[AppliedOut]


class SectionOut(BaseModel):
    """One currency. `closing` is what is owed on the open items less `unapplied`, the cash not bound to an invoice;
    `on_plan` is what of it waits for the dates of instalment plans (on statements up to today or yesterday)."""

    currency: str
    opening: Money
    entries: list[EntryOut]
    closing: Money
    unapplied: Money
    on_plan: Money

    @classmethod
    def of(cls, section: Section) -> "SectionOut":
        def money(minor: int) -> Money:
            return Money(minor, section.currency)

        def applied(part: Applied) -> AppliedOut:
            return AppliedOut(
                invoice_id=part.invoice_id, invoice_number=part.invoice_number, amount=money(part.amount_minor)
            )

        def entry(each: Entry) -> EntryOut:
            return EntryOut(
                effective_on=each.effective_on,
                kind=each.kind,
                change=money(each.change_minor),
                balance=money(each.balance_minor),
                invoice_id=each.invoice_id,
                invoice_number=each.invoice_number,
                payment_id=each.payment_id,
                reference=each.reference,
                applied=[applied(part) for part in each.applied],
            )

        return cls(
            currency=section.currency,
            opening=money(section.opening_minor),
            entries=[entry(each) for each in section.entries],
            closing=money(section.closing_minor),
            unapplied=money(section.unapplied_minor),
            on_plan=money(section.on_plan_minor),
        )


class StatementOut(BaseModel):
    customer_id: UUID
    entity_id: str
    first: date
    last: date
    sections: list[SectionOut]

    @classmethod
    def of(cls, statement: Statement) -> "StatementOut":
        return cls(
            customer_id=statement.account.customer.id,
            entity_id=statement.account.entity.id,
            first=statement.first,
            last=statement.last,
            sections=[SectionOut.of(section) for section in statement.sections],
        )


@router.get("/customers/{customer_id}/statement", response_model=StatementOut)
async def look_at(
    customer_id: UUID, database: DatabaseDep, first: From = None, last: To = None, entity_id: str = DEFAULT
) -> Response:
    """Opening balance, every movement in effective order with the balance after it, closing balance; by currency."""
    async with reading(database) as tx:
        statement = await handlers.get_statement(tx, customer_id, first, last, entity_id)
    return respond(StatementOut.of(statement))


@router.get(
    "/customers/{customer_id}/statement.pdf",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}},
)
async def as_pdf(
    customer_id: UUID,
    database: DatabaseDep,
    resources: ResourcesDep,
    first: From = None,
    last: To = None,
    entity_id: str = DEFAULT,
    language: Language | None = None,
) -> Response:
    """The statement for the customer, in its language unless another is asked for."""
    async with reading(database) as tx:
        statement = await handlers.get_statement(tx, customer_id, first, last, entity_id)
        link = await pay_links.make_link(tx, resources.pay_links, statement.account)
    pdf = await asyncio.to_thread(handlers.print_statement, statement, link, language)
    name = f"statement-{statement.account.customer.external_id}-{statement.last}.pdf"
    return document(pdf, "application/pdf", name)
