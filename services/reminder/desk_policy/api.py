"""The contact policy for people: a form, and beside it what it means."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from services.reminder.desk_policy import handlers, rules
from services.reminder.navigation.rules import LINKS
from services.reminder.policies.rules import WEEKDAYS
from shared.db import Database, Tx, reading
from shared.errors import DomainError
from shared.http.dependencies import DatabaseDep
from shared.http.pages import AttemptDep, Frame, NavLink, act, link
from shared.http.security import Principal
from shared.http.session import SignedIn

pages = APIRouter(include_in_schema=False)

ReaderDep = Annotated[Principal, Depends(SignedIn("reminders:read"))]
WriterDep = Annotated[Principal, Depends(SignedIn("reminders:read", "reminders:write"))]

FRAME = Frame(
    Path(__file__).parent / "templates",
    section="Collections",
    links=[NavLink(*each) for each in LINKS],
    said=rules.SAID,
    values={"channels": rules.CHANNELS, "weekdays": WEEKDAYS},
)


@pages.get("/contact-policy")
async def show_policy(request: Request, reader: ReaderDep, database: DatabaseDep) -> Response:
    """How often, on what days and at what hours customers are contacted."""
    return await _draw(request, reader, database)


async def _draw(
    request: Request,
    reader: Principal,
    database: Database,
    typed: rules.Form | None = None,
    refused: DomainError | None = None,
) -> Response:
    async with reading(database) as tx:
        shown = await handlers.draw_policy(tx, typed)
    return FRAME.draw(
        request,
        reader,
        "policy.html",
        refused=refused,
        shown=shown,
        form=shown.form,
        checked=shown.checked,
        may_write="reminders:write" in reader.scopes,
    )


async def _typed(request: Request) -> rules.Form:
    form = await request.form()
    return rules.form_sent([(name, str(value)) for name, value in form.multi_items()])


TypedDep = Annotated[rules.Form, Depends(_typed)]


@pages.post("/contact-policy/check")
async def check_policy(
    request: Request, reader: WriterDep, database: DatabaseDep, typed: TypedDep, part: str = ""
) -> Response:
    """What the policy in the form would mean: with `part` only that, for the page's script."""
    if not part:
        return await _draw(request, reader, database, typed)
    async with reading(database) as tx:
        checked = await handlers.check(tx, typed)
    return FRAME.draw(request, reader, "checked.html", checked=checked)


@pages.post("/contact-policy")
async def publish_policy(
    request: Request,
    reader: WriterDep,
    database: DatabaseDep,
    once: AttemptDep,
    typed: TypedDep,
    version: Annotated[int, Form(ge=0, le=2**31)],
) -> Response:
    async def work(tx: Tx) -> None:
        await handlers.publish(tx, typed, version, reader.subject)

    async def again(refused: DomainError) -> Response:
        return await _draw(request, reader, database, typed, refused)

    return await act(once, work, link("/contact-policy", said="published"), again)
