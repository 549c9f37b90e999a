"""Applications for credit controllers: the list, and one with what is missing, who it may be, and what comes next."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from services.credit.agreements import handlers as agreements
from services.credit.agreements.handlers import AcceptTerms, WriteTerms
from services.credit.application_links import handlers as application_links
from services.credit.application_links.handlers import Given
from services.credit.applications import handlers as applications
from services.credit.applications.handlers import ProposeTerms
from services.credit.desk.rules import cannot_approve
from services.credit.desk_applications import handlers, rules
from services.credit.desk_words import rules as words
from services.credit.desk_words.rules import said
from services.credit.sellers.rules import DEFAULT
from services.credit.vetting.rules import NoBureau
from shared.db import Database, Tx, reading
from shared.errors import DomainError
from shared.http.dependencies import DatabaseDep, ResourcesDep
from shared.http.pages import AttemptDep, Frame, NavLink, act, link
from shared.http.security import Principal
from shared.http.session import SignedIn

pages = APIRouter(include_in_schema=False)
frame = Frame(
    Path(__file__).parent / "templates",
    section=words.SECTION,
    links=tuple(NavLink(*each) for each in words.LINKS),
    said=words.SAID,
    filters={"percent": words.percent, "particulars": words.particulars},
    values={"views": tuple(rules.VIEWS), "cannot_approve": cannot_approve},
)

READING, WRITING = ("customers:read", "credit:read"), ("customers:write", "credit:write")
ReaderDep = Annotated[Principal, Depends(SignedIn(*READING))]
WriterDep = Annotated[Principal, Depends(SignedIn(*READING, *WRITING))]
ApproverDep = Annotated[Principal, Depends(SignedIn(*READING, "credit:approve"))]
Written = Annotated[str, Form(max_length=400)]
View = Literal["under_way", "with_the_company", "accepted", "over"]
Entity = Annotated[str, Form(max_length=64, pattern="^[A-Za-z0-9_-]+$")]


@pages.get("/applications")
async def list_applications(
    request: Request,
    reader: ReaderDep,
    database: DatabaseDep,
    view: View = "under_way",
    after: Annotated[UUID | None, Query()] = None,
) -> Response:
    """In the order in which they were begun."""
    return await _draw_list(request, reader, database, view, after)


async def _draw_list(
    request: Request,
    reader: Principal,
    database: Database,
    view: View,
    after: UUID | None = None,
    refused: DomainError | None = None,
) -> Response:
    async with reading(database) as tx:
        rows, last = await handlers.list_applications(tx, rules.VIEWS[view], after)
    first, more = link("/applications", view=view), link("/applications", view=view, after=last)
    return frame.draw(
        request,
        reader,
        "applications.html",
        rows=rows,
        view=view,
        first=first if after else None,
        more=more if last else None,
        refused=refused,
        may_write=set(WRITING) <= set(reader.scopes),
    )


@pages.post("/applications")
async def begin_application(
    request: Request, reader: WriterDep, database: DatabaseDep, once: AttemptDep, legal_name: Written = ""
) -> Response:
    """Begin one with nothing but the name; the company fills in the rest."""

    async def work(tx: Tx) -> None:
        await applications.open_application(tx, rules.begun_as(legal_name), reader.subject)

    async def again(refused: DomainError) -> Response:
        return await _draw_list(request, reader, database, "with_the_company", refused=refused)

    return await act(once, work, link("/applications", view="with_the_company", said="begun"), again)


@pages.get("/applications/{application_id}")
async def look_at_application(
    request: Request, reader: ReaderDep, database: DatabaseDep, application_id: UUID
) -> Response:
    """What the company says of itself, what is missing, how it was vetted, and what comes next."""
    return await _draw(request, reader, application_id)


async def _draw(
    request: Request,
    reader: Principal,
    application_id: UUID,
    refused: DomainError | None = None,
    given: Given | None = None,
) -> Response:
    async with reading(request.app.state.database) as tx:
        shown = await handlers.draw_application(tx, application_id)
    return frame.draw(
        request,
        reader,
        "application.html",
        shown=shown,
        refused=refused,
        given=given,
        has_bureau=request.app.state.has_bureau,
        may_write=set(WRITING) <= set(reader.scopes),
        may_approve="credit:approve" in reader.scopes,
    )


async def _act(
    request: Request,
    reader: Principal,
    once: AttemptDep,
    application_id: UUID,
    work: Callable[[Tx], Awaitable[Any]],
    then: str,
) -> Response:
    async def again(refused: DomainError) -> Response:
        return await _draw(request, reader, application_id, refused)

    return await act(once, work, f"/applications/{application_id}?said={then}", again)


@pages.post("/applications/{application_id}/link")
async def give_link(request: Request, reader: WriterDep, once: AttemptDep, application_id: UUID) -> Response:
    """Show a link to hand on; whoever has it may fill the application in."""
    given: list[Given] = []

    async def work(tx: Tx) -> None:
        given.append(await application_links.give_link(tx, request.app.state.application_links, application_id))

    answer = await _act(request, reader, once, application_id, work, "linked")
    return await _draw(request, reader, application_id, given=given[0]) if given else answer


@pages.post("/applications/{application_id}/invitation")
async def invite(
    request: Request,
    reader: WriterDep,
    once: AttemptDep,
    resources: ResourcesDep,
    application_id: UUID,
    entity: Entity = DEFAULT,
) -> Response:
    """Mail the company the link to fill it in."""
    try:
        seller = await resources.sellers.find_seller(entity)
    except DomainError as refused:
        return await _draw(request, reader, application_id, refused)

    async def work(tx: Tx) -> None:
        await agreements.invite(tx, request.app.state.application_links, application_id, seller, reader.subject)

    return await _act(request, reader, once, application_id, work, "mailed")


@pages.post("/applications/{application_id}/steps")
async def take_step(
    request: Request,
    reader: WriterDep,
    once: AttemptDep,
    application_id: UUID,
    step: Annotated[Literal["submit", "return", "vet", "ask", "assess"], Form()],
) -> Response:
    """What takes nothing but the wish: submit it, give it back, begin to vet it, ask the bureau, assess."""

    async def work(tx: Tx) -> None:
        match step:
            case "submit":
                await applications.submit_application(tx, application_id, reader.subject)
            case "return":
                await applications.return_application(tx, application_id)
            case "vet":
                await applications.vet_applicant(tx, application_id, reader.subject)
            case "ask":
                if not request.app.state.has_bureau:
                    raise NoBureau("BUREAU_URL is not set; add the report as a vetting input.")
                await applications.ask_bureau(tx, application_id, reader.subject)
            case "assess":
                await applications.assess_applicant(tx, application_id, None, reader.subject)

    return await _act(request, reader, once, application_id, work, "stepped")


@pages.post("/applications/{application_id}/proposal")
async def propose_terms(
    request: Request,
    reader: WriterDep,
    once: AttemptDep,
    application_id: UUID,
    limit: Written = "",
    net_days: Written = "",
    prepaid_percent: Written = "",
    deposit: Written = "",
    reason: Written = "",
    despite_duplicates: Annotated[bool, Form()] = False,
) -> Response:
    written = {"limit": limit, "net_days": net_days, "prepaid_percent": prepaid_percent, "deposit": deposit}

    async def work(tx: Tx) -> None:
        application = await applications.get_application(tx, application_id)
        terms = rules.terms_said(written, application.form.currency or "EUR")
        why = said(reason, "Reason")
        await applications.propose_terms(
            tx, ProposeTerms(application_id, terms, why, reader.subject, despite_duplicates)
        )

    return await _act(request, reader, once, application_id, work, "proposed")


@pages.post("/applications/{application_id}/approval")
async def approve(request: Request, reader: ApproverDep, once: AttemptDep, application_id: UUID) -> Response:
    async def work(tx: Tx) -> None:
        await applications.approve_application(tx, application_id, reader.subject)

    return await _act(request, reader, once, application_id, work, "approved")


@pages.post("/applications/{application_id}/end")
async def end(
    request: Request,
    reader: WriterDep,
    once: AttemptDep,
    application_id: UUID,
    how: Annotated[Literal["decline", "withdraw"], Form()],
    reason: Written = "",
) -> Response:
    """Decline it, or note that the company does not want it any more."""
    close = applications.decline_application if how == "decline" else applications.withdraw_application

    async def work(tx: Tx) -> None:
        await close(tx, application_id, reader.subject, said(reason, "Reason"))

    return await _act(request, reader, once, application_id, work, "ended")


@pages.post("/applications/{application_id}/terms")
async def send_terms(
    request: Request,
    reader: WriterDep,
    once: AttemptDep,
    database: DatabaseDep,
    resources: ResourcesDep,
    application_id: UUID,
    external_id: Annotated[str, Form(max_length=128)] = "",
    entity: Entity = DEFAULT,
) -> Response:
    """Write the approved terms out as a PDF, and mail them with the link to accept them."""
    try:
        seller = await resources.sellers.find_seller(entity)
        command = WriteTerms(application_id, seller, external_id.strip() or None, None, reader.subject)
        async with reading(database) as tx:
            agreement, application = await agreements.draft_terms(tx, command)
    except DomainError as refused:
        return await _draw(request, reader, application_id, refused)
    written = await asyncio.to_thread(agreements.typeset, agreement, application)

    async def work(tx: Tx) -> None:
        await agreements.send_terms(tx, request.app.state.application_links, written)

    return await _act(request, reader, once, application_id, work, "mailed")


@pages.post("/applications/{application_id}/acceptance")
async def record_acceptance(
    request: Request,
    reader: WriterDep,
    once: AttemptDep,
    application_id: UUID,
    sha256: Annotated[str, Form(max_length=64)],
    on: Annotated[date, Form()],
    by: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """The customer signed on paper: it is onboarded and welcomed."""

    async def work(tx: Tx) -> None:
        who = said(by, "Who accepted")
        await agreements.accept_terms(tx, AcceptTerms(application_id, sha256, on, who, "staff", reader.subject))

    return await _act(request, reader, once, application_id, work, "accepted")
