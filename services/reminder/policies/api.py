"""The contact policy over HTTP, and what customers do not want."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.reminder.policies import handlers, rules
from services.reminder.policies.handlers import EndOptOut, OptOut, PublishPolicy
from services.reminder.policies.rules import PolicyDocument, PolicyVersion, Refused
from services.reminder.strategies.rules import Channel
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch, Once
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import PrincipalDep, scope

router = APIRouter(tags=["contact policy"])


class PolicyOut(PolicyDocument):
    """The policy and its version; version 0 is the built-in one, of nobody."""

    version: int
    published_at: datetime | None
    published_by: str | None

    @classmethod
    def told(cls, policy: PolicyVersion) -> "PolicyOut":
        return cls(
            **policy.said.model_dump(),
            version=policy.version,
            published_at=policy.published_at,
            published_by=policy.published_by,
        )


@router.get("/contact-policy", response_model=PolicyOut, dependencies=[scope("reminders:read")])
async def find_policy(database: DatabaseDep, version: Annotated[int | None, Query(ge=0, le=2**31)] = None) -> Response:
    """The policy in force, or an earlier version."""
    async with reading(database) as tx:
        found = await handlers.find_policy(tx, version)
    return respond(PolicyOut.told(found), etag=found.version)


@router.put("/contact-policy", response_model=PolicyOut, dependencies=[scope("reminders:write")])
async def publish_policy(
    body: PolicyDocument, version: IfMatch, database: DatabaseDep, principal: PrincipalDep
) -> Response:
    """Publish the next version, in force at once: what was planned under another one is decided again as it leaves."""
    async with transaction(database) as tx:
        published = await handlers.publish_policy(tx, PublishPolicy(body, version, principal.subject))
    return respond(PolicyOut.told(published), etag=published.version)


class OptOutIn(Body):
    channel: rules.CustomerChannel
    invoice_number: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="Only about this invoice; left out, nothing at all goes out this way"
    )
    reason: str = Field(min_length=1, max_length=500, description="Who said so, and how")


class OptOutOut(BaseModel):
    """It runs until it is ended."""

    id: UUID
    customer_id: UUID
    channel: Channel
    invoice_number: str | None
    reason: str
    recorded_at: datetime
    recorded_by: str
    ended_at: datetime | None
    ended_by: str | None

    @classmethod
    def of(cls, refused: Refused) -> "OptOutOut":
        return cls(
            id=refused.id,
            customer_id=refused.customer_id,
            channel=refused.channel,
            invoice_number=refused.invoice_number,
            reason=refused.reason,
            recorded_at=refused.recorded_at,
            recorded_by=refused.recorded_by,
            ended_at=refused.ended_at,
            ended_by=refused.ended_by,
        )


@router.get("/customers/{customer_id}/opt-outs", response_model=Page[OptOutOut], dependencies=[scope("reminders:read")])
async def list_opt_outs(customer_id: UUID, database: DatabaseDep) -> Response:
    """All there ever were, oldest first."""
    async with reading(database) as tx:
        found = await handlers.list_opt_outs(tx, customer_id)
    return respond(Page[OptOutOut](items=[OptOutOut.of(each) for each in found], next_cursor=None))


@router.post(
    "/customers/{customer_id}/opt-outs",
    status_code=201,
    response_model=OptOutOut,
    dependencies=[scope("reminders:write")],
)
async def opt_out(customer_id: UUID, body: OptOutIn, once: Once, principal: PrincipalDep) -> Response:
    """Record that the customer does not want to be contacted this way. Said again, it answers with what is kept."""
    async with once as tx:
        command = OptOut(customer_id, body.channel, body.invoice_number, body.reason, principal.subject)
        kept = await handlers.opt_out(tx, command)
        location = f"/v1/customers/{customer_id}/opt-outs/{kept.id}"
        return once.answer(201, OptOutOut.of(kept), etag=1, location=location)


@router.delete(
    "/customers/{customer_id}/opt-outs/{opt_out_id}", status_code=204, dependencies=[scope("reminders:write")]
)
async def end_opt_out(
    customer_id: UUID, opt_out_id: UUID, _: IfMatch, database: DatabaseDep, principal: PrincipalDep
) -> Response:
    """The customer may be contacted this way again; what was recorded is kept."""
    async with transaction(database) as tx:
        await handlers.end_opt_out(tx, EndOptOut(customer_id, opt_out_id, principal.subject))
    return Response(status_code=204)
