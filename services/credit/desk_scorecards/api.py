"""Scorecards for those who answer for them: an editor that checks and tries them on the book while somebody types."""

from pathlib import Path as Folder
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import Response

from services.credit.desk_scorecards import handlers
from services.credit.desk_scorecards.handlers import ScorecardShown
from services.credit.desk_words import rules as words
from services.credit.review_days.handlers import review_days
from services.credit.scorecards import handlers as scorecards
from shared.calendar import local_date
from shared.db import Database, Tx, reading
from shared.errors import DomainError
from shared.http.connected import GONE_AWAY, while_connected
from shared.http.dependencies import DatabaseDep
from shared.http.pages import AttemptDep, Frame, NavLink, act, link
from shared.http.security import Principal
from shared.http.session import SignedIn

pages = APIRouter(include_in_schema=False)
frame = Frame(
    Folder(__file__).parent / "templates",
    words.TEMPLATES,
    section=words.SECTION,
    links=tuple(NavLink(*each) for each in words.LINKS),
    said=words.SAID,
    filters={"percent": words.percent},
)

ReaderDep = Annotated[Principal, Depends(SignedIn("customers:read", "credit:read"))]
WriterDep = Annotated[Principal, Depends(SignedIn("customers:read", "credit:read", "credit:write"))]
Name = Annotated[str, Path(max_length=60)]
Typed = Annotated[str, Form()]


@pages.get("/scorecards")
async def list_scorecards(request: Request, reader: ReaderDep, database: DatabaseDep) -> Response:
    """The newest version of each, with who answers for it and when its outcomes are looked at."""
    async with reading(database) as tx:
        found, days, today = await scorecards.list_scorecards(tx), await review_days(tx), local_date(tx.now, "UTC")
    return frame.draw(request, reader, "scorecards.html", found=found, days=days, today=today)


@pages.get("/scorecards/{name}")
async def edit_scorecard(request: Request, reader: ReaderDep, database: DatabaseDep, name: Name) -> Response:
    """The newest version in the editor."""
    return await _draw(request, reader, database, name)


async def _draw(
    request: Request,
    reader: Principal,
    database: Database,
    name: str,
    typed: str | None = None,
    refused: DomainError | None = None,
    template: str = "scorecard.html",
) -> Response:
    async def look() -> ScorecardShown:
        async with reading(database) as tx:
            return await handlers.draw_scorecard(tx, name, typed)

    shown = await while_connected(request, look())  # The whole book is tried: not for who types on and asks anew.
    if shown is None:
        return Response(status_code=GONE_AWAY)
    may_write = "credit:write" in reader.scopes
    return frame.draw(request, reader, template, shown=shown, refused=refused, may_write=may_write)


@pages.post("/scorecards/{name}/check")
async def check_scorecard(
    request: Request, reader: WriterDep, database: DatabaseDep, name: Name, document: Typed = "", part: str = ""
) -> Response:
    """What publishing would say and change: with `part` only that, for the editor's script."""
    template = "checked.html" if part else "scorecard.html"
    return await _draw(request, reader, database, name, words.clean(document), template=template)


@pages.post("/scorecards/{name}")
async def publish_scorecard(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    name: Name,
    version: Annotated[int, Form(ge=0, le=2**31)],
    document: Typed = "",
) -> Response:
    """Publish what was typed as the version after the one that was seen."""
    text = words.clean(document)

    async def work(tx: Tx) -> None:
        await handlers.publish(tx, name, text, version, reader.subject)

    async def again(refused: DomainError) -> Response:
        return await _draw(request, reader, database, name, text, refused)

    return await act(once, work, link(f"/scorecards/{name}", said="published"), again)
