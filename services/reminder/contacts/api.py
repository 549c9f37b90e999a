"""Contacts over HTTP: who was written to when, about what, and what was deliberately not sent."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from services.reminder.contacts import handlers, rules
from services.reminder.contacts.rules import Contact
from services.reminder.strategies.rules import Channel
from shared.db import reading
from shared.events.reminder import Tone
from shared.http.dependencies import DatabaseDep, PageParams
from shared.http.models import Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["contacts"])


class ContactOut(BaseModel):
    """`episode` is the number of the case's episode, or `due-<date>` for a message before due. `due_at` is when it was
    decided, `sent_at` when the mail server took it. `reason` says why it was suppressed, failed or is in doubt.
    Contacts of several subsidiaries with the same `delivery_id` are one message to their parent company."""

    id: UUID
    customer_id: UUID
    entity_id: str
    sent_at: datetime | None
    channel: Channel
    strategy: str
    strategy_version: int
    step: str
    episode: str
    invoices: tuple[str, ...]
    status: rules.Status
    tone: Tone
    reason: str | None
    amounts: tuple[Money, ...]
    recipient: str | None
    due_at: datetime
    delivered_at: datetime | None
    bounced_at: datetime | None
    bounce_reason: str | None
    delivery_id: UUID | None
    version: int

    @classmethod
    def of(cls, contact: Contact) -> "ContactOut":
        return cls.model_construct(
            id=contact.id,
            customer_id=contact.customer_id,
            entity_id=contact.entity_id,
            sent_at=contact.sent_at,
            channel=contact.channel,
            strategy=contact.strategy,
            strategy_version=contact.strategy_version,
            step=contact.step,
            episode=contact.episode,
            invoices=contact.invoices,
            status=contact.status,
            tone=contact.tone,
            reason=contact.reason,
            amounts=contact.amounts,
            recipient=contact.recipient,
            due_at=contact.due_at,
            delivered_at=contact.delivered_at,
            bounced_at=contact.bounced_at,
            bounce_reason=contact.bounce_reason,
            delivery_id=contact.delivery_id,
            version=contact.version,
        )


@router.get("/contacts", response_model=Page[ContactOut], dependencies=[scope("reminders:read")])
async def list_contacts(
    database: DatabaseDep,
    page: PageParams,
    customer_id: Annotated[UUID | None, Query()] = None,
    status: Annotated[rules.Status | None, Query()] = None,
) -> Response:
    """Newest first, suppressed ones included: every message that was due has its row."""
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_contacts(tx, customer_id, status, before, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.id])
    return respond(Page[ContactOut].model_construct(items=[ContactOut.of(c) for c in shown], next_cursor=more))


@router.get("/contacts/{contact_id}", response_model=ContactOut, dependencies=[scope("reminders:read")])
async def find_contact(contact_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        contact = await handlers.find_contact(tx, contact_id)
    return respond(ContactOut.of(contact), etag=contact.version)
