"""Deliveries over HTTP: send again, see what became of them, hear the mail provider, print letters."""

import asyncio
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, Field, ValidationError

from services.invoice.deliveries.rules import Channel, Delivery, DeliveryNotFound, Kind, Status, Told
from services.invoice.dispatch import handlers
from services.invoice.dispatch.rules import Batch, Sheet, Undelivered, is_signed
from services.invoice.writing import handlers as writing
from shared.clock import real_now
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, Once, PageParams, ResourcesDep
from shared.http.models import Body, Page
from shared.http.problems import HttpFault
from shared.http.responses import document, respond
from shared.http.security import PUBLIC, scope
from shared.money import Money

router = APIRouter(tags=["deliveries"])

TOLD_MAX = 1_000


class SignatureRefused(HttpFault):
    status = 401
    slug = "webhook-signature"
    title = "The call is not signed as agreed"


class DeliverIn(Body):
    channel: Channel = "email"
    recipient: Annotated[str, Field(min_length=3, max_length=254)] | None = Field(
        default=None, description="Another address than the customer's; for this delivery only"
    )


class DeliveryOut(BaseModel):
    """`requested_on` is the business day it was asked for; the moments are as far as it has come."""

    id: UUID
    entity_id: str
    customer_id: UUID
    kind: Kind
    invoice_id: UUID | None
    credit_note_id: UUID | None
    payment_id: UUID | None
    period_first: date | None
    period_last: date | None
    channel: Channel
    status: Status
    recipient: str | None
    requested_on: date
    sent_at: datetime | None
    delivered_at: datetime | None
    opened_at: datetime | None
    attempts: int
    reason: str | None
    letter_batch_id: UUID | None
    dispute_id: UUID | None = None
    plan_id: UUID | None = None
    collection_id: UUID | None = None

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryOut":
        return cls(
            letter_batch_id=delivery.batch_id,
            **{name: getattr(delivery, name) for name in cls.model_fields if name != "letter_batch_id"},
        )


class ToldIn(Body):
    """One word of the mail provider; `delivery_id` is the header X-Dueward-Delivery of the mail it is about."""

    delivery_id: UUID
    event: Told
    at: datetime
    reason: Annotated[str, Field(max_length=500)] | None = None


class ToldAllIn(Body):
    events: Annotated[list[ToldIn], Field(min_length=1, max_length=TOLD_MAX)]


class ToldOut(BaseModel):
    """`unknown` are deliveries that are not here."""

    taken: int
    unknown: list[UUID]


class UndeliveredOut(BaseModel):
    """`status` is that of its last delivery, null when none was ever asked for; `days` since its issue."""

    invoice_id: UUID
    number: str
    customer_id: UUID
    customer_name: str
    issue_date: date
    days: int
    total: Money
    channel: str
    status: Status | None
    reason: str | None
    owner: str | None

    @classmethod
    def of(cls, item: Undelivered) -> "UndeliveredOut":
        return cls(**{name: getattr(item, name) for name in cls.model_fields})


class BatchOut(BaseModel):
    id: UUID
    entity_id: str
    day: date
    letters: int
    printed_on: date | None

    @classmethod
    def of(cls, batch: Batch) -> "BatchOut":
        return cls(**{name: getattr(batch, name) for name in cls.model_fields})


class SheetOut(BaseModel):
    delivery_id: UUID
    kind: Kind
    invoice_id: UUID | None
    number: str
    customer_id: UUID
    customer_name: str
    status: Status

    @classmethod
    def of(cls, sheet: Sheet) -> "SheetOut":
        delivery = sheet.delivery
        return cls(
            delivery_id=delivery.id,
            kind=delivery.kind,
            invoice_id=delivery.invoice_id,
            number=sheet.number,
            customer_id=delivery.customer_id,
            customer_name=sheet.customer_name,
            status=delivery.status,
        )


class ManifestOut(BatchOut):
    """The letters in the order of the printed pages."""

    manifest: list[SheetOut]


class GatherIn(Body):
    entity_id: str = Field(default="default", min_length=1, max_length=64)


@router.post(
    "/invoices/{invoice_id}/deliveries",
    status_code=201,
    response_model=DeliveryOut,
    dependencies=[scope("invoices:write")],
)
async def deliver(invoice_id: UUID, body: DeliverIn, once: Once) -> Response:
    """Send the invoice, or send it again: to the customer's address, or a corrected one."""
    async with once as tx:
        delivery = await handlers.deliver_invoice(tx, invoice_id, body.channel, body.recipient)
        return once.answer(201, DeliveryOut.of(delivery))


@router.get(
    "/invoices/{invoice_id}/deliveries", response_model=Page[DeliveryOut], dependencies=[scope("invoices:read")]
)
async def of_invoice(invoice_id: UUID, database: DatabaseDep, page: PageParams) -> Response:
    """How the invoice was sent and what became of it, the newest first."""
    return await _list(database, page, invoice_id=invoice_id)


@router.get("/deliveries", response_model=Page[DeliveryOut], dependencies=[scope("invoices:read")])
async def find(
    database: DatabaseDep, page: PageParams, customer_id: UUID | None = None, status: Status | None = None
) -> Response:
    """Deliveries of invoices, statements, receipts and notices, the newest first."""
    return await _list(database, page, customer_id=customer_id, status=status)


