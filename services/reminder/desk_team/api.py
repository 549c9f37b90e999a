"""A form for each colleague: who they are, how they are reached, when they are away and who stands in."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from services.reminder.desk_team import handlers, rules
from services.reminder.desk_team.rules import Written
from services.reminder.navigation.rules import LINKS
from services.reminder.team.rules import Colleague, Role
from shared.db import Tx, reading
from shared.errors import DomainError
from shared.http.dependencies import DatabaseDep
from shared.http.pages import AttemptDep, Frame, NavLink, act
from shared.http.security import Principal
from shared.http.session import SignedIn

pages = APIRouter(include_in_schema=False)

WriterDep = Annotated[Principal, Depends(SignedIn("reminders:read", "reminders:write"))]
Line = Annotated[str, Form(max_length=254)]
MaybeDay = Annotated[date | None, Form()]

FRAME = Frame(
    Path(__file__).parent / "templates",
    section="Collections",
    links=[NavLink(*each) for each in LINKS],
    said=rules.SAID,
    values={"roles": rules.ROLES},
)


@pages.get("/team/new")
async def begin(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    subject: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """For somebody new, or who has done something here already and is not known yet."""
    async with reading(database) as tx:
        others = await handlers.others(tx, subject)
    return _draw(request, reader, Written(subject), others)


@pages.get("/team/{subject}")
async def look_at(request: Request, reader: WriterDep, database: DatabaseDep, subject: str) -> Response:
    async with reading(database) as tx:
        written, others = await handlers.draw_colleague(tx, subject)
    return _draw(request, reader, written, others)


@pages.post("/team")
async def keep(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    version: Annotated[int, Form(ge=0)],
    role: Annotated[Role, Form()],
    subject: Annotated[str, Form(max_length=200)] = "",
    name: Annotated[str, Form(max_length=200)] = "",
    email: Line = "",
    phone: Line = "",
    absent_from: MaybeDay = None,
    absent_until: MaybeDay = None,
    cover: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Somebody new, or the next version of a colleague."""
    written = Written(subject, version, name, role, email, phone, absent_from, absent_until, cover)

    async def work(tx: Tx) -> None:
        await handlers.keep_colleague(tx, written)

    async def again(refused: DomainError) -> Response:
        async with reading(database) as tx:
            others = await handlers.others(tx, subject)
        return _draw(request, reader, written, others, refused)

    return await act(once, work, "/team?said=kept", again)


def _draw(
    request: Request,
    reader: Principal,
    written: Written,
    others: Sequence[Colleague],
    refused: DomainError | None = None,
) -> Response:
    return FRAME.draw(request, reader, "colleague.html", written=written, others=others, refused=refused)
