"""An application: what a company says of itself before it is a customer, and how it comes to be one.

    draft -> submitted -> in_vetting -> approved -> accepted
                 |            |            |
                 +- withdrawn-+- declined--+

A draft may be full of holes; what is filled in is checked at once, and what is missing is named all at once when it is
to be submitted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from services.credit.customers import rules as customers
from services.credit.customers.rules import Address, Contact, ParentRefused, Particulars
from services.credit.identifiers import rules as identifiers
from services.credit.limit_requests import rules as approving
from services.credit.limit_requests.rules import Approval, LimitRequest, Wanted
from shared.calendar import known_time_zone
from shared.errors import Conflict, NotFound, PreconditionFailed, Refused
from shared.money import Money

Status = Literal["draft", "submitted", "in_vetting", "approved", "declined", "withdrawn", "accepted"]
OPEN: tuple[Status, ...] = ("draft", "submitted", "in_vetting", "approved")
ROLES: tuple[customers.Role, ...] = ("billing", "approver", "escalation")
VERSIONS_MAX = 1_000
"""Whoever has the link may save as often as that; no person comes near it."""
FOUNDED_YEAR_MIN = 1000

Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(customers.one_line)]
Word = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(customers.one_line)]
Country = Annotated[str, Field(max_length=64, examples=["DE"]), AfterValidator(customers.known_country)]
Language = Annotated[str, Field(max_length=64, examples=["de"]), AfterValidator(customers.known_language)]
Currency = Annotated[str, Field(max_length=64, examples=["EUR"]), AfterValidator(customers.known_currency)]
TimeZone = Annotated[str, Field(max_length=64), AfterValidator(known_time_zone)]
Email = Annotated[str, Field(max_length=254), AfterValidator(customers.plausible_email)]
Phone = Annotated[str, Field(max_length=40), AfterValidator(customers.plausible_phone)]
Percent = Annotated[Decimal, Field(ge=0, le=100, max_digits=7, decimal_places=4)]
NetDays = Annotated[int, Field(ge=0, le=customers.NET_DAYS_MAX)]


class ApplicationNotFound(NotFound):
    slug = "application-not-found"
    title = "There is no such application"

    def __init__(self, application_id: UUID) -> None:
        super().__init__(f"No application has the id {application_id}.")


class Incomplete(Refused):
    """Names every missing piece at once."""

    slug = "application-incomplete"
    title = "The application is not complete"

    def __init__(self, missing: Sequence[Missing]) -> None:
        errors = [{"pointer": f"#{each.field}", "detail": each.detail} for each in missing]
        super().__init__(f"{len(missing)} pieces are missing: {', '.join(each.detail for each in missing)}.")
        self.extra = {"errors": errors}


class WrongState(Conflict):
    slug = "application-state"
    title = "The application is past that, or not there yet"


class DuplicatesSuspected(Conflict):
    slug = "duplicates-suspected"
    title = "Somebody known may be the same company"


class TooManyChanges(Refused):
    slug = "too-many-changes"
    title = "The application was changed too often"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Identifier(_Part):
    """A number of a register, a tax office or a directory, checked by form and check digit."""

    kind: identifiers.Kind
    value: Annotated[str, Field(min_length=2, max_length=80)]

    @field_validator("value")
    @classmethod
    def _checked(cls, value: str, info: ValidationInfo) -> str:
        """Without a kind that is known there is nothing to check it by, and the kind is the fault."""
        kind = info.data.get("kind")
        return identifiers.check(kind, value) if kind else value


class AddressPart(_Part):
    lines: Annotated[tuple[Line, ...], Field(min_length=1, max_length=6)]
    city: Line
    postal_code: Line | None = None
    region: Line | None = None


class ContactPart(_Part):
    role: customers.Role
    name: Line
    email: Email | None = None
    phone: Phone | None = None


class Delivery(_Part):
    """How the company takes invoices: `e_invoice` names the format its systems read, `buyer_reference` what each
    invoice has to bear (a Leitweg-ID, say)."""

    channel: Literal["email", "letter", "portal"] = "email"
    e_invoice: Literal["none", "factur_x", "xrechnung", "peppol"] = "none"
    purchase_order: bool = False
    buyer_reference: Line | None = None


class Bank(_Part):
    """The company's own account, for refunds and to recognise its payments by. `account` where it has no IBAN."""

    holder: Line | None = None
    iban: Annotated[str, Field(max_length=60), AfterValidator(identifiers.check_iban)] | None = None
    bic: Annotated[str, Field(max_length=20), AfterValidator(identifiers.check_bic)] | None = None
    account: Line | None = None


