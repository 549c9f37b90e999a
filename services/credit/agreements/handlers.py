"""Write terms out, send them, and take their acceptance, which makes the applicant a customer and welcomes it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import local
from uuid import UUID

import orjson
import typst
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.credit.agreements import rules, store
from services.credit.agreements.rules import Acceptance, Agreement, Letter, NoAgreement, OtherTerms, Seller, Through
from services.credit.application_links import handlers as application_links
from services.credit.application_links.handlers import ApplicationLinks
from services.credit.applications import handlers as applications
from services.credit.applications import rules as states
from services.credit.applications.rules import Application
from services.credit.customers import handlers as customers
from services.credit.customers.rules import Customer, DuplicateExternalId
from services.credit.onboarding_mails import handlers as onboarding_mails
from services.credit.onboarding_mails.rules import Kind, Mail
from services.credit.sellers import handlers as sellers
from shared.calendar import local_date
from shared.db import Tx
from shared.ids import new_id

_TEMPLATES = Path(__file__).parent / "templates"
_MAILS = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
_own = local()


@dataclass(frozen=True, slots=True)
class WriteTerms:
    """`external_id` is your number for the customer, `language` that of the application where it is None."""

    application_id: UUID
    seller: Seller
    external_id: str | None
    language: str | None
    by: str


@dataclass(frozen=True, slots=True)
class Written:
    """Terms typeset and not yet kept."""

    agreement: Agreement
    pdf: bytes


@dataclass(frozen=True, slots=True)
class AcceptTerms:
    """`sha256` is of the document that was accepted, `on` the day, `by` the person at the customer."""

    application_id: UUID
    sha256: str
    on: date
    by: str
    through: Through
    recorded_by: str


async def draft_terms(tx: Tx, command: WriteTerms) -> tuple[Agreement, Application]:
    """What would be written out next. Raises ApplicationNotFound, WrongState, NobodyToWriteTo, DuplicateExternalId."""
    application = await applications.get_application(tx, command.application_id)
    states.expect(application, "approved")
    rules.writer_to(application.form)
    assert application.proposal
    before = await store.newest(tx, application.id)
    external_id = command.external_id or (before.external_id if before else f"A-{application.id.hex[-10:].upper()}")
    if holders := await customers.find_customers(tx, external_id):
        raise DuplicateExternalId(external_id, holders[0].id)
    agreement = Agreement(
        id=new_id(),
        application_id=application.id,
        version=before.version + 1 if before else 1,
        external_id=external_id,
        language=command.language or application.form.language,
        terms=application.proposal.terms,
        seller=command.seller,
        sha256="",
        made_at=tx.now,
        made_by=command.by,
    )
    return agreement, application


def typeset(agreement: Agreement, application: Application) -> Written:
    """The document as PDF/A-3b; takes processor time, so by `asyncio.to_thread`."""
    view = rules.document_view(agreement, application.form)
    pdf = _compiler().compile(
        format="pdf",
        sys_inputs={"data": orjson.dumps(view).decode()},
        pdf_standards=["a-3b"],
        timestamp=datetime.combine(agreement.made_at.date(), time(), UTC),
    )
    assert isinstance(pdf, bytes)
    return Written(replace(agreement, sha256=sha256(pdf).hexdigest()), pdf)


async def send_terms(tx: Tx, links: ApplicationLinks, written: Written) -> Agreement:
    """Keep them and plan the mail; those that were out before can be accepted no more. Raises ApplicationNotFound,
    WrongState, OtherTerms."""
    agreement = written.agreement
    given = await application_links.give_link(tx, links, agreement.application_id)
    application = await applications.get_application(tx, agreement.application_id)
    states.expect(application, "approved")
    if not await store.add(tx, agreement, written.pdf):
        raise OtherTerms("Somebody else wrote the terms out at the same moment; look at theirs.")
    await sellers.note(tx, application.id, agreement.seller.entity_id, agreement.made_by)
    letter = rules.terms_letter(application, agreement, given.url, given.last_day)
    await _plan(tx, "terms", application, agreement.seller, letter, agreement.made_by, agreement.id)
    return agreement


async def accept_terms(tx: Tx, command: AcceptTerms) -> tuple[Agreement, Customer]:
    """The customer is onboarded on the terms it accepted, and welcomed. Raises ApplicationNotFound, NoAgreement,
    AcceptedBefore, OtherTerms, WrongState, Refused, DuplicateExternalId, ParentRefused."""
    application = await applications.lock_application(tx, command.application_id)
    acceptance = Acceptance(command.on, command.by, command.through, tx.now, command.recorded_by)
    agreement = await get_agreement(tx, application.id)
    agreement = rules.accept(agreement, acceptance, command.sha256, local_date(tx.now, "UTC"))
    application, customer = await applications.onboard_applicant(tx, application, agreement.external_id)
    await store.save_acceptance(tx, agreement.id, acceptance)
    await sellers.note(tx, customer.id, agreement.seller.entity_id, command.recorded_by)
    letter = rules.welcome_letter(application, agreement)
    await _plan(tx, "welcome", application, agreement.seller, letter, command.recorded_by, agreement.id)
    return agreement, customer


async def invite(tx: Tx, links: ApplicationLinks, application_id: UUID, seller: Seller, by: str) -> Mail:
    """Send the applicant the link to fill the application in. Raises ApplicationNotFound, WrongState,
    NobodyToWriteTo."""
    given = await application_links.give_link(tx, links, application_id)
    application = await applications.get_application(tx, application_id)
    states.expect(application, "draft")
    await sellers.note(tx, application_id, seller.entity_id, by)
    letter = rules.invitation(application, seller, given.url, given.last_day)
    return await _plan(tx, "invitation", application, seller, letter, by, None)


async def _plan(
    tx: Tx,
    kind: Kind,
    application: Application,
    seller: Seller,
    letter: Letter,
    by: str,
    agreement_id: UUID | None,
) -> Mail:
    person = rules.writer_to(application.form)
    assert person.email
    return await onboarding_mails.plan(
        tx,
        Mail(
            id=new_id(),
            application_id=application.id,
            kind=kind,
            agreement_id=agreement_id,
            recipient=person.email,
            recipient_name=person.name,
            sender_name=seller.name,
            reply_to=seller.email,
            subject=letter.subject,
            plain=letter.plain,
            html=_MAILS.get_template("mail.html").render(letter.view),
            planned_at=tx.now,
            planned_by=by,
        ),
    )


async def get_agreement(tx: Tx, application_id: UUID) -> Agreement:
    """The newest. Raises NoAgreement."""
    agreement = await store.newest(tx, application_id)
    if agreement is None:
        raise NoAgreement(f"No terms were written out for the application {application_id}.")
    return agreement


async def find_agreement(tx: Tx, application_id: UUID) -> Agreement | None:
    return await store.newest(tx, application_id)


async def get_pdf(tx: Tx, application_id: UUID) -> tuple[Agreement, bytes]:
    """The newest as it was typeset. Raises NoAgreement."""
    agreement = await get_agreement(tx, application_id)
    return agreement, await store.pdf(tx, agreement.id)


def _compiler() -> typst.Compiler:
    """One for each thread, since a compiler does one thing at a time; it remembers what did not change."""
    if not hasattr(_own, "compiler"):
        _own.compiler = typst.Compiler(_TEMPLATES / "agreed.typ", root=_TEMPLATES, font_paths=_fonts())
    return _own.compiler


@cache
def _fonts() -> typst.Fonts:
    """The typefaces that come with typst, so that a page looks the same everywhere; the system's only help out with
    characters those do not have."""
    return typst.Fonts(include_system_fonts=True)
