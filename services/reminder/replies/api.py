"""Replies over HTTP: what customers answered, whose it is, why they pay late; and the door for mails that come in."""

import asyncio
import binascii
from base64 import b64decode
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field, ValidationError

from services.reminder.inbound import rules as inbound
from services.reminder.replies import handlers, rules
from services.reminder.replies.handlers import AssignReply, FinishReply, TakeMail
from services.reminder.replies.rules import Reply
from shared import webhooks
from shared.clock import real_now
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.problems import HttpFault, Malformed
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["replies"])
callbacks = APIRouter(tags=["callbacks"])

BASE64_BYTES_MAX = inbound.BYTES_MAX * 4 // 3 + 4_096


class InboundRefused(HttpFault):
    status = 401
    slug = "webhook-signature"
    title = "The call is not signed as agreed"


class RawMailIn(Body):
    raw: str = Field(description="The mail as it came, base64")


class TakenOut(BaseModel):
    """`id` is null for a mail of our own that came round. `unmatched`: nobody knows whose it is."""

    id: UUID | None
    kind: rules.Kind | None
    status: rules.Status | None


class AttachmentOut(BaseModel):
    name: str
    media_type: str
    bytes: int


class ReplyOut(BaseModel):
    """`body` is what the person wrote, without what they answer to; of attachments only name and size are kept."""

    id: UUID
    version: int
    channel: rules.Channel
    kind: rules.Kind
    status: rules.Status
    customer_id: UUID | None
    entity_id: str | None
    case_id: UUID | None
    contact_id: UUID | None
    sender: str
    sender_name: str
    subject: str
    body: str
    received_at: datetime
    attachments: tuple[AttachmentOut, ...]
    attachment_count: int
    reason: rules.LatePaymentReason | None
    remark: str | None
    done_by: str | None
    done_on: date | None

    @classmethod
    def of(cls, reply: Reply) -> "ReplyOut":
        fields = {name: getattr(reply, name) for name in cls.model_fields if name != "attachments"}
        return cls(attachments=tuple(AttachmentOut(**each) for each in reply.attachments), **fields)


class FinishIn(Body):
    reason: rules.LatePaymentReason | None = Field(
        default=None, description="Why the customer pays late; needed unless nobody knows whose the reply is"
    )
    remark: Annotated[str, Field(max_length=rules.REMARK_CHARACTERS_MAX)] | None = None


class AssignIn(Body):
    customer_id: UUID
    entity_id: str = Field(default="default", min_length=1, max_length=64)


@callbacks.post("/callbacks/inbound-mail", response_model=TakenOut, max_body_size=BASE64_BYTES_MAX)
async def take_mail(request: Request, database: DatabaseDep) -> Response:
    """A mail that came in, as `message/rfc822` or as JSON `{"raw": "<base64>"}`, signed after Standard Webhooks. Sent
    again, it changes nothing. One that cannot be read is kept as `unreadable` where it can be seen whose it is."""
    body = await request.body()
    config = request.app.state.inbound
    if not webhooks.is_signed(request.headers, body, config.keys, real_now()):
        raise InboundRefused("the signature is missing, wrong or too old")
    raw = _raw_of(request.headers.get("content-type", ""), body)
    mail, unreadable = await asyncio.to_thread(rules.read, raw)
    async with transaction(database) as tx:
        reply = await handlers.take_mail(tx, TakeMail(mail, config.reply_key, unreadable))
    if reply is None:
        return respond(TakenOut(id=None, kind=None, status=None))
    return respond(TakenOut(id=reply.id, kind=reply.kind, status=reply.status))


def _raw_of(content_type: str, body: bytes) -> bytes:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "message/rfc822":
        return body
    try:
        return b64decode(RawMailIn.model_validate_json(body).raw, validate=True)
    except (ValidationError, binascii.Error, ValueError):
        raise Malformed("send the mail as message/rfc822, or as JSON with its base64 in `raw`") from None


@router.get("/replies", response_model=Page[ReplyOut], dependencies=[scope("reminders:read")])
async def list_replies(
    database: DatabaseDep,
    page: PageParams,
    customer_id: Annotated[UUID | None, Query()] = None,
    entity_id: Annotated[str | None, Query(max_length=64)] = None,
    status: Annotated[rules.Status | None, Query()] = None,
) -> Response:
    """Newest first: `?status=open` waits for a person, `?status=unmatched` for somebody who knows whose it is."""
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_replies(tx, customer_id, entity_id, status, before, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.id])
    return respond(Page[ReplyOut](items=[ReplyOut.of(reply) for reply in shown], next_cursor=more))


@router.get("/replies/{reply_id}", response_model=ReplyOut, dependencies=[scope("reminders:read")])
async def find_reply(reply_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        reply = await handlers.find_reply(tx, reply_id)
    return respond(ReplyOut.of(reply), etag=reply.version)


@router.post("/replies/{reply_id}/done", response_model=ReplyOut, dependencies=[scope("reminders:write")])
async def finish(reply_id: UUID, body: FinishIn, once: Once, principal: PrincipalDep) -> Response:
    """A person has looked, and says why the customer pays late: automatic contact goes on."""
    async with once as tx:
        command = FinishReply(reply_id, principal.subject, body.reason, body.remark)
        reply = await handlers.finish_reply(tx, command)
        return once.answer(200, ReplyOut.of(reply), etag=reply.version)


@router.post("/replies/{reply_id}/assignment", response_model=ReplyOut, dependencies=[scope("reminders:write")])
async def assign(reply_id: UUID, body: AssignIn, once: Once) -> Response:
    """Say whose an unmatched reply is: it lands on the case, which rests until somebody has looked."""
    async with once as tx:
        reply = await handlers.assign_reply(tx, AssignReply(reply_id, body.customer_id, body.entity_id))
        return once.answer(200, ReplyOut.of(reply), etag=reply.version)
