"""Pages of disputes: the queue by deadline, and each with its thread, its owner and how it ends."""

from datetime import date
from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from services.invoice.desk_disputes import handlers
from services.invoice.desk_words import rules as words
from services.invoice.desk_words.rules import said
from services.invoice.disputes import handlers as disputes
from services.invoice.disputes.handlers import AddMessage, AssignDispute
from services.invoice.pricing.rules import decimal_text
from services.invoice.resolutions import handlers as resolutions
from services.invoice.resolutions.handlers import EndDispute
from services.invoice.resolutions.rules import Outcome
from shared.db import Database, Tx, reading
from shared.errors import DomainError
from shared.http.dependencies import DatabaseDep
from shared.http.pages import AttemptDep, Frame, NavLink, act
from shared.http.security import Principal
from shared.http.session import SignedIn

pages = APIRouter(include_in_schema=False)
frame = Frame(
    Path(__file__).parent / "templates",
    section=words.SECTION,
    links=tuple(NavLink(*each) for each in words.LINKS),
    said=words.SAID,
    values={"price": words.price, "share": words.share, "decimal_text": decimal_text},
)

ReaderDep = Annotated[Principal, Depends(SignedIn("invoices:read"))]
WriterDep = Annotated[Principal, Depends(SignedIn("invoices:read", "invoices:write"))]
Text = Annotated[str, Query(max_length=100)]


@pages.get("/disputes")
async def list_disputes(request: Request, reader: ReaderDep, database: DatabaseDep, status: Text = "open") -> Response:
    """Open disputes by the day an answer is due, or those that are over."""
    async with reading(database) as tx:
        rows = await handlers.list_disputes(tx, are_open=status != "closed")
    return frame.draw(request, reader, "disputes.html", rows=rows, are_open=status != "closed")


@pages.get("/disputes/{dispute_id}")
async def look_at_dispute(request: Request, reader: ReaderDep, database: DatabaseDep, dispute_id: UUID) -> Response:
    return await _draw_dispute(request, reader, database, dispute_id)


async def _draw_dispute(
    request: Request, reader: Principal, database: Database, dispute_id: UUID, refused: DomainError | None = None
) -> Response:
    async with reading(database) as tx:
        shown = await handlers.draw_dispute(tx, dispute_id)
    return frame.draw(request, reader, "dispute.html", shown=shown, refused=refused)


@pages.post("/disputes/{dispute_id}/resolution")
async def resolve_dispute(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    dispute_id: UUID,
    outcome: Annotated[Outcome, Form()],
    note: Annotated[str, Form(max_length=2_000)] = "",
) -> Response:
    """Accept it all, which is credited, or reject it, or note that the customer withdrew it."""

    async def work(tx: Tx) -> None:
        dispute = (await disputes.get_dispute(tx, dispute_id)).dispute
        command = EndDispute(dispute.invoice_id, dispute_id, outcome, note=note.strip() or None)
        await resolutions.end_dispute(tx, command)

    async def again(refused: DomainError) -> Response:
        return await _draw_dispute(request, reader, database, dispute_id, refused)

    return await act(once, work, f"/disputes/{dispute_id}?said=resolved", again)


@pages.post("/disputes/{dispute_id}/owner")
async def assign(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    dispute_id: UUID,
    version: Annotated[int, Form()],
    owner: Annotated[str, Form(max_length=200)] = "",
    code: Annotated[str, Form(max_length=40)] = "",
    answer_by: Annotated[date | None, Form()] = None,
) -> Response:
    """Say whose it is, by when it should be answered, and what it is counted under."""

    async def work(tx: Tx) -> None:
        who = said(owner, "Owner")
        await disputes.assign_dispute(tx, AssignDispute(dispute_id, version, who, answer_by, code or None))

    async def again(refused: DomainError) -> Response:
        return await _draw_dispute(request, reader, database, dispute_id, refused)

    return await act(once, work, f"/disputes/{dispute_id}?said=assigned", again)


@pages.post("/disputes/{dispute_id}/messages")
async def write_message(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    dispute_id: UUID,
    body: Annotated[str, Form(max_length=5_000)] = "",
) -> Response:
    async def work(tx: Tx) -> None:
        author = reader.name or reader.subject
        await disputes.add_message(tx, AddMessage(dispute_id, author, said(body, "Message")))

    async def again(refused: DomainError) -> Response:
        return await _draw_dispute(request, reader, database, dispute_id, refused)

    return await act(once, work, f"/disputes/{dispute_id}?said=written", again)