async def _list(
    database: DatabaseDep,
    page: PageParams,
    invoice_id: UUID | None = None,
    customer_id: UUID | None = None,
    status: Status | None = None,
) -> Response:
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_deliveries(
            tx, before=before, invoice_id=invoice_id, customer_id=customer_id, status=status, limit=page.limit + 1
        )
    shown, more = page.cut(found, lambda last: [last.id])
    return respond(Page[DeliveryOut](items=[DeliveryOut.of(each) for each in shown], next_cursor=more))


@router.get("/delivery-queue", response_model=Page[UndeliveredOut], dependencies=[scope("invoices:read")])
async def queue(
    database: DatabaseDep, page: PageParams, entity_id: Annotated[str | None, Query(max_length=64)] = None
) -> Response:
    """Open invoices that nobody has received for longer than the entity allows, the oldest first."""
    after = (date.fromisoformat(page.after[0]), UUID(page.after[1])) if page.after else None
    async with reading(database) as tx:
        found = await handlers.undelivered(tx, entity_id, after, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.issue_date, last.invoice_id])
    return respond(Page[UndeliveredOut](items=[UndeliveredOut.of(each) for each in shown], next_cursor=more))


@router.post("/webhooks/deliveries", response_model=ToldOut, dependencies=[PUBLIC])
async def hear(
    request: Request,
    database: DatabaseDep,
    resources: ResourcesDep,
    signature: Annotated[
        str, Header(alias="Dueward-Signature", description='t=<unix>,v1=<hex HMAC-SHA256 of "<t>.<body>">')
    ] = "",
) -> Response:
    """What the mail provider tells: delivered, opened, bounced. Saying it again, or late, changes nothing."""
    body = await request.body()
    secret = resources.delivery_webhook_secret
    if not secret or not is_signed(signature, body, secret, real_now()):
        raise SignatureRefused("the signature is missing, wrong or too old")
    try:
        told = ToldAllIn.model_validate_json(body)
    except ValidationError as error:
        raise TellingRefused(str(error.errors(include_url=False, include_input=False)[0]["msg"])) from None
    unknown = []
    for each in told.events:
        async with transaction(database) as tx:
            try:
                await handlers.tell_delivery(tx, each.delivery_id, each.event, each.at, each.reason)
            except DeliveryNotFound:
                unknown.append(each.delivery_id)
    return respond(ToldOut(taken=len(told.events) - len(unknown), unknown=unknown))


class TellingRefused(HttpFault):
    status = 422
    slug = "webhook-body"
    title = "The call says nothing that is understood"


@router.post("/letter-batches", status_code=201, response_model=BatchOut, dependencies=[scope("invoices:write")])
async def gather(body: GatherIn, once: Once) -> Response:
    """Gather the letters that wait now; by themselves they are gathered when their business day is over."""
    async with once as tx:
        batch = await handlers.gather_letters(tx, body.entity_id)
        if batch is None:
            raise NoLetters("no letter is waiting")
        return once.answer(201, BatchOut.of(batch), location=f"/v1/letter-batches/{batch.id}")


class NoLetters(HttpFault):
    status = 409
    slug = "no-letters"
    title = "There is nothing to print"


@router.get("/letter-batches", response_model=Page[BatchOut], dependencies=[scope("invoices:read")])
async def batches(database: DatabaseDep, page: PageParams) -> Response:
    """Batches of letters, the newest first."""
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_batches(tx, before, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.id])
    return respond(Page[BatchOut](items=[BatchOut.of(each) for each in shown], next_cursor=more))


@router.get(
    "/letter-batches/{batch_id}.pdf",
    dependencies=[scope("invoices:read")],
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}},
)
async def batch_as_pdf(batch_id: UUID, database: DatabaseDep, resources: ResourcesDep) -> Response:
    """All letters of the batch in one file for the printer, each with a bookmark. Its invoices and credit notes are
    kept as they are printed."""
    async with reading(database) as tx:
        batch, sheets = await handlers.get_batch(tx, batch_id)
        envelopes = [await writing.open_envelope(tx, sheet.delivery, resources.pay_links) for sheet in sheets]
        at = tx.now
    drawn = await writing.draw(envelopes, at)
    async with transaction(database) as tx:
        await writing.keep(tx, envelopes, drawn)
    pdf = await asyncio.to_thread(handlers.print_batch, drawn)
    return document(pdf, "application/pdf", f"letters-{batch.entity_id}-{batch.day}.pdf")


@router.get("/letter-batches/{batch_id}", response_model=ManifestOut, dependencies=[scope("invoices:read")])
async def manifest(batch_id: UUID, database: DatabaseDep) -> Response:
    """What is in the batch, in the order of its pages."""
    async with reading(database) as tx:
        batch, sheets = await handlers.get_batch(tx, batch_id)
    lines = [SheetOut.of(sheet) for sheet in sheets]
    return respond(ManifestOut(manifest=lines, **BatchOut.of(batch).model_dump()))


@router.post("/letter-batches/{batch_id}/printed", response_model=BatchOut, dependencies=[scope("invoices:write")])
async def printed(batch_id: UUID, once: Once) -> Response:
    """The letters are in the post; their invoices count as delivered from today."""
    async with once as tx:
        batch = await handlers.mark_printed(tx, batch_id)
        return once.answer(200, BatchOut.of(batch))
