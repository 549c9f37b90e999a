"""Invoices over HTTP: issue, look at, list."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID, uuid5

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.drafting.rules import QUANTITY_PLACES, RATE_PLACES, DeliveryChannel, InvoiceIn
from services.invoice.entities import handlers as entities
from services.invoice.entities.rules import DEFAULT
from services.invoice.invoices import handlers
from services.invoice.invoices.handlers import IssueInvoice
from services.invoice.invoices.rules import CreditOutcome, Document, Filed, Status
from services.invoice.payment_references.rules import payment_reference
from services.invoice.pricing.rules import decimal_text
from shared.db import reading
from shared.http.cursors import encode_cursor
from shared.http.dependencies import DatabaseDep, Once, PageParams, PrincipalDep, ResourcesDep
from shared.http.models import Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["invoices"])

CREDIT_QUESTIONS = UUID("5d0c1a52-6c7e-4a53-9a3f-2f0f5d1f7b10")
"""The namespace of the keys that credit is asked under: the same request asks the same question."""


class CreditOut(BaseModel):
    """What credit said under the policy of the day: `unavailable` when it did not answer in time."""

    policy: str
    outcome: CreditOutcome
    reasons: tuple[str, ...]
    decision_id: UUID | None


class LineOut(BaseModel):
    position: int
    description: str
    quantity: str
    unit_price: Money
    net: Money
    tax: "TaxRateOut"


class TaxRateOut(BaseModel):
    category: str
    rate: str


class TaxOut(BaseModel):
    category: str
    rate: str
    taxable: Money
    tax: Money


class InvoiceOut(BaseModel):
    """`collectable` is the balance less what is disputed; `overdue` is the balance once the due date has passed."""

    id: UUID
    number: str
    entity_id: str
    customer_id: UUID
    status: Status
    issue_date: date
    due_date: date
    net: Money
    tax: Money
    total: Money
    balance: Money
    disputed: Money
    collectable: Money
    overdue: Money
    overdue_since: date | None
    overdue_episode: int
    settled_on: date | None
    reference: str | None
    payment_reference: str
    delivery_channel: DeliveryChannel
    credit: CreditOut
    issued_at: datetime
    version: int

    @classmethod
    def of(cls, filed: Filed, today: date) -> "InvoiceOut":
        return cls(**_fields(filed, today))


class InvoiceDetailOut(InvoiceOut):
    lines: tuple[LineOut, ...]
    taxes: tuple[TaxOut, ...]

    @classmethod
    def of_document(cls, document: Document, today: date) -> "InvoiceDetailOut":
        money = document.invoice.money
        lines = tuple(
            LineOut(
                position=line.position,
                description=line.description,
                quantity=decimal_text(line.quantity_millionths, QUANTITY_PLACES),
                unit_price=money(line.unit_price_minor),
                net=money(line.net_minor),
                tax=TaxRateOut(category=line.tax_category, rate=decimal_text(line.tax_rate_bp, RATE_PLACES)),
            )
            for line in document.lines
        )
        taxes = tuple(
            TaxOut(
                category=group.category,
                rate=decimal_text(group.rate_bp, RATE_PLACES),
                taxable=money(group.taxable_minor),
                tax=money(group.tax_minor),
            )
            for group in document.taxes
        )
        return cls(**_fields(document.filed, today), lines=lines, taxes=taxes)


def _fields(filed: Filed, today: date) -> dict:
    invoice, credit = filed.invoice, filed.credit
    money = invoice.money
    return {
        "id": invoice.id,
        "number": invoice.number,
        "entity_id": invoice.entity_id,
        "customer_id": invoice.customer_id,
        "status": invoice.status,
        "issue_date": invoice.issue_date,
        "due_date": invoice.due_date,
        "net": money(invoice.net_minor),
        "tax": money(invoice.tax_minor),
        "total": money(invoice.total_minor),
        "balance": money(invoice.balance_minor),
        "disputed": money(invoice.disputed_minor),
        "collectable": money(invoice.collectable_minor),
        "overdue": money(invoice.overdue_minor(today)),
        "overdue_since": invoice.overdue_since,
        "overdue_episode": invoice.overdue_episode,
        "settled_on": invoice.settled_on,
        "reference": invoice.reference,
        "payment_reference": payment_reference(invoice.number),
        "delivery_channel": invoice.delivery_channel,
        "credit": CreditOut(
            policy=credit.policy, outcome=credit.outcome, reasons=credit.reasons, decision_id=credit.decision_id
        ),
        "issued_at": filed.issued_at,
        "version": invoice.version,
    }


@router.post("/invoices", status_code=201, response_model=InvoiceDetailOut, dependencies=[scope("invoices:write")])
async def issue(
    body: InvoiceIn,
    once: Once,
    request: Request,
    principal: PrincipalDep,
    database: DatabaseDep,
    resources: ResourcesDep,
) -> Response:
    """Issue an invoice. Credit is asked first; under the policy `advise` its answer is recorded, under `enforce` a
    declined invoice is refused."""
    priced = body.priced()
    total = Money(priced.total_minor, priced.currency)
    await once.check()
    ref = CustomerRef(body.customer_id, body.customer_external_id)
    account = await customers.learn_account(database, resources.credit, ref)
    question = f"{principal.key}\0{request.headers['idempotency-key']}\0{account.customer.id}\0{total}\0{body.number}"
    credit = await handlers.ask_credit(
        resources.credit, account, total, body.number, asked_as=str(uuid5(CREDIT_QUESTIONS, question))
    )
    async with once as tx:
        document = await handlers.issue_invoice(
            tx,
            IssueInvoice(
                customer=CustomerRef(account.customer.id),
                priced=priced,
                credit=credit,
                delivery_channel=body.delivery_channel,
                number=body.number,
                reference=body.reference,
                issue_date=body.issue_date,
                due_date=body.due_date,
                net_days=body.net_days,
            ),
        )
        return once.answer(
            201,
            InvoiceDetailOut.of_document(document, account.entity.today(tx.now)),
            etag=document.invoice.version,
            location=f"/v1/invoices/{document.invoice.id}",
        )


@router.get("/invoices", response_model=Page[InvoiceOut], dependencies=[scope("invoices:read")])
async def find(
    database: DatabaseDep,
    page: PageParams,
    number: Annotated[str | None, Query(min_length=1, max_length=64)] = None,
    customer_id: UUID | None = None,
    status: Status | None = None,
) -> Response:
    """Invoices in the order they were issued."""
    after = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_invoices(
            tx, after=after, number=number, customer_id=customer_id, status=status, limit=page.limit + 1
        )
        entity = await entities.get_entity(tx, DEFAULT)
    today, shown = entity.today(tx.now), found[: page.limit]
    more = encode_cursor([shown[-1].invoice.id]) if len(found) > page.limit else None
    return respond(Page[InvoiceOut](items=[InvoiceOut.of(filed, today) for filed in shown], next_cursor=more))


@router.get("/invoices/{invoice_id}", response_model=InvoiceDetailOut, dependencies=[scope("invoices:read")])
async def look_at(invoice_id: UUID, database: DatabaseDep) -> Response:
    """An invoice with its lines and taxes."""
    async with reading(database) as tx:
        document = await handlers.get_document(tx, invoice_id)
        entity = await entities.get_entity(tx, document.invoice.entity_id)
    return respond(InvoiceDetailOut.of_document(document, entity.today(tx.now)), etag=document.invoice.version)
