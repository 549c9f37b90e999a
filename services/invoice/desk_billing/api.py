"""Pages of what becomes an invoice: drafts, files to import, and recurring periods that are held."""

import asyncio
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID, uuid5

from fastapi import APIRouter, Depends, Form, Query, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.desk_billing import handlers, rules
from services.invoice.desk_words import rules as words
from services.invoice.desk_words.rules import said
from services.invoice.drafts import handlers as drafts
from services.invoice.drafts.rules import Draft, DraftNotFound
from services.invoice.entities.rules import DEFAULT
from services.invoice.imports import handlers as imports
from services.invoice.imports.handlers import ReceiveImport
from services.invoice.imports.rules import BYTES_MAX, ENDINGS, ImportRefused, Mode, Upload, format_of, read_upload
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import CreditAnswer
from services.invoice.pricing.rules import decimal_text
from services.invoice.recurring import handlers as recurring
from shared.db import Database, Tx, reading
from shared.errors import DomainError
from shared.http.dependencies import DatabaseDep, ResourcesDep
from shared.http.idempotency import RequestInFlight
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
    request: Request,
    reader: Principal,
    database: Database,
    draft_id: UUID,
    refused: DomainError | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    """`typed` is what was written into the form that was refused."""
    async with reading(database) as tx:
        try:
            shown = await handlers.draw_draft(tx, draft_id)
        except DraftNotFound:
            if await invoices.find_document(tx, draft_id):
                return RedirectResponse(f"/invoices/{draft_id}", 303)
            raise
    said = refused.extra.get("findings", ()) if typed and refused else shown.findings
    return frame.draw(
        request,
        reader,
        "draft.html",
        shown=shown,
        draft=shown.draft,
        priced=shown.priced,
        form=rules.shown(shown.draft.body, said, typed),
        fields=rules.FIELDS,
        line_fields=rules.LINE_FIELDS,
        refused=refused,
    )


@pages.post("/drafts/{draft_id}")
async def change_draft(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    draft_id: UUID,
    version: Annotated[int, Form()],
) -> Response:
    """Keep what was written into the fields; the page says what the invoice lacks then."""
    typed = {name: value for name, value in (await request.form()).multi_items() if isinstance(value, str)}

    async def work(tx: Tx) -> None:
        draft = await drafts.get_draft(tx, draft_id)
        wanted = rules.read(draft.body, typed)
        await drafts.change_draft(tx, draft_id, version, wanted, customer_id=draft.customer_id, owner=None)

    async def again(refused: DomainError) -> Response:
        return await _draw_draft(request, reader, database, draft_id, refused, typed)

    return await act(once, work, f"/drafts/{draft_id}?said=kept", again)


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
    order = draft.wanted.reference
    return await invoices.ask_credit(resources.credit, account, total, number, asked_as=str(question), order=order)


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


# --- recurring invoices ---


@pages.get("/recurring")
async def list_held(request: Request, reader: ReaderDep, database: DatabaseDep) -> Response:
    """Periods of recurring invoices that could not be invoiced, and why."""
    return await _draw_held(request, reader, database)


async def _draw_held(
    request: Request, reader: Principal, database: Database, refused: DomainError | None = None
) -> Response:
    async with reading(database) as tx:
        rows = await handlers.list_held(tx)
    return frame.draw(request, reader, "recurring.html", rows=rows, refused=refused)


@pages.post("/recurring/{recurring_id}/{period_start}/release")
async def release(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    resources: ResourcesDep,
    once: AttemptDep,
    recurring_id: UUID,
    period_start: date,
    attempt: Annotated[UUID, Form()],
) -> Response:
    """Invoice a held period after all; credit is asked again."""

    async def again(refused: DomainError) -> Response:
        return await _draw_held(request, reader, database, refused)

    await once.check()
    try:
        async with reading(database) as tx:
            due = await recurring.held_bill(tx, recurring_id, period_start)
        credit = await recurring.ask_credit(resources.credit, due, f"{reader.key}\0{attempt}")
    except DomainError as refused:
        return await again(refused)

    async def work(tx: Tx) -> None:
        await recurring.release_period(tx, due, credit)

    return await act(once, work, "/recurring?said=released", again)


@pages.post("/recurring/{recurring_id}/{period_start}/drop")
async def drop_period(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    recurring_id: UUID,
    period_start: date,
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Never invoice a held period."""

    async def work(tx: Tx) -> None:
        await recurring.drop_period(tx, recurring_id, period_start, said(reason, "Why"))

    async def again(refused: DomainError) -> Response:
        return await _draw_held(request, reader, database, refused)

    return await act(once, work, "/recurring?said=left_out", again)


# --- imports ---


@pages.get("/imports")
async def list_imports(request: Request, reader: ReaderDep, database: DatabaseDep, before: Text = "") -> Response:
    """Imports with how far they are, the newest first; while one is at work the page renews itself."""
    return await _draw_imports(request, reader, database, before)


async def _draw_imports(
    request: Request, reader: Principal, database: Database, before: str = "", refused: DomainError | None = None
) -> Response:
    place = words.read_cursor(before)
    async with reading(database) as tx:
        shown = await handlers.draw_imports(tx, place)
    running = any(one.status == "running" for one in shown.rows)
    return frame.draw(
        request,
        reader,
        "imports.html",
        rows=shown.rows,
        profiles=shown.profiles,
        entities=shown.entities,
        kinds=rules.KINDS,
        newest="/imports" if place else None,
        older=link("/imports", before=shown.older) if shown.older else None,
        refresh_seconds=5 if running and not refused else None,
        refused=refused,
    )


@pages.post("/imports", max_body_size=BYTES_MAX)
async def upload(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    file: UploadFile,
    profile: Annotated[str, Form(max_length=80)],
    mode: Annotated[Mode, Form()] = "partial",
    dry_run: Annotated[bool, Form()] = False,
    entity_id: Annotated[str, Form(max_length=64)] = DEFAULT,
) -> Response:
    """Take a file, read by the profile chosen; the page it leads to tells how far it is."""
    await once.check()
    try:
        named, kind = rules.profile_chosen(profile)
        found = format_of(file.filename)
        if found is None:
            raise ImportRefused(f"a file that ends on {', '.join(ENDINGS)} is wanted, not {file.filename!r}")
        sent = Upload(await file.read(), found)
        async with reading(database) as tx:
            saved, kind = await imports.choose_profile(tx, named, kind, sent)
        table = await asyncio.to_thread(read_upload, sent, saved)
        command = ReceiveImport(
            body=b"" if table else sent.body,
            table=table,
            kind=kind,
            mode=mode,
            dry_run=dry_run,
            format=sent.format,
            profile=saved,
            entity_id=entity_id,
        )
        async with once as tx:
            received = await imports.receive_import(tx, command)
            return once.answer(303, location=f"/imports/{received.id}")
    except RequestInFlight:
        return RedirectResponse("/imports", 303)
    except DomainError as refused:
        return await _draw_imports(request, reader, database, refused=refused)


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
