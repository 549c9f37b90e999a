"""The credit policy over HTTP: read, check and change it, and who changed what and when."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.credit.limits import handlers as accounts
from services.credit.limits.handlers import ChangePolicy, PolicyInForce
from services.credit.policies import handlers, rules
from services.credit.policies.handlers import Version
from services.credit.policies.rules import Change
from services.credit.policy_rules import rules as documents
from services.credit.policy_rules.rules import PolicyLimit, PolicyRules
from services.credit.review_days.handlers import ReviewDays, review_days
from shared.calendar import local_date
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["credit"])

Text = Annotated[str, Field(min_length=1, max_length=500)]
VersionNumber = Annotated[int, Query(ge=1, le=2**31)]


class PolicyLimitIn(Body):
    segment: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="Null stands for every segment that has no entry of its own in this currency"
    )
    limit: Money


class ChangePolicyIn(Body):
    limits: list[PolicyLimitIn] = Field(min_length=1, max_length=2000)
    rules: PolicyRules | None = Field(default=None, description="Left out: they stay as they are")
    owner: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="Who answers for it; left out: as before"
    )
    review_on: date | None = Field(default=None, description="When its outcomes are looked at; left out: as before")
    reason: Text | None = Field(default=None, description="Why it is changed")


class PolicyLimitOut(BaseModel):
    segment: str | None
    limit: Money


class PolicyOut(BaseModel):
    """A version of the policy. `changed_at` and `changed_by` are null for the one that came with the service.
    `review_due_on` is `review_on` until a review is signed then or later, and a year after that one from then on;
    `review_overdue`: that day has passed."""

    version: int
    limits: list[PolicyLimitOut]
    rules: PolicyRules
    changed_at: datetime | None
    changed_by: str | None
    owner: str | None
    review_on: date | None
    review_due_on: date | None
    review_overdue: bool
    reason: str | None

    @classmethod
    def of(cls, found: PolicyInForce, days: ReviewDays, today: date) -> "PolicyOut":
        due_on = days.of_policy(found.policy.review_on)
        return cls(
            version=found.policy.version,
            limits=[PolicyLimitOut(segment=entry.segment, limit=entry.limit) for entry in found.policy.limits],
            rules=found.policy.rules,
            changed_at=found.changed_at,
            changed_by=found.changed_by,
            owner=found.policy.owner,
            review_on=found.policy.review_on,
            review_due_on=due_on,
            review_overdue=due_on is not None and due_on < today,
            reason=found.policy.reason,
        )


class ChangeOut(BaseModel):
    """`before` and `after` are null where there is nothing; `says` is the same in a sentence."""

    place: str
    before: str | None
    after: str | None
    says: str

    @classmethod
    def of(cls, change: Change) -> "ChangeOut":
        return cls.model_validate(change, from_attributes=True)


class VersionOut(BaseModel):
    """`changes` are against the version before it, or the one asked for."""

    policy: PolicyOut
    changes: list[ChangeOut]


class FaultOut(BaseModel):
    """`contradiction` names two things that do not go together; null for a value that is wrong by itself."""

    pointer: str
    contradiction: str | None
    detail: str


class PolicyCheckOut(BaseModel):
    """`changes` are against the version in force."""

    publishable: bool
    faults: list[FaultOut]
    changes: list[ChangeOut]


@router.get("/credit-policy", response_model=PolicyOut, dependencies=[scope("credit:read")])
async def show_policy(database: DatabaseDep) -> Response:
    """The default limits and rules in force, with who answers for them."""
    async with reading(database) as tx:
        found, days = await accounts.policy_in_force(tx), await review_days(tx)
    return respond(PolicyOut.of(found, days, local_date(tx.now, "UTC")), etag=found.policy.version)


@router.put("/credit-policy", response_model=PolicyOut, dependencies=[scope("credit:write")])
async def change_policy(
    body: ChangePolicyIn,
    version: IfMatch,
    database: DatabaseDep,
    caller: PrincipalDep,
) -> Response:
    """Replace the policy. Limits set by hand stay; the others follow within seconds, each with an event. A policy that
    contradicts itself is refused with the place."""
    async with transaction(database) as tx:
        command = ChangePolicy(
            _limits(body),
            version,
            caller.subject,
            body.rules,
            owner=body.owner,
            review_on=body.review_on,
            reason=body.reason,
        )
        found, days = await accounts.change_policy(tx, command), await review_days(tx)
    return respond(PolicyOut.of(found, days, local_date(tx.now, "UTC")), etag=found.policy.version)


@router.get("/credit-policy/versions", response_model=Page[VersionOut], dependencies=[scope("credit:read")])
async def list_versions(database: DatabaseDep, page: PageParams) -> Page[VersionOut]:
    """Every version there was, the newest first: who made it, when and why, and what it changed."""
    before = int(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_versions(tx, before, page.limit + 1)
        days, today = await review_days(tx), local_date(tx.now, "UTC")
    shown, more = page.cut(found, lambda last: [last.found.policy.version])
    return Page[VersionOut](items=[_out(each, days, today) for each in shown], next_cursor=more)


@router.get("/credit-policy/versions/{version}", response_model=VersionOut, dependencies=[scope("credit:read")])
async def show_version(database: DatabaseDep, version: int, since: VersionNumber | None = None) -> Response:
    """One version, with all that changed since an earlier or later one (`since`; the one before it when left out)."""
    async with reading(database) as tx:
        found = await handlers.compare_versions(tx, version, since)
        days, today = await review_days(tx), local_date(tx.now, "UTC")
    return respond(_out(found, days, today), etag=version)


@router.post("/credit-policy/checks", response_model=PolicyCheckOut, dependencies=[scope("credit:read")])
async def check_policy(body: ChangePolicyIn, database: DatabaseDep) -> Response:
    """What publishing this policy would say and change, without publishing it: every fault at once."""
    async with reading(database) as tx:
        in_force = (await accounts.policy_in_force(tx)).policy
    proposed = documents.amended(in_force, _limits(body), body.rules, body.owner, body.review_on)
    faults = [
        FaultOut(pointer=f"#{fault.field}", contradiction=fault.extra.get("contradiction"), detail=fault.detail)
        for fault in documents.faults(proposed.limits, proposed.rules)
    ]
    changed = rules.changes(in_force, proposed) if not faults else ()
    return respond(PolicyCheckOut(publishable=not faults, faults=faults, changes=[*map(ChangeOut.of, changed)]))


def _limits(body: ChangePolicyIn) -> tuple[PolicyLimit, ...]:
    return tuple(PolicyLimit(entry.segment, entry.limit) for entry in body.limits)


def _out(version: Version, days: ReviewDays, today: date) -> VersionOut:
    return VersionOut(
        policy=PolicyOut.of(version.found, days, today), changes=[ChangeOut.of(each) for each in version.changes]
    )
