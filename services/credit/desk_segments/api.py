"""Rules for segments for those who answer for them: checked and tried on the book while somebody types."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from services.credit.desk_segments import handlers
from services.credit.desk_segments.handlers import SegmentationShown
from services.credit.desk_words import rules as words
from services.credit.segmentations.rules import CATEGORIES, NUMBERS
from shared.db import Database, Tx, reading
from shared.errors import DomainError
from shared.http.connected import GONE_AWAY, while_connected
from shared.http.dependencies import DatabaseDep
from shared.http.pages import AttemptDep, Frame, NavLink, act, link
from shared.http.security import Principal
from shared.http.session import SignedIn

pages = APIRouter(include_in_schema=False)
frame = Frame(
    Path(__file__).parent / "templates",
    words.TEMPLATES,
    section=words.SECTION,
    links=tuple(NavLink(*each) for each in words.LINKS),
    said=words.SAID,
    values={"numbers": NUMBERS, "categories": CATEGORIES},
)

ReaderDep = Annotated[Principal, Depends(SignedIn("customers:read", "credit:read"))]
WriterDep = Annotated[Principal, Depends(SignedIn("customers:read", "credit:read", "credit:write"))]
Typed = Annotated[str, Form()]
Version = Annotated[int, Form(ge=0, le=2**31)]


@pages.get("/segmentation")
async def edit_segmentation(request: Request, reader: ReaderDep, database: DatabaseDep) -> Response:
    """The newest version in the editor, what it makes of the book today, and who changed what when."""
    return await _draw(request, reader, database)


async def _draw(
    request: Request,
    reader: Principal,
    database: Database,
    typed: str | None = None,
    refused: DomainError | None = None,
    template: str = "segmentation.html",
) -> Response:
    async def look() -> SegmentationShown:
        async with reading(database) as tx:
            return await handlers.draw_segmentation(tx, reader.name or reader.subject, typed)

    shown = await while_connected(request, look())  # The whole book is tried: not for who types on and asks anew.
    if shown is None:
        return Response(status_code=GONE_AWAY)
    may_write = "credit:write" in reader.scopes
    return frame.draw(request, reader, template, shown=shown, refused=refused, may_write=may_write)


@pages.post("/segmentation/check")
async def check_segmentation(
    request: Request, reader: WriterDep, database: DatabaseDep, document: Typed = "", part: str = ""
) -> Response:
    """What publishing would say and change: with `part` only that, for the editor's script."""
    template = "checked.html" if part else "segmentation.html"
    return await _draw(request, reader, database, words.clean(document), template=template)


@pages.post("/segmentation")
async def publish_segmentation(
    request: Request, reader: WriterDep, database: DatabaseDep, once: AttemptDep, version: Version, document: Typed = ""
) -> Response:
    """Publish what was typed; unless it says `active: false`, everybody follows it within moments."""
    text = words.clean(document)

    async def work(tx: Tx) -> None:
        await handlers.publish(tx, text, version, reader.subject)

    async def again(refused: DomainError) -> Response:
        return await _draw(request, reader, database, text, refused)

    return await act(once, work, link("/segmentation", said="segmented"), again)


@pages.post("/segmentation/switch")
async def switch_segmentation(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    version: Version,
    active: Annotated[bool, Form()],
) -> Response:
    """Go by the newest version, or by none."""

    async def work(tx: Tx) -> None:
        await handlers.switch(tx, active, version, reader.subject)

    async def again(refused: DomainError) -> Response:
        return await _draw(request, reader, database, refused=refused)

    return await act(once, work, link("/segmentation", said="published" if active else "switched_off"), again)
