"""Disputes over HTTP: open one on an invoice, work on it, resolve it, list and count them."""

from base64 import b64decode
from binascii import Error as Base64Error
from datetime import date, datetime
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.invoice.disputes import handlers, rules
from services.invoice.disputes.handlers import (
    AddAttachment,
    AddMessage,
    AssignDispute,
    OpenDispute,
    Record,
)
from services.invoice.disputes.rules import Attachment, AttachmentRefused, Count, Dispute, DisputeOut, Message
from services.invoice.drafting.rules import IsoDate
from services.invoice.invoices.rules import Invoice
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["disputes"])

ATTACHMENT_BODY_BYTES_MAX = rules.ATTACHMENT_BYTES_MAX * 4 // 3 + 4_096
"""Base64 takes a third more, and there are a name and a type."""
GROUPS_MAX = 500

Code = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{1,39}$", examples=["wrong_price"])]
Owner = Annotated[str, Field(min_length=1, max_length=200)]
Filename = Annotated[str, Field(min_length=1, max_length=150, pattern=r"^[^/\\\x00-\x1f\x7f]+$")]


class OpenDisputeIn(Body):
    reason: Annotated[str, Field(min_length=1, max_length=500, description="What the customer says")]
    amount: Money | None = Field(
        default=None, description="What is contested; left out: what the lines come to, or all that is not yet"
    )
    code: Code = Field(default="other", description="What it is counted under; the entity's policy has the list")
    lines: Annotated[list[int], Field(max_length=500)] = Field(default=[], description="Positions on the invoice")
    owner: Owner | None = None
    answer_by: IsoDate | None = Field(default=None, description="Left out: as many days from today as the policy says")


class AssignDisputeIn(Body):
    """What is left out stays as it is."""

    owner: Owner | None = None
    answer_by: IsoDate | None = None
    code: Code | None = None


class AddMessageIn(Body):
    body: Annotated[str, Field(min_length=1, max_length=rules.MESSAGE_CHARACTERS_MAX)]
    from_customer: bool = Field(default=False, description="It was the customer who said so")


class AddAttachmentIn(Body):
    name: Filename
    media_type: str = Field(max_length=100, examples=list(rules.MEDIA_TYPES))
    content: str = Field(min_length=4, max_length=ATTACHMENT_BODY_BYTES_MAX, description="Base64 (RFC 4648, s. 4)")
    from_customer: bool = False

    def content_bytes(self) -> bytes:
        try:
            return b64decode(self.content, validate=True)
        except (Base64Error, ValueError):
            raise AttachmentRefused("the content is not Base64", field="/content") from None


class MessageOut(BaseModel):
    id: UUID
    author: str
    from_customer: bool
    body: str
    written_at: datetime

    @classmethod
    def of(cls, message: Message) -> "MessageOut":
        return cls(
            id=message.id,
            author=message.author,
            from_customer=message.from_customer,
            body=message.body,
            written_at=message.written_at,
        )


class AttachmentOut(BaseModel):
    id: UUID
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    author: str
    from_customer: bool
    added_at: datetime

    @classmethod
    def of(cls, attachment: Attachment) -> "AttachmentOut":
        return cls(
            id=attachment.id,
            name=attachment.name,
            media_type=attachment.media_type,
            size_bytes=attachment.size_bytes,
            sha256=attachment.sha256.hex(),
            author=attachment.author,
            from_customer=attachment.from_customer,
            added_at=attachment.added_at,
        )


class DisputeDetailOut(DisputeOut):
    messages: list[MessageOut]
    attachments: list[AttachmentOut]

    @classmethod
    def of_record(cls, record: Record) -> "DisputeDetailOut":
        return cls(
            **rules.shown(record.dispute, record.invoice),
            messages=[MessageOut.of(each) for each in record.messages],
            attachments=[AttachmentOut.of(each) for each in record.attachments],
        )


class CountOut(BaseModel):
    """One reason, product or seller (`key`, null where the lines do not say) in one currency."""

    key: str | None
    currency: str
    disputes: int
    open: int
    escalated: int
    accepted: int
    rejected: int
    amount: Money
    credited: Money
    days_to_resolve: str | None

    @classmethod
    def of(cls, count: Count) -> "CountOut":
        return cls(
            key=count.key,
            currency=count.currency,
            disputes=count.disputes,
            open=count.open,
            escalated=count.escalated,
            accepted=count.accepted,
            rejected=count.rejected,
            amount=Money(count.amount_minor, count.currency),
            credited=Money(count.credited_minor, count.currency),
            days_to_resolve=None if count.days_to_resolve is None else str(count.days_to_resolve),
        )


class StatisticsOut(BaseModel):
    by: rules.CountedBy
    since: date
    until: date
    items: list[CountOut]


@router.post(
    "/invoices/{invoice_id}/disputes",
    status_code=201,
    response_model=DisputeOut,
    dependencies=[scope("invoices:write")],
)
async def open_dispute(invoice_id: UUID, body: OpenDisputeIn, once: Once) -> Response:
    """Record that the customer contests a part or the whole: that much is not collected until it is resolved."""
    command = OpenDispute(
        invoice_id, body.reason, body.amount, body.code, tuple(body.lines), body.owner, body.answer_by
    )
    async with once as tx:
        dispute, invoice = await handlers.open_dispute(tx, command)
        return once.answer(
            201, DisputeOut.of(dispute, invoice), etag=dispute.version, location=f"/v1/disputes/{dispute.id}"
        )


