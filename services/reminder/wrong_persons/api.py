"""The page behind "Not the right person?" in every message. The link in the address is the key to it."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel

from services.reminder.links.rules import MessageLinkUnusable
from services.reminder.wordings.rules import Language, language_of
from services.reminder.wrong_persons import handlers, rules
from services.reminder.wrong_persons.handlers import TellWrongPerson, Visit
from services.reminder.wrong_persons.rules import AddressNotUsable, WrongPerson
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, ResourcesDep
from shared.http.models import Page
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["contacts"], dependencies=[scope("reminders:read")])
pages = APIRouter(include_in_schema=False)

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
)
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-robots-tag": "noindex",
    "cache-control": "no-store",
}

Line = Annotated[str, Form(max_length=200)]
Note = Annotated[str, Form(max_length=1_000)]


class WrongPersonOut(BaseModel):
    """`right_name` and `right_email` were named by whoever got the message: check them before they are used."""

    contact_id: UUID
    entity_id: str
    address: str
    right_name: str | None
    right_email: str | None
    note: str | None
    told_at: datetime

    @classmethod
    def of(cls, told: WrongPerson) -> "WrongPersonOut":
        return cls(
            contact_id=told.contact_id,
            entity_id=told.entity_id,
            address=told.address,
            right_name=told.right_name,
            right_email=told.right_email,
            note=told.note,
            told_at=told.told_at,
        )


@router.get("/wrong-persons", response_model=Page[WrongPersonOut])
async def list_wrong_persons(customer_id: Annotated[UUID, Query()], database: DatabaseDep) -> Response:
    """Who at a customer said that a message is for somebody else, newest first."""
    async with reading(database) as tx:
        found = await handlers.list_wrong_persons(tx, customer_id)
    return respond(Page[WrongPersonOut](items=[WrongPersonOut.of(told) for told in found]))


@pages.get("/contact/{token}")
async def look(request: Request, token: str, database: DatabaseDep, resources: ResourcesDep) -> Response:
    """A question, and nothing yet: programs that look at the links of a mail change nothing."""
    try:
        async with reading(database) as tx:
            visit = await handlers.visit(tx, resources.stationery.key, token)
    except MessageLinkUnusable:
        return _gone(request)
    return _page(visit, done=visit.told is not None)


@pages.post("/contact/{token}")
async def tell(
    request: Request,
    token: str,
    database: DatabaseDep,
    resources: ResourcesDep,
    right_name: Line = "",
    right_email: Line = "",
    note: Note = "",
) -> Response:
    """Nothing more goes to this address."""
    given = TellWrongPerson(right_name.strip(), right_email.strip(), note.strip())
    visit: Visit | None = None
    try:
        async with transaction(database) as tx:
            visit = await handlers.visit(tx, resources.stationery.key, token)
            await handlers.tell_wrong_person(tx, visit, given)
    except AddressNotUsable:
        assert visit is not None
        return _page(visit, done=False, given=given, status=422)
    except MessageLinkUnusable:
        return _gone(request)
    return _page(visit, done=True)


def _page(visit: Visit, *, done: bool, given: TellWrongPerson | None = None, status: int = 200) -> Response:
    words = rules.words_in(visit.language, address=rules.masked(visit.address))
    return _html("contact.html", visit.language, status, words=words, done=done, given=given)


def _gone(request: Request) -> Response:
    """In the language that the browser asks for, since the link does not say whose it is."""
    language = language_of(request.headers.get("accept-language", "en")[:2])
    return _html("gone.html", language, 404, words=rules.words_in(language, address=""))


def _html(template: str, language: Language, status: int, **shown: Any) -> Response:
    return HTMLResponse(TEMPLATES.get_template(template).render(language=language, **shown), status, HEADERS)
