"""The page on which a customer sees an offer and answers it. The link in its address is the key to it."""

from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.reminder.offer_links.rules import OfferLinkUnusable
from services.reminder.offer_page import rules
from services.reminder.offer_page.rules import Voice
from services.reminder.offers import handlers as offers
from services.reminder.offers.handlers import AnswerOffer
from services.reminder.offers.rules import Answer, OfferNotFound, OfferOver
from shared.db import reading, transaction
from shared.errors import DomainError
from shared.http.dependencies import DatabaseDep

pages = APIRouter(include_in_schema=False)

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-robots-tag": "noindex",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
}
SHOWN = ("open", "accepted", "refused", "expired")
"""What a customer is told of; of the rest, that it is gone."""
SAID = ("name_missing", "changed")


@pages.get("/offers/{token}")
async def show(token: str, request: Request, database: DatabaseDep, said: str = "") -> Response:
    """What is offered, and until when."""
    try:
        async with reading(database) as tx:
            offer, account = await offers.open_link(tx, request.app.state.offer_links, token)
            now = tx.now
    except (OfferLinkUnusable, OfferNotFound):
        return _gone(request)
    status = "expired" if offer.look_at and now >= offer.look_at else offer.status
    voice = rules.voice(account.language, account.country)
    if status not in SHOWN:
        return _html("gone.html", voice, 404)
    said = said if said in SAID else ""
    return _html("offer.html", voice, offer=offer, status=status, customer=account.name, token=token, said=said)


@pages.post("/offers/{token}")
async def answer(
    token: str,
    request: Request,
    database: DatabaseDep,
    answer: Annotated[Literal["accept", "refuse"], Form()],
    name: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Accept it by name, or refuse it. Sent twice, the second finds it answered, and the page says so."""
    person = " ".join(name.split())
    if answer == "accept" and not person:
        return RedirectResponse(f"/offers/{token}?said=name_missing", 303)
    try:
        async with transaction(database) as tx:
            offer, account = await offers.open_link(tx, request.app.state.offer_links, token)
            given = Answer(answer == "accept", person or account.name or "the customer", "page", None)
            await offers.answer_offer(tx, AnswerOffer(offer.id, given))
    except (OfferLinkUnusable, OfferNotFound):
        return _gone(request)
    except OfferOver:
        pass  # The page tells how it stands.
    except DomainError:
        return RedirectResponse(f"/offers/{token}?said=changed", 303)
    return RedirectResponse(f"/offers/{token}", 303)


def _gone(request: Request) -> Response:
    """In the language that the browser asks for, since the link does not say whose it is."""
    return _html("gone.html", rules.voice(request.headers.get("accept-language", "en")), 404)


def _html(template: str, voice: Voice, code: int = 200, **values: Any) -> Response:
    return HTMLResponse(TEMPLATES.get_template(template).render(t=voice, **values), code, HEADERS)
