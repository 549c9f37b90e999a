"""Term requests over HTTP: ask for other days, prepayment or deposit; approve, refuse, withdraw."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.credit.customers import handlers as customers
from services.credit.customers.rules import NET_DAYS_MAX
from services.credit.limit_requests.rules import Status
from services.credit.term_requests import handlers
from services.credit.term_requests.handlers import RequestTerms
from services.credit.term_requests.rules import TermRequest
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["term requests"])

Text = Annotated[str, Field(min_length=1, max_length=400)]


def _left_out() -> Any:
    """A field that is not sent stays as it is; null takes a deposit back."""


class TermRequestIn(Body):
    net_days: int = Field(default_factory=_left_out, ge=0, le=NET_DAYS_MAX, description="Left out: as they are")
    prepaid_percent: int = Field(default_factory=_left_out, ge=0, le=100, description="Of each order, before delivery")
    deposit: Money | None = Field(default_factory=_left_out, description="What the customer is asked for")
    reason: Text


class CloseIn(Body):
    reason: Text


class ApprovalOut(BaseModel):
    by: str
    at: datetime


class TermRequestOut(BaseModel):
    """`evidence` is the assessment, where one recommends it and `requested_by` is `credit`."""

    id: UUID
    version: int
    customer_id: UUID
    net_days: int
    prepaid_percent: int
    deposit: Money | None
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
    def of(cls, request: TermRequest) -> "TermRequestOut":
        return cls(
            id=request.id,
            version=request.version,
            customer_id=request.customer_id,
            net_days=request.wanted.net_days,
            prepaid_percent=request.wanted.prepaid_percent,
            deposit=request.wanted.deposit,
            evidence=request.evidence,
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
    "/customers/{customer_id}/term-requests",
    status_code=201,
    response_model=TermRequestOut,
    dependencies=[scope("credit:write")],
)
async def request_terms(customer_id: UUID, body: TermRequestIn, once: Once, principal: PrincipalDep) -> Response:
    """Ask for other terms; they take effect with the last approval that the policy wants, at once where it wants
    none."""
    async with once as tx:
        customer = await customers.get_customer(tx, customer_id)
        wanted = replace(customer.particulars.terms, **_sent(body))
        request = await handlers.request_terms(tx, RequestTerms(customer_id, wanted, body.reason, principal.subject))
        location = f"/v1/term-requests/{request.id}"
        return once.answer(201, TermRequestOut.of(request), etag=request.version, location=location)


def _sent(body: TermRequestIn) -> dict[str, Any]:
    sent: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set - {"reason"}}
    if (deposit := sent.get("deposit")) and deposit.minor == 0:
        sent["deposit"] = None
    return sent


@router.get("/term-requests", response_model=Page[TermRequestOut], dependencies=[scope("credit:read")])
async def list_requests(
    database: DatabaseDep,
    page: PageParams,
    status: Annotated[Status | None, Query()] = "waiting",
    customer_id: Annotated[UUID | None, Query()] = None,
) -> Page[TermRequestOut]:
    """Those that wait for approval, the oldest first; others by their status."""
    after = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_requests(tx, status, customer_id, after, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.id])
    return Page[TermRequestOut](items=[TermRequestOut.of(one) for one in shown], next_cursor=more)


@router.get("/term-requests/{request_id}", response_model=TermRequestOut, dependencies=[scope("credit:read")])
async def show_request(request_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        request = await handlers.get_request(tx, request_id)
    return respond(TermRequestOut.of(request), etag=request.version)


@router.post(
    "/term-requests/{request_id}/approvals", response_model=TermRequestOut, dependencies=[scope("credit:approve")]
)
async def approve_request(request_id: UUID, once: Once, principal: PrincipalDep) -> Response:
    """One approval; never by who asked for it, and nobody's twice."""
    async with once as tx:
        request = await handlers.approve_request(tx, request_id, principal.subject)
        return once.answer(200, TermRequestOut.of(request), etag=request.version)


@router.post("/term-requests/{request_id}/refusal", response_model=TermRequestOut, dependencies=[scope("credit:write")])
async def close_request(request_id: UUID, body: CloseIn, once: Once, principal: PrincipalDep) -> Response:
    """Refuse it, with the reason; who asked for it withdraws it so."""
    async with once as tx:
        request = await handlers.close_request(tx, request_id, principal.subject, body.reason)
        return once.answer(200, TermRequestOut.of(request), etag=request.version)
