"""Pages of agencies: who collects for us, at what commission, and a form to keep it."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from services.reminder.desk_agencies import handlers, rules
from services.reminder.desk_agencies.rules import Written
from services.reminder.desk_placements.rules import commission
from services.reminder.navigation.rules import LINKS
from shared.db import Tx, reading
from shared.errors import DomainError
from shared.http.dependencies import DatabaseDep
from shared.http.pages import AttemptDep, Frame, NavLink, act
from shared.http.security import Principal
from shared.http.session import SignedIn

pages = APIRouter(include_in_schema=False)

ReaderDep = Annotated[Principal, Depends(SignedIn("reminders:read"))]
ApproverDep = Annotated[Principal, Depends(SignedIn("reminders:read", "reminders:write", "reminders:approve"))]
Line = Annotated[str, Form(max_length=200)]
Lines = Annotated[list[Annotated[str, Form(max_length=20)]], Form(max_length=40)]

FRAME = Frame(
    Path(__file__).parent / "templates",
    section="Collections",
    links=[NavLink(*each) for each in LINKS],
    said=rules.SAID,
    filters={"commission": commission},
)


@pages.get("/agencies")
async def list_agencies(request: Request, reader: ReaderDep, database: DatabaseDep) -> Response:
    """Whom accounts can be given to, in the order of their short names."""
    async with reading(database) as tx:
        shown = await handlers.draw_agencies(tx)
    return FRAME.draw(request, reader, "agencies.html", shown=shown, may_change=_may_change(reader))


@pages.get("/agencies/new")
async def begin(request: Request, reader: ApproverDep) -> Response:
    return _draw(request, reader, Written(), is_new=True)


@pages.get("/agencies/{agency_id}")
async def look_at(request: Request, reader: ReaderDep, database: DatabaseDep, agency_id: str) -> Response:
    """What is known of it, as a form for whoever may change it."""
    async with reading(database) as tx:
        agency = await handlers.find_agency(tx, agency_id)
    return _draw(request, reader, rules.form_of(agency), is_new=False)


@pages.post("/agencies")
async def keep(
    request: Request,
    reader: ApproverDep,
    once: AttemptDep,
    version: Annotated[int, Form(ge=0)],
    days_from: Lines,
    percent: Lines,
    id: Line = "",
    name: Line = "",
    email: Annotated[str, Form(max_length=254)] = "",
) -> Response:
    """A new agency, or the next version of one."""
    rates = [pair for pair in zip(days_from, percent, strict=False) if any(map(str.strip, pair))]
    written = Written(id, version, name, email, rates)

    async def work(tx: Tx) -> None:
        await handlers.keep_agency(tx, rules.read_form(written))

    async def again(refused: DomainError) -> Response:
        return _draw(request, reader, written, is_new=version == 0, refused=refused)

    return await act(once, work, "/agencies?said=kept", again)


def _draw(
    request: Request, reader: Principal, written: Written, *, is_new: bool, refused: DomainError | None = None
) -> Response:
    return FRAME.draw(
        request,
        reader,
        "agency.html",
        written=written,
        is_new=is_new,
        refused=refused,
        may_change=_may_change(reader),
    )


def _may_change(reader: Principal) -> bool:
    return {"reminders:write", "reminders:approve"} <= reader.scopes
