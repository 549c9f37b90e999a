"""The work list: limits and terms to approve, orders to release, applications and reviews that wait for somebody."""

from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from services.credit.blocked_orders import handlers as blocked_orders
from services.credit.desk import handlers, rules
from services.credit.desk_words import rules as words
from services.credit.desk_words.rules import said
from services.credit.limit_requests import handlers as limit_requests
from services.credit.term_requests import handlers as term_requests
from shared.db import Database, Tx, reading
from shared.errors import DomainError
from shared.http.dependencies import DatabaseDep
from shared.http.idempotency import OnceOnly
from shared.http.pages import AttemptDep, Frame, NavLink, act
from shared.http.security import Principal
from shared.http.session import SignedIn

pages = APIRouter(include_in_schema=False)
frame = Frame(
    Path(__file__).parent / "templates",
    section=words.SECTION,
    links=tuple(NavLink(*each) for each in words.LINKS),
    said=words.SAID,
    filters={"terms": words.terms},
    values={
        "kinds": words.KINDS,
        "cannot_approve": rules.cannot_approve,
        "still_needed": rules.still_needed,
        "what_to_do": rules.what_to_do,
        "waits_for_approval": rules.waits_for_approval,
        "is_late": rules.is_late,
    },
)

ReaderDep = Annotated[Principal, Depends(SignedIn("customers:read", "credit:read"))]
WriterDep = Annotated[Principal, Depends(SignedIn("customers:read", "credit:read", "credit:write"))]
ApproverDep = Annotated[Principal, Depends(SignedIn("customers:read", "credit:read", "credit:approve"))]
Written = Annotated[str, Form(max_length=400)]


@pages.get("/")
async def show_work_list(request: Request, reader: ReaderDep, database: DatabaseDep) -> Response:
    """All that waits for somebody, the oldest of each kind first."""
    return await _draw(request, reader, database)


async def _draw(
    request: Request, reader: Principal, database: Database, refused: DomainError | None = None
) -> Response:
    async with reading(database) as tx:
        shown = await handlers.draw_work_list(tx)
    return frame.draw(
        request,
        reader,
        "work.html",
        shown=shown,
        refused=refused,
        may_write="credit:write" in reader.scopes,
        may_approve="credit:approve" in reader.scopes,
    )


async def _act(
    request: Request,
    reader: Principal,
    database: Database,
    once: OnceOnly,
    work: Callable[[Tx], Awaitable[Any]],
    then: str,
) -> Response:
    async def again(refused: DomainError) -> Response:
        return await _draw(request, reader, database, refused)

    return await act(once, work, f"/?said={then}", again)


@pages.post("/limit-requests/{request_id}/approval")
async def approve_request(
    request: Request, reader: ApproverDep, database: DatabaseDep, once: AttemptDep, request_id: UUID
) -> Response:
    """One approval; never by who asked, and nobody's twice."""

    async def work(tx: Tx) -> None:
        await limit_requests.approve_request(tx, request_id, reader.subject)

    return await _act(request, reader, database, once, work, "approved")


@pages.post("/limit-requests/{request_id}/refusal")
async def refuse_request(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    request_id: UUID,
    reason: Written = "",
) -> Response:
    """Who asked for it withdraws it so."""

    async def work(tx: Tx) -> None:
        await limit_requests.close_request(tx, request_id, reader.subject, said(reason, "Reason"))

    return await _act(request, reader, database, once, work, "refused")


@pages.post("/term-requests/{request_id}/approval")
async def approve_terms(
    request: Request, reader: ApproverDep, database: DatabaseDep, once: AttemptDep, request_id: UUID
) -> Response:
    """One approval; never by who asked, and nobody's twice."""

    async def work(tx: Tx) -> None:
        await term_requests.approve_request(tx, request_id, reader.subject)

    return await _act(request, reader, database, once, work, "approved")


@pages.post("/term-requests/{request_id}/refusal")
async def refuse_terms(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    request_id: UUID,
    reason: Written = "",
) -> Response:
    """Who asked for them withdraws them so."""

    async def work(tx: Tx) -> None:
        await term_requests.close_request(tx, request_id, reader.subject, said(reason, "Reason"))

    return await _act(request, reader, database, once, work, "refused")


@pages.post("/orders/{order_id}/release")
async def release_order(
    request: Request,
    reader: ApproverDep,
    database: DatabaseDep,
    once: AttemptDep,
    order_id: UUID,
    until: Annotated[date, Form()],
    reason: Written = "",
) -> Response:
    """Let it pass whatever the limit says, reserved up to and with that day."""

    async def work(tx: Tx) -> None:
        why, expires_at = said(reason, "Reason"), words.end_of(until)
        await blocked_orders.release_order(tx, order_id, why, reader.subject, expires_at)

    return await _act(request, reader, database, once, work, "passed")


@pages.post("/orders/{order_id}/refusal")
async def refuse_order(
    request: Request,
    reader: ApproverDep,
    database: DatabaseDep,
    once: AttemptDep,
    order_id: UUID,
    reason: Written = "",
) -> Response:
    async def work(tx: Tx) -> None:
        await blocked_orders.refuse_order(tx, order_id, said(reason, "Reason"), reader.subject)

    return await _act(request, reader, database, once, work, "blocked")
