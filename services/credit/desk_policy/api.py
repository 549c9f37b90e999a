"""The credit policy for those who answer for it: checked while somebody types, its versions, and the what-if."""

from datetime import date
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from services.credit.desk_policy import handlers, rules
from services.credit.desk_policy.handlers import CHANGED_SHOWN, WRITTEN, Asked, Compared
from services.credit.desk_words import rules as words
from services.credit.what_ifs.rules import ASSUMPTIONS
from shared.db import Database, Tx, reading, snapshot
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
    values={
        "figures": rules.FIGURES,
        "told_terms": rules.told_terms,
        "assumptions": ASSUMPTIONS,
        "changed_shown": CHANGED_SHOWN,
        "written": WRITTEN,
    },
)

ReaderDep = Annotated[Principal, Depends(SignedIn("customers:read", "credit:read"))]
WriterDep = Annotated[Principal, Depends(SignedIn("customers:read", "credit:read", "credit:write"))]
Typed = Annotated[str, Form()]


@pages.get("/policy")
async def edit_policy(request: Request, reader: ReaderDep, database: DatabaseDep) -> Response:
    """The policy in force in the editor, and who changed what when."""
    return await _draw(request, reader, database)


async def _draw(
    request: Request,
    reader: Principal,
    database: Database,
    typed: str | None = None,
    refused: DomainError | None = None,
    asked: Asked | None = None,
    compared: Compared | None = None,
) -> Response:
    async with reading(database) as tx:
        shown = await handlers.draw_policy(tx, typed, asked)
    may_write = "credit:write" in reader.scopes
    return frame.draw(
        request, reader, "policy.html", shown=shown, refused=refused, compared=compared, may_write=may_write
    )


@pages.post("/policy/check")
async def check_policy(
    request: Request, reader: WriterDep, database: DatabaseDep, document: Typed = "", part: str = ""
) -> Response:
    """What publishing would say and change: with `part` only that, for the editor's script."""
    text = words.clean(document)
    if not part:
        return await _draw(request, reader, database, text)
    async with reading(database) as tx:
        checked = await handlers.check(tx, text)
    return frame.draw(request, reader, "checked.html", checked=checked)


@pages.post("/policy/what-if")
async def what_if(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    first: Annotated[date, Form()],
    last: Annotated[date, Form()],
    document: Typed = "",
    beside: Annotated[str, Form(max_length=10, pattern=r"^\d*$")] = "",
    scorecard: Annotated[str, Form(max_length=60)] = "",
    scorecard_text: Annotated[str, Form(max_length=200_000)] = "",
    by_class: Annotated[bool, Form()] = False,
) -> Response:
    """What was typed, tried on the decisions of a period, with a scorecard where one is named or written; changes
    nothing."""
    text = words.clean(document)
    asked = Asked(first, last, int(beside or 0) or None, scorecard, words.clean(scorecard_text), by_class)

    async def look() -> Compared:
        async with snapshot(database) as (tx, _):
            return await handlers.compare(tx, text, asked)

    try:
        compared = await while_connected(request, look())
    except DomainError as refused:
        return await _draw(request, reader, database, text, refused, asked)
    if compared is None:
        return Response(status_code=GONE_AWAY)
    return await _draw(request, reader, database, text, None, asked, compared)


@pages.post("/policy")
async def publish_policy(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    version: Annotated[int, Form(ge=0, le=2**31)],
    document: Typed = "",
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Publish what was typed; it is in force at once."""
    text = words.clean(document)

    async def work(tx: Tx) -> None:
        await handlers.publish(tx, text, version, reader.subject, reason.strip() or None)

    async def again(refused: DomainError) -> Response:
        return await _draw(request, reader, database, text, refused)

    return await act(once, work, link("/policy", said="published"), again)