class Form(_Part):
    """All that is asked. `parent_id` is the company it belongs to: a customer, or an application that is to be accepted
    before this one; `parent_name` is what the applicant says itself. The first language is what we write in."""

    legal_name: Line | None = None
    trading_names: Annotated[tuple[Line, ...], Field(max_length=10)] = ()
    legal_form: Word | None = None
    founded_year: Annotated[int, Field(ge=FOUNDED_YEAR_MIN, le=9999)] | None = None
    country: Country | None = None
    address: AddressPart | None = None
    identifiers: Annotated[tuple[Identifier, ...], Field(max_length=20)] = ()
    contacts: Annotated[tuple[ContactPart, ...], Field(max_length=30)] = ()
    languages: Annotated[tuple[Language, ...], Field(max_length=5)] = ()
    time_zone: TimeZone = "UTC"
    currency: Currency | None = None
    delivery: Delivery | None = None
    bank: Bank | None = None
    parent_id: UUID | None = None
    parent_name: Line | None = None
    segment: Word = customers.SEGMENT_DEFAULT
    wanted_limit: Money | None = None
    wanted_net_days: NetDays | None = None

    @property
    def language(self) -> str:
        return self.languages[0] if self.languages else "en"

    def contact(self, role: customers.Role) -> ContactPart | None:
        return next((each for each in self.contacts if each.role == role), None)

    def numbers(self, *kinds: identifiers.Kind) -> tuple[str, ...]:
        """Those of these kinds, or all."""
        return tuple(each.value for each in self.identifiers if not kinds or each.kind in kinds)


class Terms(_Part):
    """What is agreed with the customer: how much it may owe and for how long, what is paid in advance, what late
    payment costs (percent a year and a lump sum) and what early payment saves."""

    limit: Money
    net_days: NetDays
    prepaid_percent: Annotated[int, Field(ge=0, le=100)] = 0
    deposit: Money | None = None
    late_interest_percent: Percent | None = None
    late_fee: Money | None = None
    discount_percent: Percent | None = None
    discount_days: NetDays | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """A piece that is not there: where it belongs, and what it is."""

    field: str
    detail: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """Terms that somebody proposes, with the reason, and who approved them so far."""

    terms: Terms
    reason: str
    by: str
    at: datetime
    approvers_needed: int
    approvals: tuple[Approval, ...] = ()


@dataclass(frozen=True, slots=True)
class Decided:
    """Who said the last word so far, when and why."""

    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Application:
    """`link_generation` counts the links given out: only the newest, until `link_until`, opens the customer's page."""

    id: UUID
    version: int
    status: Status
    form: Form
    made_at: datetime
    made_by: str
    submitted_at: datetime | None = None
    submitted_by: str | None = None
    proposal: Proposal | None = None
    decided: Decided | None = None
    link_generation: int = 0
    link_until: date | None = None
    customer_id: UUID | None = None

    @property
    def name(self) -> str:
        return self.form.legal_name or "?"


def begin(application_id: UUID, form: Form, by: str, now: datetime) -> Application:
    """An empty form is a beginning too. Raises Refused for a company that will be founded."""
    _check_year(form, now.date())
    return Application(id=application_id, version=1, status="draft", form=form, made_at=now, made_by=by)


def change(application: Application, wanted: Form, today: date) -> Application:
    """Take over what is set in `wanted` and leave the rest. Raises WrongState once it is submitted, TooManyChanges, and
    Refused for a company that will be founded."""
    expect(application, "draft")
    if application.version >= VERSIONS_MAX:
        raise TooManyChanges("Ask for a new link, or have somebody fill it in for you.")
    _check_year(wanted, today)
    form = application.form.model_copy(update={name: getattr(wanted, name) for name in wanted.model_fields_set})
    if form == application.form:
        return application
    return replace(application, version=application.version + 1, form=form)


