"""What a customer may owe over HTTP: how the credit account stands, its limit, and the policy behind the limits."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.credit.exposure.rules import Breakdown, Exposure
from services.credit.limits import handlers, rules
from services.credit.limits.handlers import ChangePolicy, PolicyInForce, ReturnToPolicy, SetLimit
from services.credit.limits.rules import Account, PolicyLimit
from shared.calendar import local_date
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch, PrincipalDep
from shared.http.models import Body
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["credit"])

Text = Annotated[str, Field(min_length=1, max_length=500)]


class CreditOut(BaseModel):
    """`exposure.total` counts against the limit; `available` is negative when more is owed than allowed."""

    customer_id: UUID
    version: int
    limit: Money
    limit_source: rules.Source
    limit_reason: str
    policy_version: int
    exposure: Breakdown
    available: Money
    risk_class: str | None = None
    hold: str | None = None
    reasons: tuple[rules.Reason, ...]

    @classmethod
    def of(cls, account: Account, exposure: Exposure) -> "CreditOut":
        return cls(
            customer_id=account.customer_id,
            version=account.version,
            limit=account.limit,
            limit_source=account.source,
            limit_reason=account.reason,
            policy_version=account.policy_version,
            exposure=exposure.against(account.limit.currency),
            available=rules.available(account.limit, exposure),
            reasons=rules.reasons(account, exposure),
        )


class SetLimitIn(Body):
    limit: Money
    reason: Text = Field(examples=["Bank guarantee of 12 March"])


class PolicyLimitIn(Body):
    segment: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="Null stands for every segment that has no entry of its own in this currency"
    )
    limit: Money


class ChangePolicyIn(Body):
    limits: list[PolicyLimitIn] = Field(min_length=1, max_length=2000)


class PolicyLimitOut(BaseModel):
    segment: str | None
    limit: Money


class PolicyOut(BaseModel):
    """The policy in force. `changed_at` and `changed_by` are null for the one that came with the service."""

    version: int
    limits: list[PolicyLimitOut]
    changed_at: datetime | None
    changed_by: str | None

    @classmethod
    def of(cls, found: PolicyInForce) -> "PolicyOut":
        return cls(
            version=found.policy.version,
            limits=[PolicyLimitOut(segment=entry.segment, limit=entry.limit) for entry in found.policy.limits],
            changed_at=found.changed_at,
            changed_by=found.changed_by,
        )


@router.get("/customers/{customer_id}/credit", response_model=CreditOut, dependencies=[scope("credit:read")])
async def show_credit(customer_id: UUID, database: DatabaseDep) -> Response:
    """The limit, what is owed by currency and component, what is available, and why. The ETag is that of the limit."""
    async with reading(database) as tx:
        account, exposure = await handlers.standing(tx, customer_id, local_date(tx.now, "UTC"))
    return respond(CreditOut.of(account, exposure), etag=account.version)


@router.put("/customers/{customer_id}/credit-limit", response_model=CreditOut, dependencies=[scope("credit:write")])
async def set_limit(customer_id: UUID, body: SetLimitIn, version: IfMatch, database: DatabaseDep) -> Response:
    """Set the limit by hand, in the customer's currency; it holds until it is returned to the policy."""
    async with transaction(database) as tx:
        command = SetLimit(customer_id, body.limit, body.reason, version, local_date(tx.now, "UTC"))
        account, exposure = await handlers.set_limit(tx, command)
    return respond(CreditOut.of(account, exposure), etag=account.version)


@router.delete("/customers/{customer_id}/credit-limit", response_model=CreditOut, dependencies=[scope("credit:write")])
async def return_to_policy(customer_id: UUID, version: IfMatch, database: DatabaseDep) -> Response:
    """Take back a limit that was set by hand: the policy's holds again."""
    async with transaction(database) as tx:
        command = ReturnToPolicy(customer_id, version, local_date(tx.now, "UTC"))
        account, exposure = await handlers.return_to_policy(tx, command)
    return respond(CreditOut.of(account, exposure), etag=account.version)


@router.get("/credit-policy", response_model=PolicyOut, dependencies=[scope("credit:read")])
async def show_policy(database: DatabaseDep) -> Response:
    """The default limits in force."""
    async with reading(database) as tx:
        found = await handlers.policy_in_force(tx)
    return respond(PolicyOut.of(found), etag=found.policy.version)


@router.put("/credit-policy", response_model=PolicyOut, dependencies=[scope("credit:write")])
async def change_policy(
    body: ChangePolicyIn,
    version: IfMatch,
    database: DatabaseDep,
    caller: PrincipalDep,
) -> Response:
    """Replace the policy. Limits set by hand stay; the others follow within seconds, each with an event."""
    limits = tuple(PolicyLimit(entry.segment, entry.limit) for entry in body.limits)
    async with transaction(database) as tx:
        found = await handlers.change_policy(tx, ChangePolicy(limits, version, caller.subject))
    return respond(PolicyOut.of(found), etag=found.policy.version)
