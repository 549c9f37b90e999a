"""The page on which an applicant fills in its application and accepts its terms. The link in its address is the key."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.credit.agreements import handlers as agreements
from services.credit.agreements.handlers import AcceptTerms
from services.credit.agreements.rules import Agreement, rows
from services.credit.application_links import handlers as application_links
from services.credit.application_links.rules import ApplicationLinkUnusable
from services.credit.application_page import rules
from services.credit.application_page.rules import Step
from services.credit.application_words.rules import WORDS
from services.credit.applications import handlers as applications
from services.credit.applications.handlers import ChangeApplication
from services.credit.applications.rules import Application
from services.credit.tongues.rules import LANGUAGES, Tongue, tongue
from shared.calendar import local_date
from shared.db import reading, transaction
from shared.errors import DomainError
from shared.http.dependencies import DatabaseDep
from shared.http.responses import document

pages = APIRouter(include_in_schema=False)

BODY_BYTES_MAX = 16 * 1024
FIELDS_MAX = 60
APPLICANT = "the applicant"
SAID = ("saved", "not_saved", "accept_missing", "changed")
"""What a page may say after something was done; nothing else of an address is repeated."""

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


@dataclass(frozen=True)
class Visit:
    """Somebody who came with a link that works."""

    token: str
    application: Application
    agreement: Agreement | None
    tongue: Tongue

    @property
    def home(self) -> str:
        return f"/apply/{self.token}"


class LinkGone(Exception):
    """The link does not work: a page says so, the same for whatever reason."""


async def _visit(token: str, request: Request, database: DatabaseDep) -> Visit:
    async with reading(database) as tx:
        try:
            application = await application_links.open_link(tx, request.app.state.application_links, token)
        except ApplicationLinkUnusable:
            raise LinkGone from None
        agreement = await agreements.find_agreement(tx, application.id)
    form = application.form
    said = form.language if form.languages else request.headers.get("accept-language", "en")[:2]
    return Visit(token, application, agreement, tongue(said, form.country))


VisitDep = Annotated[Visit, Depends(_visit)]


async def link_gone(request: Request, _: Exception) -> Response:
    """In the language that the browser asks for, since the link does not say whose it is."""
    return _html("gone.html", tongue(request.headers.get("accept-language", "en")[:2]), 404)


@pages.get("/apply/{token}")
async def look(visit: VisitDep, said: str = "") -> Response:
    """How far the application is: the first step that lacks something, or what came of it."""
    if visit.application.status != "draft":
        return _status(visit, _said(said))
    lacking: list[Step] = [step.name for step in rules.steps(visit.application.form, visit.tongue) if step.missing]
    return _step(visit, lacking[0] if lacking else None, notice=_said(said))


@pages.get("/apply/{token}/steps/{step}")
async def look_at_step(visit: VisitDep, step: Step, said: str = "") -> Response:
    if visit.application.status != "draft":
        return RedirectResponse(visit.home, 303)
    return _step(visit, step, notice=_said(said))


@pages.post("/apply/{token}/steps/{step}", max_body_size=BODY_BYTES_MAX)
async def save_step(visit: VisitDep, step: Step, request: Request, database: DatabaseDep) -> Response:
    """Save a step. What is wrong is said beside its field, with what was written still there."""
    sent = await request.form(max_files=0, max_fields=FIELDS_MAX)
    given = {name: value for name, value in sent.items() if isinstance(value, str)}
    read = rules.read_step(step, given, visit.application.form, visit.tongue)
    if read.wanted is None:
        return _step(visit, step, given=given, wrong=read.wrong)
    try:
        async with transaction(database) as tx:
            await application_links.open_link(tx, request.app.state.application_links, visit.token, lock=True)
            await applications.change_application(tx, ChangeApplication(visit.application.id, read.wanted))
    except ApplicationLinkUnusable:
        raise LinkGone from None
    except DomainError as refused:
        if wrong := rules.wrong_field(refused.field, visit.tongue):
            return _step(visit, step, given=given, wrong=wrong)
        return RedirectResponse(f"{visit.home}?said=not_saved", 303)
    following = rules.next_step(step)
    place = f"{visit.home}/steps/{following}" if following else visit.home
    return RedirectResponse(f"{place}?said=saved", 303)


@pages.post("/apply/{token}/submission", max_body_size=BODY_BYTES_MAX)
async def submit(visit: VisitDep, request: Request, database: DatabaseDep) -> Response:
    """Sent twice, the second finds it submitted, and the page says so."""
    try:
        async with transaction(database) as tx:
            await application_links.open_link(tx, request.app.state.application_links, visit.token, lock=True)
            await applications.submit_application(tx, visit.application.id, APPLICANT)
    except ApplicationLinkUnusable:
        raise LinkGone from None
    except DomainError:
        pass  # The page tells how it stands, and what is missing.
    return RedirectResponse(visit.home, 303)


@pages.get("/apply/{token}/terms.pdf")
async def show_document(visit: VisitDep, database: DatabaseDep) -> Response:
    """The very document that went out."""
    async with reading(database) as tx:
        agreement, pdf = await agreements.get_pdf(tx, visit.application.id)
    return document(pdf, "application/pdf", f"terms-{agreement.external_id}.pdf")


@pages.post("/apply/{token}/acceptance", max_body_size=BODY_BYTES_MAX)
async def accept(
    visit: VisitDep,
    request: Request,
    database: DatabaseDep,
    sha256: Annotated[str, Form(max_length=64)] = "",
    name: Annotated[str, Form(max_length=200)] = "",
    accepts: Annotated[str, Form(max_length=8)] = "",
) -> Response:
    """Accept the terms shown, by name. Sent twice, the second finds them accepted."""
    person = " ".join(name.split())
    if not person or accepts != "yes":
        return RedirectResponse(f"{visit.home}?said=accept_missing", 303)
    try:
        async with transaction(database) as tx:
            await application_links.open_link(tx, request.app.state.application_links, visit.token, lock=True)
            today = local_date(tx.now, "UTC")
            command = AcceptTerms(visit.application.id, sha256, today, person, "page", APPLICANT)
            await agreements.accept_terms(tx, command)
    except ApplicationLinkUnusable:
        raise LinkGone from None
    except DomainError:
        return RedirectResponse(f"{visit.home}?said=changed", 303)
    return RedirectResponse(visit.home, 303)


def _said(said: str) -> str:
    return said if said in SAID else ""


def _step(
    visit: Visit,
    step: Step | None,
    *,
    given: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
    notice: str = "",
) -> HTMLResponse:
    t, form = visit.tongue, visit.application.form
    known = rules.fields_of(step, form, t) if step else {}
    return _html(
        "step.html",
        t,
        422 if wrong else 200,
        visit=visit,
        steps=rules.steps(form, t),
        step=step,
        field=given if given is not None else known,
        wrong=wrong or {},
        notice="wrong_form" if wrong else notice,
        languages=[(code, tongue(code).locale.display_name.capitalize().split(" ")[0]) for code in LANGUAGES],
        countries=rules.countries(t.language, form.country or "GB"),
        kinds=rules.kinds(t),
        number_rows=rules.number_rows(form),
        currencies=rules.CURRENCIES,
    )


def _status(visit: Visit, notice: str) -> HTMLResponse:
    t, agreement = visit.tongue, visit.agreement
    form = visit.application.form
    is_out = agreement is not None and visit.application.status in ("approved", "accepted")
    shown = rows(agreement.terms, form, agreement.seller, t) if agreement and is_out else []
    accepted = agreement.accepted if agreement else None
    if accepted and notice == "changed":
        notice = ""  # Pressed twice: how it stands is said below.
    return _html("status.html", t, visit=visit, rows=shown, agreement=agreement, accepted=accepted, notice=notice)


def _html(template: str, t: Tongue, code: int = 200, **values: Any) -> HTMLResponse:
    def say(key: str, **parts: object) -> str:
        return t.say(WORDS, key, **parts)

    return HTMLResponse(TEMPLATES.get_template(template).render(t=t, say=say, **values), code, HEADERS)
