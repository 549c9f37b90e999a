"""Terms written out for a customer to accept: what the document and the mails about it show, and when an acceptance
counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from services.credit.agreement_words.rules import WORDS
from services.credit.application_forms.rules import ContactPart, Form
from services.credit.applications.rules import Application, Terms
from services.credit.sellers.rules import DEFAULT
from services.credit.tongues.rules import Tongue, tongue
from shared.errors import Conflict, NotFound, Refused, Unavailable
from shared.mail_address import subject_line

Through = Literal["page", "staff"]
FORMATS = {"factur_x": "Factur-X / ZUGFeRD", "xrechnung": "XRechnung", "peppol": "Peppol BIS"}
LETTER_PAPER = ("CA", "CL", "CO", "CR", "GT", "MX", "PA", "PH", "US", "VE")
"""Where paper is US Letter; A4 everywhere else."""


class NoAgreement(NotFound):
    slug = "agreement-not-found"
    title = "No terms have been written out yet"


class OtherTerms(Conflict):
    slug = "other-terms"
    title = "These are not the terms that are out"


class AcceptedBefore(Conflict):
    slug = "accepted-before"
    title = "The terms have been accepted"


class NobodyToWriteTo(Refused):
    slug = "nobody-to-write-to"
    title = "The application names nobody with a mail address"


class SellerUnknown(Unavailable):
    slug = "seller-unknown"
    title = "The invoice service, which knows the seller, is not answering"


@dataclass(frozen=True, slots=True)
class Seller:
    """In whose name the terms are offered, as the invoice service has it; kept with what was written out. `email` is
    where answers go."""

    name: str
    country: str = ""
    address: tuple[str, ...] = ()
    contact: tuple[str, ...] = ()
    account: tuple[str, ...] = ()
    legal: tuple[str, ...] = ()
    email: str | None = None
    entity_id: str = DEFAULT


@dataclass(frozen=True, slots=True)
class Acceptance:
    """`on` is the day that counts, `by` the person at the customer, `recorded_by` who put it down here."""

    on: date
    by: str
    through: Through
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """A version of the terms as it went out; `sha256` is of the very PDF."""

    id: UUID
    application_id: UUID
    version: int
    external_id: str
    language: str
    terms: Terms
    seller: Seller
    sha256: str
    made_at: datetime
    made_by: str
    accepted: Acceptance | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as it reads."""

    subject: str
    plain: str
    view: dict[str, Any]


def accept(agreement: Agreement, acceptance: Acceptance, sha256: str, today: date) -> Agreement:
    """`sha256` is of the document that was accepted. Raises AcceptedBefore, OtherTerms, Refused."""
    if agreement.accepted:
        raise AcceptedBefore(f"{agreement.accepted.by} accepted them on {agreement.accepted.on}.")
    if sha256 != agreement.sha256:
        raise OtherTerms(f"What is out is version {agreement.version}, whose SHA-256 is {agreement.sha256}.")
    if not agreement.made_at.date() <= acceptance.on <= today:
        raise Refused(
            f"They were written out on {agreement.made_at.date()}, and today is {today}.", field="/accepted_on"
        )
    return replace(agreement, accepted=acceptance)


def writer_to(form: Form) -> ContactPart:
    """Whom the terms go to: who approves, else who takes the invoices. Raises NobodyToWriteTo."""
    for role in ("approver", "billing", "escalation"):
        person = form.contact(role)
        if person and person.email:
            return person
    raise NobodyToWriteTo("Add a contact person with a mail address.", field="/contacts")


def document_view(agreement: Agreement, form: Form) -> dict[str, Any]:
    """All that `agreed.typ` shows."""
    t, seller = tongue(agreement.language, form.country), agreement.seller
    address = form.address
    assert address
    place = " ".join(filter(None, (address.postal_code, address.city)))
    return {
        "title": t.say(WORDS, "title"),
        "language": t.language,
        "paper": "us-letter" if form.country in LETTER_PAPER else "a4",
        "seller": {
            "name": seller.name,
            "address": list(seller.address),
            "contact": list(seller.contact),
            "foot": [*seller.account, *seller.legal],
            "sender": " · ".join((seller.name, *seller.address)),
        },
        "buyer": [form.legal_name, *address.lines, place, *filter(None, (address.region,))],
        "facts": [
            [t.say(WORDS, "date"), t.day(agreement.made_at.date())],
            [t.say(WORDS, "customer_number"), agreement.external_id],
            [t.say(WORDS, "version"), str(agreement.version)],
        ],
        "opening": t.say(WORDS, "opening"),
        "rows": [list(row) for row in rows(agreement.terms, form, seller, t)],
        "accept": {
            "title": t.say(WORDS, "accept_title"),
            "says": t.say(WORDS, "accept_says"),
            "lines": [t.say(WORDS, key) for key in ("sign_name", "sign_day", "sign_here")],
        },
        "page": t.say(WORDS, "page", page="{page}", pages="{pages}"),
    }