def missing(form: Form) -> list[Missing]:
    """Everything that has to be there before it can be submitted, in the order of the form."""
    lacks: list[Missing] = []

    def need(there: object, field: str, detail: str) -> None:
        if not there:
            lacks.append(Missing(field, detail))

    need(form.legal_name, "/legal_name", "the legal name")
    need(form.legal_form, "/legal_form", "the legal form")
    need(form.founded_year, "/founded_year", "the year of foundation")
    need(form.country, "/country", "the country")
    need(form.address, "/address", "the address")
    need(form.identifiers, "/identifiers", "a tax or register number")
    for role in ROLES:
        person = form.contact(role)
        need(person, "/contacts", f"the contact person for {_FOR[role]}")
        if person and not (person.email or person.phone):
            lacks.append(Missing("/contacts", f"how to reach the contact person for {_FOR[role]}"))
    billing = form.contact("billing")
    if billing and billing.phone and not billing.email:
        lacks.append(Missing("/contacts", "the mail address of the contact person for invoices"))
    need(form.languages, "/languages", "the language")
    need(form.currency, "/currency", "the currency")
    need(form.delivery, "/delivery", "how invoices are to be delivered")
    if form.delivery and form.delivery.e_invoice == "xrechnung":
        need(form.delivery.buyer_reference, "/delivery/buyer_reference", "the buyer reference (Leitweg-ID)")
    need(form.bank and (form.bank.iban or form.bank.account), "/bank", "the bank account")
    need(form.wanted_limit, "/wanted_limit", "the limit wanted")
    need(form.wanted_net_days is not None, "/wanted_net_days", "the days to pay that are wanted")
    return lacks


_FOR = {"billing": "invoices", "approver": "approvals", "escalation": "escalations"}


def submit(application: Application, by: str, now: datetime) -> Application:
    """Raises WrongState, Incomplete with all that is missing, and Refused for a limit that cannot be."""
    expect(application, "draft")
    form = application.form
    if lacks := missing(form):
        raise Incomplete(lacks)
    assert form.wanted_limit
    check_amount(form.wanted_limit, form, "/wanted_limit")
    return _moved(application, "submitted", submitted_at=now, submitted_by=by)


def return_to_draft(application: Application) -> Application:
    """Something has to be put right before it can be vetted."""
    expect(application, "submitted", "in_vetting")
    return _moved(application, "draft", submitted_at=None, submitted_by=None, proposal=None)


def start_vetting(application: Application) -> Application:
    expect(application, "submitted")
    return _moved(application, "in_vetting")


def propose(
    application: Application, terms: Terms, reason: str, by: str, now: datetime, approvers_needed: int
) -> Application:
    """Where nobody else has to approve them, the terms are approved with this. Raises WrongState, Refused."""
    expect(application, "in_vetting")
    check_terms(terms, application.form)
    proposal = Proposal(terms, reason, by, now, approvers_needed)
    if approvers_needed:
        return _moved(application, "in_vetting", proposal=proposal)
    return _moved(application, "approved", proposal=proposal, decided=Decided(by, now, reason))


def approve(application: Application, by: str, now: datetime) -> Application:
    """With the last approval that it takes it is approved, by the rule of limit requests: never by who proposed it, and
    nobody twice. Raises WrongState, ApprovalRefused."""
    expect(application, "in_vetting")
    proposal = application.proposal
    if proposal is None:
        raise WrongState("Nobody has proposed terms yet.")
    wanted = Wanted("limit", proposal.terms.limit)
    request = LimitRequest(
        id=application.id,
        version=application.version,
        customer_id=application.id,
        wanted=wanted,
        reason=proposal.reason,
        requested_by=proposal.by,
        requested_at=proposal.at,
        approvers_needed=proposal.approvers_needed,
        approvals=proposal.approvals,
    )
    after = approving.approve(request, by, now)
    proposal = replace(proposal, approvals=after.approvals)
    if after.status != "approved":
        return _moved(application, "in_vetting", proposal=proposal)
    return _moved(application, "approved", proposal=proposal, decided=Decided(by, now, proposal.reason))


def decline(application: Application, by: str, now: datetime, reason: str) -> Application:
    expect(application, "submitted", "in_vetting")
    return _moved(application, "declined", decided=Decided(by, now, reason))


def withdraw(application: Application, by: str, now: datetime, reason: str) -> Application:
    expect(application, *OPEN)
    return _moved(application, "withdrawn", decided=Decided(by, now, reason))


def accept(application: Application, customer_id: UUID) -> Application:
    """The customer accepted the terms and is one from now on."""
    expect(application, "approved")
    return _moved(application, "accepted", customer_id=customer_id)


