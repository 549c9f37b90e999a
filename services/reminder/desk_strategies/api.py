"""Strategies for people: the list, an editor that checks while somebody types, versions, and moving running cases."""

from pathlib import Path as Folder
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from services.reminder.desk_strategies import handlers, rules
from services.reminder.navigation.rules import LINKS
from services.reminder.strategies.handlers import PublishStrategy
from services.reminder.strategy_migrations import handlers as migrations
from services.reminder.strategy_migrations.handlers import MigrateCases
from shared.db import Database, Tx, reading
from shared.errors import DomainError
from shared.http.dependencies import DatabaseDep
from shared.http.pages import AttemptDep, Frame, NavLink, act, link
from shared.http.security import Principal
from shared.http.session import SignedIn

pages = APIRouter(include_in_schema=False)

ReaderDep = Annotated[Principal, Depends(SignedIn("reminders:read"))]
WriterDep = Annotated[Principal, Depends(SignedIn("reminders:read", "reminders:write"))]
Name = Annotated[str, Path(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
NameQuery = Annotated[str, Query(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
Version = Annotated[int, Form(ge=0, le=2**31)]
VersionQuery = Annotated[int, Query(ge=1, le=2**31)]
Typed = Annotated[str, Form()]

FRAME = Frame(
    Folder(__file__).parent / "templates",
    section="Collections",
    links=[NavLink(*each) for each in LINKS],
    said=rules.SAID,
    values={"verdicts": rules.VERDICTS},
)
MOVED_AT_ONCE = 500
SHOWN_MAX = 100


@pages.get("/strategies")
async def list_strategies(request: Request, reader: ReaderDep, database: DatabaseDep) -> Response:
    """Each with whom it is for, whether it is in use, and the cases that run on each version."""
    async with reading(database) as tx:
        shown = await handlers.draw_list(tx)
    return FRAME.draw(request, reader, "strategies.html", shown=shown, may_write="reminders:write" in reader.scopes)


@pages.get("/new-strategy")
async def begin_strategy(_: WriterDep, name: NameQuery, like: Annotated[str, Query(max_length=60)] = "") -> Response:
    """To the editor of a strategy that is not there yet, or that is."""
    return RedirectResponse(link(f"/strategies/{name}", like=like or "nothing"), 303)


@pages.get("/strategies/{name}")
async def edit_strategy(
    request: Request,
    reader: ReaderDep,
    database: DatabaseDep,
    name: Name,
    like: Annotated[str | None, Query(max_length=60)] = None,
    changed: VersionQuery | None = None,
) -> Response:
    """The newest version in the editor, or, for a name that is not there yet, another strategy to begin with."""
    return await _draw(request, reader, database, name, like=like, changed=changed)


async def _draw(
    request: Request,
    reader: Principal,
    database: Database,
    name: str,
    refused: DomainError | None = None,
    **asked: Any,
) -> Response:
    like = asked.pop("like", None)
    async with reading(database) as tx:
        shown = await handlers.draw_strategy(tx, name, like="" if like == "nothing" else like, **asked)
    return FRAME.draw(
        request,
        reader,
        "strategy.html",
        refused=refused,
        shown=shown,
        checked=shown.checked,
        typed="typed" in asked,
        may_write="reminders:write" in reader.scopes,
    )


@pages.post("/strategies/{name}/check")
async def check_strategy(
    request: Request, reader: WriterDep, database: DatabaseDep, name: Name, document: Typed = "", part: str = ""
) -> Response:
    """What publishing would say of what was typed: with `part` only that, for the editor's script."""
    text = rules.clean(document)
    if not part:
        return await _draw(request, reader, database, name, typed=text)
    async with reading(database) as tx:
        checked = await handlers.check(tx, name, text)
    return FRAME.draw(request, reader, "checked.html", checked=checked)


@pages.post("/strategies/{name}")
async def publish_strategy(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    name: Name,
    version: Version,
    document: Typed = "",
) -> Response:
    """Publish what was typed as the version after the one that was seen."""
    text = rules.clean(document)

    async def work(tx: Tx) -> None:
        await handlers.publish(tx, PublishStrategy(name, text, version))

    async def again(refused: DomainError) -> Response:
        stale = refused.slug == "stale-version"
        async with reading(database) as tx:
            newest = (await handlers.draw_strategy(tx, name)).newest if stale else None
        return await _draw(request, reader, database, name, refused, typed=text, changed=newest)

    return await act(once, work, link(f"/strategies/{name}", said="published"), again)


@pages.post("/strategies/{name}/switch")
async def switch_strategy(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    name: Name,
    version: Version,
    active: Annotated[bool, Form()],
) -> Response:
    async def work(tx: Tx) -> None:
        await handlers.switch(tx, name, version, active=active)

    async def again(refused: DomainError) -> Response:
        return await _draw(request, reader, database, name, refused)

    return await act(once, work, link(f"/strategies/{name}", said="activated" if active else "deactivated"), again)


# --- moving running cases ---


@pages.get("/strategies/{name}/moves")
async def preview_moves(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    name: Name,
    from_version: VersionQuery,
    to_version: VersionQuery,
) -> Response:
    """Where each case would land, and what would come next; nothing is moved."""
    return await _draw_moves(request, reader, database, name, from_version, to_version)


async def _draw_moves(
    request: Request,
    reader: Principal,
    database: Database,
    name: str,
    from_version: int,
    to_version: int,
    refused: DomainError | None = None,
) -> Response:
    command = MigrateCases(name, from_version, to_version, preview=True, after=None, limit=MOVED_AT_ONCE)
    async with reading(database) as tx:
        preview = await migrations.migrate_cases(tx, command)
    return FRAME.draw(
        request,
        reader,
        "moves.html",
        refused=refused,
        name=name,
        from_version=from_version,
        to_version=to_version,
        preview=preview,
        moving=sum(move.stays is None for move in preview.moves),
        shown=preview.moves[:SHOWN_MAX],
    )


@pages.post("/strategies/{name}/moves")
async def move_cases(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    name: Name,
    from_version: Version,
    to_version: Version,
) -> Response:
    """Move those that the preview counted, at most so many at once; the page comes back while there are more."""

    async def work(tx: Tx) -> None:
        command = MigrateCases(name, from_version, to_version, preview=False, after=None, limit=MOVED_AT_ONCE)
        await migrations.migrate_cases(tx, command)

    async def again(refused: DomainError) -> Response:
        return await _draw(request, reader, database, name, refused)

    return await act(once, work, link(f"/strategies/{name}", said="moved"), again)
