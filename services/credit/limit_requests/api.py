"""Limit requests over HTTP: ask for a limit, a raise or the counting of a security; approve, refuse, withdraw."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.credit.limit_requests import handlers, rules
from services.credit.limit_requests.handlers import RequestLimit
from services.credit.limit_requests.rules import LimitRequest, Status, Wanted
from services.credit.limits import handlers as limits
from shared.calendar import local_date
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["limit requests"])

Text = Annotated[str, Field(min_length=1, max_length=400)]
Season = Annotated[list[str], Field(min_length=2, max_length=2, examples=[["11-15", "01-15"]])]


class LimitRequestIn(Body):
    kind: rules.Kind
    amount: Money = Field(description="The limit; what raises it, for all other kinds")
    from_: date | None = Field(default=None, alias="from", description="The first day, today if left out")
    until: date | None = Field(default=None, description="The last day")
    season: Season | None = Field(default=None, description="Its first and last day of each year")
    evidence: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="The bond, the account, the insurer's policy number"
    )
    reason: Text


class CloseIn(Body):
    reason: Text


class ApprovalOut(BaseModel):
    by: str
    at: datetime


class LimitRequestOut(BaseModel):
    id: UUID
    version: int
    customer_id: UUID
    kind: rules.Kind
    amount: Money
    from_on: date | None
    until_on: date | None
    season: tuple[str, str] | None
    evidence: str | None
    reason: str
    requested_by: str
    requested_at: datetime
    approvers_needed: int
    approvals: list[ApprovalOut]
    status: Status
    closed_at: datetime | None
    closed_because: str | None

    @classmethod
    def of(cls, request: LimitRequest) -> "LimitRequestOut":
        wanted = request.wanted
        return cls(
            id=request.id,
            version=request.version,
            customer_id=request.customer_id,
            kind=wanted.kind,
            amount=wanted.amount,
            from_on=wanted.from_on,
            until_on=wanted.until_on,
            season=wanted.season,
            evidence=wanted.evidence,
            reason=request.reason,
            requested_by=request.requested_by,
            requested_at=request.requested_at,
            approvers_needed=request.approvers_needed,
            approvals=[ApprovalOut(by=each.by, at=each.at) for each in request.approvals],
            status=request.status,
            closed_at=request.closed_at,
            closed_because=request.closed_because,
        )


@router.post(
    "/customers/{customer_id}/limit-requests",
    status_code=201,
    response_model=LimitRequestOut,
    dependencies=[scope("credit:write")],
)
async def request_limit(customer_id: UUID, body: LimitRequestIn, once: Once, principal: PrincipalDep) -> Response:
    """Ask for it; it takes effect with the last approval that the policy wants, at once where it wants none."""
    season = (body.season[0], body.season[1]) if body.season else None
    wanted = Wanted(body.kind, body.amount, body.from_, body.until, season, body.evidence)
    async with once as tx:
        command = RequestLimit(customer_id, wanted, body.reason, principal.subject)
        request = await handlers.request_limit(tx, command)
        location = f"/v1/limit-requests/{request.id}"
        return once.answer(201, LimitRequestOut.of(request), etag=request.version, location=location)


@router.get("/limit-requests", response_model=Page[LimitRequestOut], dependencies=[scope("credit:read")])
async def list_requests(
    database: DatabaseDep,
    page: PageParams,
    status: Annotated[Status | None, Query()] = "waiting",
    customer_id: Annotated[UUID | None, Query()] = None,
) -> Page[LimitRequestOut]:
    """Those that wait for approval, the oldest first; others by their status."""
    after = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_requests(tx, status, customer_id, after, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.id])
    return Page[LimitRequestOut](items=[LimitRequestOut.of(one) for one in shown], next_cursor=more)


@router.get("/limit-requests/{request_id}", response_model=LimitRequestOut, dependencies=[scope("credit:read")])
async def show_request(request_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        request = await handlers.get_request(tx, request_id)
    return respond(LimitRequestOut.of(request), etag=request.version)


@router.post(
    "/limit-requests/{request_id}/approvals", response_model=LimitRequestOut, dependencies=[scope("credit:approve")]
)
async def approve_request(request_id: UUID, once: Once, principal: PrincipalDep) -> Response:
    """One approval; never by who asked for it, and nobody's twice."""
    async with once as tx:
        request = await handlers.approve_request(tx, request_id, principal.subject)
        return once.answer(200, LimitRequestOut.of(request), etag=request.version)


@router.post(
    "/limit-requests/{request_id}/refusal", response_model=LimitRequestOut, dependencies=[scope("credit:write")]
)
async def close_request(request_id: UUID, body: CloseIn, once: Once, principal: PrincipalDep) -> Response:
    """Refuse it, with the reason; who asked for it withdraws it so."""
    async with once as tx:
        request = await handlers.close_request(tx, request_id, principal.subject, body.reason)
        return once.answer(200, LimitRequestOut.of(request), etag=request.version)


@router.post(
    "/customers/{customer_id}/limit-additions/{addition_id}/end", status_code=200, dependencies=[scope("credit:write")]
)
async def end_addition(customer_id: UUID, addition_id: UUID, body: CloseIn, once: Once) -> Response:
    """From today on a raise or a security, named by its request, counts no longer."""
    async with once as tx:
        today = local_date(tx.now, "UTC")
        account = await limits.end_addition(tx, customer_id, addition_id, body.reason, today)
        return once.answer(200, {"limit": {"amount": account.limit.amount, "currency": account.limit.currency}})
