"""An application: what a company says of itself before it is a customer, and how it comes to be one.

    draft -> submitted -> in_vetting -> approved -> accepted
                 |            |            |
                 +- withdrawn-+- declined--+

A draft may be full of holes; what is filled in is checked at once, and what is missing is named all at once when it is
to be submitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from services.credit.application_forms.rules import Form, Missing, NetDays, Part, Percent, check_year, missing
from services.credit.customers import rules as customers
from services.credit.customers.rules import Address, Contact, ParentRefused, Particulars
from services.credit.limit_requests import rules as approving
from services.credit.limit_requests.rules import Approval, LimitRequest, Wanted
from shared.errors import Conflict, NotFound, PreconditionFailed, Refused
from shared.money import Money

Status = Literal["draft", "submitted", "in_vetting", "approved", "declined", "withdrawn", "accepted"]
OPEN: tuple[Status, ...] = ("draft", "submitted", "in_vetting", "approved")
VERSIONS_MAX = 1_000
"""Whoever has the link may save as often as that; no person comes near it."""


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


class Terms(Part):
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
    """`link_generation` counts how often the links were recalled, and with that whose links still open the applicant's
    page; `link_until` is the last day of the newest."""

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
    check_year(form, now.date())
    return Application(id=application_id, version=1, status="draft", form=form, made_at=now, made_by=by)


def change(application: Application, wanted: Form, today: date) -> Application:
    """Take over what is set in `wanted` and leave the rest. Raises WrongState once it is submitted, TooManyChanges, and
    Refused for a company that will be founded."""
    expect(application, "draft")
    if application.version >= VERSIONS_MAX:
        raise TooManyChanges("Ask for a new link, or have somebody fill it in for you.")
    check_year(wanted, today)
    form = application.form.model_copy(update={name: getattr(wanted, name) for name in wanted.model_fields_set})
    if form == application.form:
        return application
    return replace(application, version=application.version + 1, form=form)


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
    """One more link; those given out before hold until their own last day."""
    expect(application, *OPEN)
    return replace(application, version=application.version + 1, link_until=until)


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
        prepaid_percent=terms.prepaid_percent,
        deposit=terms.deposit if terms.deposit and terms.deposit.minor else None,
        terms_source="agreed",
    )


def _moved(application: Application, status: Status, **values: Any) -> Application:
    return replace(application, version=application.version + 1, status=status, **values)