def rows(terms: Terms, form: Form, seller: Seller, t: Tongue) -> list[tuple[str, str, str]]:
    """The terms one by one: name, what holds, and what that means."""

    def say(key: str, **parts: object) -> str:
        return t.say(WORDS, key, **parts)

    limit = t.money(terms.limit) if terms.limit.minor else say("no_limit")
    days = {0: say("at_once"), 1: say("net_days_one")}.get(terms.net_days, say("net_days_value", days=terms.net_days))
    found = [(say("limit"), limit, say("limit_says")), (say("net_days"), days, say("net_days_says"))]
    if terms.prepaid_percent:
        found.append((say("prepaid"), t.percent(terms.prepaid_percent), say("prepaid_says")))
    if terms.deposit and terms.deposit.minor:
        found.append((say("deposit"), t.money(terms.deposit), say("deposit_says")))
    if terms.discount_percent and terms.discount_days is not None:
        off = say("discount_value", percent=t.percent(terms.discount_percent), days=terms.discount_days)
        found.append((say("discount"), off, say("discount_says")))
    if terms.late_interest_percent is not None:
        interest = say("late_interest_value", percent=t.percent(terms.late_interest_percent))
        found.append((say("late_interest"), interest, say("late_interest_says")))
    else:
        found.append((say("late_interest"), say("by_law"), say("by_law_says")))
    if terms.late_fee and terms.late_fee.minor:
        found.append((say("late_fee"), t.money(terms.late_fee), say("late_fee_says")))
    found.append((say("delivery"), *_delivery(form, t)))
    account = ", ".join(seller.account)
    paying = say("pay_by_transfer", account=account) if account else say("pay_as_printed")
    found.append((say("pay"), paying, say("pay_says")))
    found.append((say("dispute"), say("dispute_value"), say("dispute_says")))
    if seller.contact:
        found.append((say("contact"), seller.contact[0], ", ".join(seller.contact[1:])))
    return found


def _delivery(form: Form, t: Tongue) -> tuple[str, str]:
    delivery, billing = form.delivery, form.contact("billing")
    assert delivery
    whom = (billing.email if billing else None) or ""
    says = []
    if delivery.e_invoice != "none":
        says.append(t.say(WORDS, "as_format", format=FORMATS[delivery.e_invoice]))
    if delivery.purchase_order:
        says.append(t.say(WORDS, "with_order"))
    return t.say(WORDS, f"channel_{delivery.channel}", whom=whom), " ".join(says)


def invitation(application: Application, seller: Seller, url: str, last_day: date) -> Letter:
    """The mail with the link to fill the application in."""
    t = tongue(application.form.language, application.form.country)
    return _letter("invitation", application, seller, t, (), url, day=t.day(last_day))


def terms_letter(application: Application, agreement: Agreement, url: str, last_day: date) -> Letter:
    """The mail with the terms and the link to accept them."""
    t = tongue(agreement.language, application.form.country)
    return _letter("terms", application, agreement.seller, t, (), url, day=t.day(last_day))


def welcome_letter(application: Application, agreement: Agreement) -> Letter:
    """The mail to a new customer, with everything that holds."""
    form = application.form
    t = tongue(agreement.language, form.country)
    listed = rows(agreement.terms, form, agreement.seller, t)
    return _letter("welcome", application, agreement.seller, t, listed, "", number=agreement.external_id)


def _letter(
    kind: Literal["invitation", "terms", "welcome"],
    application: Application,
    seller: Seller,
    t: Tongue,
    listed: Sequence[tuple[str, str, str]],
    url: str,
    **parts: str,
) -> Letter:
    person = writer_to(application.form)
    hello = t.say(WORDS, "hello", name=person.name)
    text = t.say(WORDS, f"{kind}_text", company=application.name, **parts)
    subject = subject_line(t.say(WORDS, f"{kind}_subject", seller=seller.name))
    regards = t.say(WORDS, "regards")
    button = t.say(WORDS, f"{kind}_button") if url else ""
    lines = [f"{name}: {value}{f' ({says})' if says else ''}" for name, value, says in listed]
    signed = (seller.name, *seller.contact)
    plain = "\n\n".join(filter(None, (hello, text, url, "\n".join(lines), "\n".join((regards, *signed)))))
    view = {
        "language": t.language,
        "subject": subject,
        "hello": hello,
        "text": text,
        "rows": listed,
        "url": url,
        "button": button,
        "regards": regards,
        "signed": signed,
    }
    return Letter(subject, plain + "\n", view)
