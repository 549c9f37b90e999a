"""What a customer may owe over HTTP: how the credit account stands, and its limit."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.credit.assessments import handlers as assessments
from services.credit.exposure.rules import Breakdown, Facts
from services.credit.limits import handlers, rules
from services.credit.limits.handlers import ReturnToPolicy, SetLimit
from services.credit.limits.rules import Account, Addition
from shared.calendar import local_date
from shared.db import Tx, reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch
from shared.http.models import Body
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["credit"])

Text = Annotated[str, Field(min_length=1, max_length=500)]


class AdditionOut(BaseModel):
    """What raises the limit besides its base, now or on another day; `counted` is the part of `amount` that does."""

    id: UUID
    kind: rules.Kind
    amount: Money
    counted: Money
    from_on: date
    until_on: date | None
    season: tuple[str, str] | None
    counts_now: bool

    @classmethod
    def of(cls, addition: Addition, today: date) -> "AdditionOut":
        return cls(
            id=addition.id,
            kind=addition.kind,
            amount=addition.amount,
            counted=addition.counted,
            from_on=addition.from_on,
            until_on=addition.until_on,
            season=addition.season,
            counts_now=addition.counts_on(today),
        )


class GroupOut(BaseModel):
    """A company with all that belong to it. `available` is what they may still owe together."""

    top_id: UUID
    limit: Money
    exposure: Breakdown
    available: Money


class CreditOut(BaseModel):
    """`limit` is what is in force: the base and the additions that count. `exposure.total` counts against it;
    `available` is negative when more is owed than allowed. `hold` names what is held, such as `orders invoices`."""

    customer_id: UUID
    version: int
    limit: Money
    limit_source: rules.Source
    limit_reason: str
    base_limit: Money
    valid_until: date | None
    additions: list[AdditionOut]
    policy_version: int
    exposure: Breakdown
    available: Money
    group: GroupOut | None
    rates_on: date | None
    risk_class: str | None = None
    hold: str | None = None
    reasons: tuple[rules.Reason, ...]

    @classmethod
    def of(cls, account: Account, facts: Facts, today: date, risk_class: str | None) -> "CreditOut":
        policy = rules.rules_of(facts.policy_rules)
        rates = rules.usable_rates(facts, policy, today)
        exposure = facts.exposure.against(account.limit.currency, rates)
        return cls(
            customer_id=account.customer_id,
            version=account.version,
            limit=account.limit,
            limit_source=account.source,
            limit_reason=account.reason,
            base_limit=account.base_limit,
            valid_until=account.valid_until,
            additions=[AdditionOut.of(each, today) for each in account.additions if each.ended_on is None],
            policy_version=account.policy_version,
            exposure=exposure,
            available=account.limit - exposure.total,
            group=GroupOut(
                top_id=group.top_id,
                limit=group.limit,
                exposure=group.exposure.against(group.limit.currency, rates),
                available=rules.available(group.limit, group.exposure, rates),
            )
            if (group := facts.group)
            else None,
            rates_on=rates.on if rates and facts.exposure.currencies - {account.limit.currency} else None,
            risk_class=risk_class,
            hold=" ".join(account.held) or None,
            reasons=rules.reasons(account, facts, rates),
        )


class SetLimitIn(Body):
    limit: Money
    reason: Text = Field(examples=["Bank guarantee of 12 March"])
    valid_until: date | None = Field(default=None, description="The last day; then the policy's limit holds again")


@router.get("/customers/{customer_id}/credit", response_model=CreditOut, dependencies=[scope("credit:read")])
async def show_credit(customer_id: UUID, database: DatabaseDep) -> Response:
    """The limit, what is owed by currency and component, what is available, and why. The ETag is that of the limit."""
    async with reading(database) as tx:
        today = local_date(tx.now, "UTC")
        account, facts = await handlers.standing(tx, customer_id, today)
        risk_class = await _risk_class(tx, customer_id)
    return respond(CreditOut.of(account, facts, today, risk_class), etag=account.version)


@router.put("/customers/{customer_id}/credit-limit", response_model=CreditOut, dependencies=[scope("credit:write")])
async def set_limit(customer_id: UUID, body: SetLimitIn, version: IfMatch, database: DatabaseDep) -> Response:
    """Set the limit by hand, in the customer's currency; it holds until it is returned to the policy or its validity
    ends. An amount that the policy has approved by others is refused here: send it as a limit request."""
    async with transaction(database) as tx:
        today = local_date(tx.now, "UTC")
        command = SetLimit(customer_id, body.limit, body.reason, version, today, body.valid_until)
        account, facts = await handlers.set_limit(tx, command)
        risk_class = await _risk_class(tx, customer_id)
    return respond(CreditOut.of(account, facts, today, risk_class), etag=account.version)


@router.delete("/customers/{customer_id}/credit-limit", response_model=CreditOut, dependencies=[scope("credit:write")])
async def return_to_policy(customer_id: UUID, version: IfMatch, database: DatabaseDep) -> Response:
    """Take back a limit that was set by hand: the policy's holds again."""
    async with transaction(database) as tx:
        today = local_date(tx.now, "UTC")
        account, facts = await handlers.return_to_policy(tx, ReturnToPolicy(customer_id, version, today))
        risk_class = await _risk_class(tx, customer_id)
    return respond(CreditOut.of(account, facts, today, risk_class), etag=account.version)


async def _risk_class(tx: Tx, customer_id: UUID) -> str | None:
    assessed = await assessments.latest(tx, customer_id)
    return assessed.risk_class if assessed else None