@router.get("/invoices/{invoice_id}/disputes", response_model=Page[DisputeOut], dependencies=[scope("invoices:read")])
async def find_of_invoice(invoice_id: UUID, database: DatabaseDep, page: PageParams) -> Response:
    """An invoice's disputes, the oldest first."""
    after = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_disputes(tx, after=after, limit=page.limit + 1, invoice_id=invoice_id)
    return _page(found, page)


@router.get("/disputes", response_model=Page[DisputeOut], dependencies=[scope("invoices:read")])
async def find(
    database: DatabaseDep,
    page: PageParams,
    customer_id: UUID | None = None,
    status: rules.Status | None = None,
    code: Code | None = None,
    owner: Owner | None = None,
    escalated: bool | None = None,
) -> Response:
    """Disputes, the oldest first."""
    after = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_disputes(
            tx,
            after=after,
            limit=page.limit + 1,
            customer_id=customer_id,
            status=status,
            code=code,
            owner=owner,
            escalated=escalated,
        )
    return _page(found, page)


def _page(found: list[tuple[Dispute, Invoice]], page: PageParams) -> Response:
    shown, more = page.cut(found, lambda last: [last[0].id])
    return respond(Page[DisputeOut](items=[DisputeOut.of(*each) for each in shown], next_cursor=more))


@router.get("/dispute-statistics", response_model=StatisticsOut, dependencies=[scope("invoices:read")])
async def count(
    database: DatabaseDep,
    since: Annotated[IsoDate, Query(alias="from")],
    until: Annotated[IsoDate, Query(alias="to")],
    by: rules.CountedBy = "reason",
    entity_id: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:
    """Disputes opened between two days, both included, by reason, product or seller: the largest sums first. By product
    and seller a dispute's amount is shared by the lines that it is about."""
    async with reading(database) as tx:
        found = await handlers.count_disputes(tx, by, since, until, entity_id, GROUPS_MAX)
    return respond(StatisticsOut(by=by, since=since, until=until, items=[CountOut.of(each) for each in found]))


@router.get("/disputes/{dispute_id}", response_model=DisputeDetailOut, dependencies=[scope("invoices:read")])
async def look_at(dispute_id: UUID, database: DatabaseDep) -> Response:
    """A dispute with its messages and attachments."""
    async with reading(database) as tx:
        record = await handlers.get_dispute(tx, dispute_id)
    return respond(DisputeDetailOut.of_record(record), etag=record.dispute.version)


@router.patch("/disputes/{dispute_id}", response_model=DisputeDetailOut, dependencies=[scope("invoices:write")])
async def assign(dispute_id: UUID, body: AssignDisputeIn, version: IfMatch, database: DatabaseDep) -> Response:
    """Say whose it is, by when it should be answered, and what it is counted under."""
    command = AssignDispute(dispute_id, version, body.owner, body.answer_by, body.code)
    async with transaction(database) as tx:
        record = await handlers.assign_dispute(tx, command)
    return respond(DisputeDetailOut.of_record(record), etag=record.dispute.version)


@router.post(
    "/disputes/{dispute_id}/messages",
    status_code=201,
    response_model=MessageOut,
    dependencies=[scope("invoices:write")],
)
async def add_message(dispute_id: UUID, body: AddMessageIn, once: Once, principal: PrincipalDep) -> Response:
    """Write into the dispute's thread."""
    command = AddMessage(dispute_id, principal.name or principal.subject, body.body, body.from_customer)
    async with once as tx:
        return once.answer(201, MessageOut.of(await handlers.add_message(tx, command)))


@router.post(
    "/disputes/{dispute_id}/attachments",
    status_code=201,
    response_model=AttachmentOut,
    dependencies=[scope("invoices:write")],
    max_body_size=ATTACHMENT_BODY_BYTES_MAX,
)
async def add_attachment(dispute_id: UUID, body: AddAttachmentIn, once: Once, principal: PrincipalDep) -> Response:
    """Keep a file with the dispute, such as a photograph or a delivery note."""
    command = AddAttachment(
        dispute_id,
        principal.name or principal.subject,
        body.name,
        body.media_type,
        body.content_bytes(),
        body.from_customer,
    )
    async with once as tx:
        attachment = await handlers.add_attachment(tx, command)
        location = f"/v1/disputes/{dispute_id}/attachments/{attachment.id}"
        return once.answer(201, AttachmentOut.of(attachment), location=location)


@router.get(
    "/disputes/{dispute_id}/attachments/{attachment_id}",
    dependencies=[scope("invoices:read")],
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "The file, to be saved"}},
)
async def download(dispute_id: UUID, attachment_id: UUID, database: DatabaseDep) -> Response:
    """The file itself. It came from outside: browsers are told to save it, and never to run or guess it."""
    async with reading(database) as tx:
        attachment, content = await handlers.get_attachment(tx, dispute_id, attachment_id)
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(attachment.name, safe='')}",
        "content-security-policy": "default-src 'none'; sandbox",
        "cache-control": "private, no-store",
    }
    return Response(content, headers=headers, media_type=attachment.media_type)
