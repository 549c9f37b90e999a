"""Customers that may be the same company: who they are, what a merger would do, and the merger itself."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from services.credit.desk_mergers import handlers, rules
from services.credit.desk_words import rules as words
from services.credit.desk_words.rules import said
from services.credit.mergers import handlers as mergers
from services.credit.mergers.handlers import MergeCustomers
from shared.db import Database, Tx, reading
from shared.errors import DomainError
from shared.http.dependencies import DatabaseDep
from shared.http.pages import AttemptDep, Frame, NavLink, act, link
from shared.http.security import Principal
from shared.http.session import SignedIn

pages = APIRouter(include_in_schema=False)
frame = Frame(
    Path(__file__).parent / "templates",
    section=words.SECTION,
    links=tuple(NavLink(*each) for each in words.LINKS),
    said=words.SAID,
)

READING, WRITING = ("customers:read", "credit:read"), ("customers:write", "credit:write")
ReaderDep = Annotated[Principal, Depends(SignedIn(*READING))]
WriterDep = Annotated[Principal, Depends(SignedIn(*READING, *WRITING))]


@pages.get("/customers/{customer_id}/duplicates")
async def list_suspects(request: Request, reader: ReaderDep, database: DatabaseDep, customer_id: UUID) -> Response:
    """Who may be the same company, and why; the likeliest first."""
    return await _draw_suspects(request, reader, database, customer_id)


async def _draw_suspects(
    request: Request, reader: Principal, database: Database, customer_id: UUID, refused: DomainError | None = None
) -> Response:
    async with reading(database) as tx:
        shown = await handlers.draw_suspects(tx, customer_id)
    return frame.draw(request, reader, "suspects.html", shown=shown, refused=refused)


@pages.get("/customers/{customer_id}/merger")
async def look_at_merger(
    request: Request,
    reader: ReaderDep,
    database: DatabaseDep,
    customer_id: UUID,
    other: Annotated[UUID | None, Query()] = None,
    number: Annotated[str, Query(max_length=128)] = "",
) -> Response:
    """Both side by side, and what would happen either way; the other one by its id, or by its number."""
    try:
        async with reading(database) as tx:
            other_id = other or await handlers.find_by_number(tx, said(number, "Its number"))
    except DomainError as refused:
        return await _draw_suspects(request, reader, database, customer_id, refused)
    return await _draw(request, reader, database, customer_id, other_id)


async def _draw(
    request: Request,
    reader: Principal,
    database: Database,
    customer_id: UUID,
    other_id: UUID,
    refused: DomainError | None = None,
    reason: str = "",
) -> Response:
    async with reading(database) as tx:
        shown = await handlers.draw_merger(tx, customer_id, other_id)
    may_merge = set(WRITING) <= set(reader.scopes)
    return frame.draw(request, reader, "merger.html", shown=shown, refused=refused, reason=reason, may_merge=may_merge)


@pages.post("/customers/{customer_id}/merger")
async def merge(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    customer_id: UUID,
    into_id: Annotated[UUID, Form()],
    reason: Annotated[str, Form(max_length=400)] = "",
    sure: Annotated[bool, Form()] = False,
) -> Response:
    """Close this customer; it goes on as the other."""

    async def work(tx: Tx) -> None:
        rules.expect_sure(sure)
        await mergers.merge_customers(tx, MergeCustomers(customer_id, into_id, said(reason, "Reason"), reader.subject))

    async def again(refused: DomainError) -> Response:
        return await _draw(request, reader, database, customer_id, into_id, refused, reason)

    return await act(once, work, link(f"/customers/{into_id}", said="merged"), again)