def why_this_limit(application: Application) -> str:
    """The reason that stands with the customer's limit."""
    proposal = application.proposal
    assert proposal
    persons = "".join(f", approved by {each.by}" for each in proposal.approvals)
    return f"{proposal.reason} (agreed when it applied: proposed by {proposal.by}{persons})"


def give_link(application: Application, until: date) -> Application:
    """A new link; those given out before open nothing any more."""
    expect(application, *OPEN)
    return replace(
        application,
        version=application.version + 1,
        link_generation=application.link_generation + 1,
        link_until=until,
    )


def recall_link(application: Application) -> Application:
    """No link opens the customer's page any more."""
    return replace(
        application,
        version=application.version + 1,
        link_generation=application.link_generation + 1,
        link_until=None,
    )


def check_terms(terms: Terms, form: Form) -> None:
    """Raises Refused, naming the field, for amounts below zero or in a currency that is not the customer's, and for an
    early payment discount that is none."""
    for name in ("limit", "deposit", "late_fee"):
        if amount := getattr(terms, name):
            check_amount(amount, form, f"/terms/{name}")
    if (terms.discount_percent is None) != (terms.discount_days is None):
        raise Refused("A discount has a percentage and days, or is none.", field="/terms/discount_days")
    if terms.discount_days is not None and terms.discount_days >= terms.net_days:
        raise Refused(
            f"Who pays within {terms.discount_days} days of {terms.net_days} is not early.",
            field="/terms/discount_days",
        )


def check_amount(amount: Money, form: Form, field: str) -> None:
    if amount.minor < 0:
        raise Refused(f"An amount is zero or more, not {amount}.", field=f"{field}/amount")
    if form.currency and amount.currency != form.currency:
        raise Refused(
            f"The customer is to be kept in {form.currency}; {amount} cannot be held against that.",
            field=f"{field}/currency",
        )


def check_parent(application_id: UUID, parent_id: UUID, ancestors: Sequence[UUID]) -> None:
    """`ancestors` are the parent, its parent ..., customers and applications; empty where the parent is neither. Raises
    ParentRefused."""
    if not ancestors:
        raise ParentRefused(f"there is neither a customer nor an application {parent_id}", field="/parent_id")
    if application_id in ancestors:
        raise ParentRefused(f"{parent_id} belongs to this company itself", field="/parent_id")


def expect(application: Application, *states: Status) -> None:
    """Raises WrongState."""
    if application.status not in states:
        wanted = " or ".join(each.replace("_", " ") for each in states)
        raise WrongState(f"It is {application.status.replace('_', ' ')}; for this it would have to be {wanted}.")


def expect_version(application: Application, version: int) -> None:
    """Raises PreconditionFailed."""
    if application.version != version:
        raise PreconditionFailed(
            f"The application is at version {application.version}, not {version}; look again, then decide.",
            current_version=application.version,
        )


def particulars(form: Form, terms: Terms, parent_id: UUID | None) -> Particulars:
    """The customer that a complete form with agreed terms makes."""
    assert form.legal_name
    assert form.country
    assert form.currency
    assert form.address
    assert form.delivery
    requires: list[customers.Requirement] = []
    if form.delivery.e_invoice == "xrechnung":
        requires.append("buyer_reference")
    if form.delivery.purchase_order:
        requires.append("purchase_order")
    address = form.address
    return Particulars(
        name=form.legal_name,
        country=form.country,
        language=form.language,
        time_zone=form.time_zone,
        currency=form.currency,
        segment=form.segment,
        net_days=terms.net_days,
        contacts=tuple(Contact(each.role, each.name, each.email, each.phone) for each in form.contacts),
        address=Address(address.lines, address.city, address.postal_code, address.region),
        vat_id=next(iter(form.numbers("vat")), None),
        buyer_reference=form.delivery.buyer_reference,
        requires=tuple(requires),
        parent_id=parent_id,
    )


def legal_id(form: Form) -> str | None:
    """What a credit bureau knows the company by: its register's number before a tax number."""
    order = sorted(form.identifiers, key=lambda each: (each.kind in ("vat", "de_tax_number", "gb_utr"), each.kind))
    text = order[0].value if order else None
    return re.sub(r"[^A-Za-z0-9 ./-]", "", text) if text else None


def _check_year(form: Form, today: date) -> None:
    if form.founded_year and form.founded_year > today.year:
        raise Refused(f"{form.founded_year} has not come yet.", field="/founded_year")


def _moved(application: Application, status: Status, **values: Any) -> Application:
    return replace(application, version=application.version + 1, status=status, **values)
