"""Webhooks over HTTP: subscribe a system to events, change what it gets, rotate its secret."""

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.reporting.webhooks import handlers, rules
from services.reporting.webhooks.handlers import SubscribeWebhook
from services.reporting.webhooks.rules import OVERLAP_HOURS_MAX, Webhook
from shared.clock import real_now
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch, Once, PageParams, PrincipalDep, ResourcesDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.mail_address import MailAddress

router = APIRouter(tags=["webhooks"])

Url = Annotated[str, Field(min_length=9, max_length=2_000, examples=["https://erp.example.com/hooks/dueward"])]
Types = Annotated[
    tuple[str, ...], Field(max_length=100, description="All when empty", examples=[["dueward.invoice.issued.v1"]])
]
Customers = Annotated[tuple[UUID, ...], Field(max_length=500, description="All when empty")]
Description = Annotated[str, Field(max_length=200)]
Notify = Annotated[MailAddress | None, Field(description="Told by mail when the webhook is disabled")]


class WebhookIn(Body):
    url: Url
    description: Description = ""
    types: Types = ()
    customer_ids: Customers = ()
    notify: Notify = None
    start_after: UUID | None = Field(
        default=None, description="The event behind which to begin; left out, with what comes from now on"
    )


class WebhookPatch(Body):
    url: Url | None = None
    description: Description | None = None
    types: Types | None = None
    customer_ids: Customers | None = None
    notify: Notify = None
    status: Literal["active", "paused"] | None = None


class RotationIn(Body):
    overlap_hours: Annotated[int, Field(ge=0, le=OVERLAP_HOURS_MAX)] = Field(
        default=24, description="How long the secret before it signs as well"
    )


class WebhookOut(BaseModel):
    id: UUID
    version: int
    url: str
    description: str
    types: list[str]
    customer_ids: list[UUID]
    notify: str | None
    status: rules.Status
    disabled_because: str | None
    two_secrets_until: datetime | None
    created_by: str
    created_at: datetime

    @classmethod
    def of(cls, webhook: Webhook) -> "WebhookOut":
        overlapping = rules.has_two_keys(webhook, real_now())
        return cls(
            id=webhook.id,
            version=webhook.version,
            url=webhook.url,
            description=webhook.description,
            types=list(webhook.types),
            customer_ids=list(webhook.customers),
            notify=webhook.notify,
            status=webhook.status,
            disabled_because=webhook.disabled_because,
            two_secrets_until=webhook.former_until if overlapping else None,
            created_by=webhook.created_by,
            created_at=webhook.created_at,
        )


class WebhookWithSecret(WebhookOut):
    secret: str = Field(description="Shown this once; it verifies the signatures")

    @classmethod
    def told(cls, webhook: Webhook, secret: str) -> "WebhookWithSecret":
        return cls(**WebhookOut.of(webhook).model_dump(), secret=secret)


@router.post("/webhooks", status_code=201, response_model=WebhookWithSecret, dependencies=[scope("webhooks:write")])
async def subscribe_webhook(body: WebhookIn, once: Once, principal: PrincipalDep, resources: ResourcesDep) -> Response:
    """Have events sent to an address, signed after the Standard Webhooks specification."""
    command = SubscribeWebhook(
        url=body.url,
        description=body.description,
        types=body.types,
        customers=body.customer_ids,
        notify=body.notify,
        start_after=body.start_after,
        by=principal.subject,
        private=resources.outlet.private,
    )
    seals = resources.outlet.seals
    async with once.sealed(seals) as tx:
        webhook, secret = await handlers.subscribe_webhook(tx, command, seals)
        location = f"/v1/webhooks/{webhook.id}"
        return once.answer(201, WebhookWithSecret.told(webhook, secret), etag=webhook.version, location=location)


@router.get("/webhooks", response_model=Page[WebhookOut], dependencies=[scope("reports:read")])
async def list_webhooks(database: DatabaseDep, page: PageParams) -> Page[WebhookOut]:
    """In the order in which they were made."""
    async with reading(database) as tx:
        found = await handlers.list_webhooks(tx, page.after_id, page.limit + 1)
    shown, more = page.cut(found, lambda webhook: [str(webhook.id)])
    return Page[WebhookOut](items=[WebhookOut.of(webhook) for webhook in shown], next_cursor=more)


@router.get("/webhooks/{webhook_id}", response_model=WebhookOut, dependencies=[scope("reports:read")])
async def show_webhook(webhook_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        webhook = await handlers.find_webhook(tx, webhook_id)
    return respond(WebhookOut.of(webhook), etag=webhook.version)


@router.patch("/webhooks/{webhook_id}", response_model=WebhookOut, dependencies=[scope("webhooks:write")])
async def change_webhook(
    webhook_id: UUID, body: WebhookPatch, version: IfMatch, database: DatabaseDep, resources: ResourcesDep
) -> Response:
    """Change what it gets and where, pause it, or make it active again: then it goes on where it stopped."""
    changes = body.given("notify")
    if "customer_ids" in changes:
        changes["customers"] = changes.pop("customer_ids")
    async with transaction(database) as tx:
        webhook = await handlers.change_webhook(tx, webhook_id, version, changes, private=resources.outlet.private)
    return respond(WebhookOut.of(webhook), etag=webhook.version)


@router.delete("/webhooks/{webhook_id}", status_code=204, dependencies=[scope("webhooks:write")])
async def remove_webhook(webhook_id: UUID, version: IfMatch, database: DatabaseDep) -> Response:
    """Nothing more is sent, and what waits for it is forgotten."""
    async with transaction(database) as tx:
        await handlers.remove_webhook(tx, webhook_id, version)
    return Response(status_code=204)


@router.post("/webhooks/{webhook_id}/secret", response_model=WebhookWithSecret, dependencies=[scope("webhooks:write")])
async def rotate_secret(webhook_id: UUID, body: RotationIn, once: Once, resources: ResourcesDep) -> Response:
    """A new secret, shown this once. For a while every call bears two signatures, so that no receiver misses one."""
    seals = resources.outlet.seals
    async with once.sealed(seals) as tx:
        webhook, secret = await handlers.rotate_secret(tx, webhook_id, timedelta(hours=body.overlap_hours), seals)
        return once.answer(200, WebhookWithSecret.told(webhook, secret), etag=webhook.version)
