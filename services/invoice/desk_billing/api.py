"""Pages of what becomes an invoice: drafts, files to import, and recurring periods that are held."""

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID, uuid5

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.desk_billing import handlers
from services.invoice.desk_words import rules as words
from services.invoice.drafts import handlers as drafts
from services.invoice.drafts.rules import Draft, DraftNotFound
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import CreditAnswer
from services.invoice.pricing.rules import decimal_text
from shared.db import Database, Tx, reading
from shared.errors import DomainError
from shared.http.dependencies import DatabaseDep, ResourcesDep
from shared.http.pages import AttemptDep, Frame, NavLink, act, link
from shared.http.security import Principal
from shared.http.session import SignedIn
from shared.money import Money

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

CREDIT_QUESTIONS = UUID("0b1f6d0e-7a0c-4f43-9f56-6c1f3a9e2d77")
"""The namespace of the keys that credit is asked under: the same form asks the same question."""

# --- drafts ---


@pages.get("/drafts")
async def list_drafts(request: Request, reader: ReaderDep, database: DatabaseDep, after: Text = "") -> Response:
    place = words.read_cursor(after)
    async with reading(database) as tx:
        rows, later = await handlers.list_drafts(tx, place)
    more = link("/drafts", after=later) if later else None
    return frame.draw(request, reader, "drafts.html", rows=rows, more=more, first="/drafts" if place else None)


@pages.get("/drafts/{draft_id}")
async def look_at_draft(request: Request, reader: ReaderDep, database: DatabaseDep, draft_id: UUID) -> Response:
    return await _draw_draft(request, reader, database, draft_id)


async def _draw_draft(
    request: Request, reader: Principal, database: Database, draft_id: UUID, refused: DomainError | None = None
) -> Response:
    async with reading(database) as tx:
        try:
            shown = await handlers.draw_draft(tx, draft_id)
        except DraftNotFound:
            if await invoices.find_document(tx, draft_id):
                return RedirectResponse(f"/invoices/{draft_id}", 303)
            raise
    return frame.draw(
        request, reader, "draft.html", shown=shown, draft=shown.draft, priced=shown.priced, refused=refused
    )


@pages.post("/drafts/{draft_id}/issue")
async def issue_draft(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    resources: ResourcesDep,
    once: AttemptDep,
    draft_id: UUID,
    attempt: Annotated[UUID, Form()],
) -> Response:
    """Issue the draft as it stands; credit is asked first, as for every invoice."""

    async def again(refused: DomainError) -> Response:
        return await _draw_draft(request, reader, database, draft_id, refused)

    await once.check()
    async with reading(database) as tx:
        draft = await drafts.find_draft(tx, draft_id)
    if draft is None:
        return RedirectResponse(f"/invoices/{draft_id}", 303)
    try:
        answer = await _ask_credit(draft, database, resources, f"{reader.key}\0{attempt}")
    except DomainError as refused:
        return await again(refused)

    async def work(tx: Tx) -> None:
        await handlers.issue_draft(tx, draft, answer)

    return await act(once, work, f"/invoices/{draft_id}?said=issued", again)


async def _ask_credit(draft: Draft, database: Database, resources: Any, asker: str) -> CreditAnswer:
    priced = draft.wanted.priced()
    account = await customers.learn_account(database, resources.credit, CustomerRef(draft.customer_id), draft.entity_id)
    total, number = Money(priced.total_minor, priced.currency), draft.wanted.number
    question = uuid5(CREDIT_QUESTIONS, f"{asker}\0{account.customer.id}\0{total}\0{number}")
    return await invoices.ask_credit(resources.credit, account, total, number, asked_as=str(question))


@pages.post("/drafts/{draft_id}/drop")
async def drop_draft(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    draft_id: UUID,
    version: Annotated[int, Form()],
) -> Response:
    """Throw the draft away, as it was shown."""

    async def work(tx: Tx) -> None:
        await drafts.drop_draft(tx, draft_id, version)

    async def again(refused: DomainError) -> Response:
        return await _draw_draft(request, reader, database, draft_id, refused)

    return await act(once, work, "/drafts?said=dropped", again)


# --- imports ---


@pages.get("/imports")
async def list_imports(request: Request, reader: ReaderDep, database: DatabaseDep, before: Text = "") -> Response:
    """Imports with how far they are, the newest first; while one is at work the page renews itself."""
    place = words.read_cursor(before)
    async with reading(database) as tx:
        rows, older = await handlers.list_imports(tx, place)
    running = any(one.status == "running" for one in rows)
    return frame.draw(
        request,
        reader,
        "imports.html",
        rows=rows,
        newest="/imports" if place else None,
        older=link("/imports", before=older) if older else None,
        refresh_seconds=5 if running else None,
    )


@pages.get("/imports/{import_id}")
async def look_at_import(
    request: Request,
    reader: ReaderDep,
    database: DatabaseDep,
    import_id: UUID,
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
) -> Response:
    """One import, and the rows it refused."""
    async with reading(database) as tx:
        one, errors, later = await handlers.draw_import(tx, import_id, after)
    path = f"/imports/{import_id}"
    return frame.draw(
        request,
        reader,
        "import.html",
        one=one,
        errors=errors,
        first=path if after else None,
        more=link(path, after=later) if later else None,
        refresh_seconds=5 if one.status == "running" else None,
    )
