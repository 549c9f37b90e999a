"""Pages of placements: who is with an agency, what it gets, and who says so."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from services.reminder.desk_placements import handlers, rules
from services.reminder.desk_placements.rules import ReasonMissing, Stage
from services.reminder.navigation.rules import LINKS
from services.reminder.placements import handlers as placements
from services.reminder.placements.handlers import DecidePlacement, EndPlacement, RequestPlacement
from services.reminder.receivables.rules import ENTITY
from shared.db import Database, Tx, reading
from shared.errors import DomainError
from shared.http.dependencies import DatabaseDep
from shared.http.pages import AttemptDep, Frame, NavLink, act, link
from shared.http.security import Principal
from shared.http.session import SignedIn

pages = APIRouter(include_in_schema=False)

ReaderDep = Annotated[Principal, Depends(SignedIn("reminders:read"))]
WriterDep = Annotated[Principal, Depends(SignedIn("reminders:read", "reminders:write"))]
ApproverDep = Annotated[Principal, Depends(SignedIn("reminders:read", "reminders:write", "reminders:approve"))]
EntityId = Annotated[str, Query(min_length=1, max_length=40)]
Note = Annotated[str, Form(max_length=500)]

FRAME = Frame(
    Path(__file__).parent / "templates",
    section="Collections",
    links=[NavLink(*each) for each in LINKS],
    said=rules.SAID,
    filters={"commission": rules.commission},
    values={"stages": rules.STAGES, "stage_words": rules.STAGE_WORDS, "status_words": rules.STATUS_WORDS},
)


@pages.get("/placements")
async def list_placements(
    request: Request, reader: ReaderDep, database: DatabaseDep, stage: Stage = "waiting"
) -> Response:
    """What waits for approval, what agencies have, what is over, with what came in and what they are owed for it."""
    async with reading(database) as tx:
        shown = await handlers.draw_placements(tx, stage)
    return FRAME.draw(request, reader, "placements.html", shown=shown, stage=stage)


@pages.get("/accounts/{customer_id}/placement")
async def prepare(
    request: Request, reader: ReaderDep, database: DatabaseDep, customer_id: UUID, entity_id: EntityId = ENTITY
) -> Response:
    """What an agency would get of an account, or why it may not be given to one."""
    return await _draw_asking(request, reader, database, customer_id, entity_id)


async def _draw_asking(
    request: Request,
    reader: Principal,
    database: Database,
    customer_id: UUID,
    entity_id: str,
    refused: DomainError | None = None,
) -> Response:
    async with reading(database) as tx:
        shown = await handlers.draw_asking(tx, customer_id, entity_id)
    may_write = "reminders:write" in reader.scopes
    return FRAME.draw(request, reader, "asking.html", shown=shown, refused=refused, may_write=may_write)


@pages.post("/accounts/{customer_id}/placement")
async def ask(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    customer_id: UUID,
    agency: Annotated[str, Form(max_length=40)],
    note: Note = "",
    entity_id: EntityId = ENTITY,
) -> Response:
    """Another person has to approve it."""

    async def work(tx: Tx) -> None:
        wanted = RequestPlacement(customer_id, entity_id, agency, (), note.strip() or None, reader.subject)
        await placements.request_placement(tx, wanted)

    async def again(refused: DomainError) -> Response:
        return await _draw_asking(request, reader, database, customer_id, entity_id, refused)

    entity = entity_id if entity_id != ENTITY else ""
    return await act(once, work, link(f"/accounts/{customer_id}", entity_id=entity, said="asked"), again)


@pages.get("/placements/{placement_id}")
async def look_at(request: Request, reader: ReaderDep, database: DatabaseDep, placement_id: UUID) -> Response:
    """Its claims, its file, how far it is, and what can be done with it."""
    return await _draw(request, reader, database, placement_id)


async def _draw(
    request: Request, reader: Principal, database: Database, placement_id: UUID, refused: DomainError | None = None
) -> Response:
    async with reading(database) as tx:
        shown = await handlers.draw_placement(tx, placement_id)
    return FRAME.draw(
        request,
        reader,
        "placement.html",
        shown=shown,
        placement=shown.placement,
        refused=refused,
        may_write="reminders:write" in reader.scopes,
        may_approve={"reminders:write", "reminders:approve"} <= reader.scopes,
    )


@pages.post("/placements/{placement_id}/approval")
async def approve(
    request: Request, reader: ApproverDep, database: DatabaseDep, once: AttemptDep, placement_id: UUID, note: Note = ""
) -> Response:
    """As a second person."""

    async def work(tx: Tx) -> None:
        await placements.decide_placement(tx, DecidePlacement(placement_id, True, reader.subject, note.strip() or None))

    return await _act(request, reader, database, once, placement_id, work, "approved")


@pages.post("/placements/{placement_id}/rejection")
async def reject(
    request: Request, reader: WriterDep, database: DatabaseDep, once: AttemptDep, placement_id: UUID, note: Note = ""
) -> Response:
    async def work(tx: Tx) -> None:
        await placements.decide_placement(
            tx, DecidePlacement(placement_id, False, reader.subject, note.strip() or None)
        )

    return await _act(request, reader, database, once, placement_id, work, "rejected")


@pages.post("/placements/{placement_id}/end")
async def end(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    placement_id: UUID,
    how: Annotated[Literal["recalled", "closed"], Form()],
    reason: Note = "",
) -> Response:
    """Take it back, or note that the agency gave it back."""

    async def work(tx: Tx) -> None:
        if not reason.strip():
            raise ReasonMissing("write why it ends first")
        await placements.end_placement(tx, EndPlacement(placement_id, how == "recalled", reason.strip()))

    return await _act(request, reader, database, once, placement_id, work, how)


async def _act(
    request: Request,
    reader: Principal,
    database: Database,
    once: AttemptDep,
    placement_id: UUID,
    work: Callable[[Tx], Awaitable[Any]],
    word: str,
) -> Response:
    async def again(refused: DomainError) -> Response:
        return await _draw(request, reader, database, placement_id, refused)

    return await act(once, work, f"/placements/{placement_id}?said={word}", again)
