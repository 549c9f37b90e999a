"""Take applications: filled in piece by piece, submitted whole, vetted, and decided by the persons that the policy asks
for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.credit.application_forms.rules import Form, legal_id
from services.credit.applications import rules, store
from services.credit.applications.rules import Application, ApplicationNotFound, DuplicatesSuspected, Terms
from services.credit.assessments import handlers as assessments
from services.credit.assessments.handlers import AssessCustomer
from services.credit.assessments.rules import Assessment
from services.credit.customers import handlers as customers
from services.credit.customers.handlers import OnboardCustomer
from services.credit.customers.rules import Customer, ParentRefused
from services.credit.duplicates import handlers as duplicates
from services.credit.duplicates.rules import Suspect
from services.credit.limits import handlers as limits
from services.credit.recommendations.rules import Recommendation, nothing_to_go_by, recommend
from services.credit.vetting import handlers as vetting
from services.credit.vetting.handlers import AddInput
from services.credit.vetting.rules import FinancialStatement, Foundation, Inquiry
from shared.calendar import local_date
from shared.db import Tx
from shared.errors import Refused
from shared.ids import new_id
from shared.money import Money

SOURCE = "the application"


@dataclass(frozen=True, slots=True)
class ChangeApplication:
    """`wanted` sets what it names and leaves the rest. `expected_version` None: whatever it is now, as for a customer
    who fills in one step after the other."""

    application_id: UUID
    wanted: Form
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class ProposeTerms:
    """`despite_duplicates`: who proposes has looked at the suspects, and it is another company."""

    application_id: UUID
    terms: Terms
    reason: str
    by: str
    despite_duplicates: bool = False


@dataclass(frozen=True, slots=True)
class Vetted:
    """How far an applicant has been vetted: its newest assessment, and what that recommends."""

    assessment: Assessment | None
    recommendation: Recommendation


async def open_application(tx: Tx, wanted: Form, by: str) -> Application:
    """Raises Refused, ParentRefused."""
    application = rules.begin(new_id(), wanted, by, tx.now)
    await _check_parent(tx, application)
    await store.add(tx, application)
    return application


async def change_application(tx: Tx, command: ChangeApplication) -> Application:
    """Raises ApplicationNotFound, PreconditionFailed, WrongState, TooManyChanges, Refused, ParentRefused."""
    before = await lock_application(tx, command.application_id)
    if command.expected_version is not None:
        rules.expect_version(before, command.expected_version)
    application = rules.change(before, command.wanted, local_date(tx.now, "UTC"))
    if application.form.parent_id != before.form.parent_id:
        await _check_parent(tx, application)
    if application != before:
        await store.save(tx, application)
    return application


async def _check_parent(tx: Tx, application: Application) -> None:
    """One at a time, so that two changes together make no circle that neither makes alone."""
    if parent_id := application.form.parent_id:
        rules.check_parent(application.id, parent_id, await store.ancestors(tx, parent_id))


async def submit_application(tx: Tx, application_id: UUID, by: str) -> tuple[Application, list[Suspect]]:
    """With whoever may be the same company. Raises ApplicationNotFound, WrongState, Incomplete, Refused."""
    application = rules.submit(await lock_application(tx, application_id), by, tx.now)
    await store.save(tx, application)
    return application, await duplicates.suspect_duplicates(tx, application_id)


async def return_application(tx: Tx, application_id: UUID) -> Application:
    """Have it put right by whoever fills it in. Raises ApplicationNotFound, WrongState."""
    application = rules.return_to_draft(await lock_application(tx, application_id))
    await store.save(tx, application)
    return application


async def vet_applicant(tx: Tx, application_id: UUID, by: str) -> Application:
    """From now on what is learned of it stands under the application's id, as a customer's does under the customer's.
    The year of foundation is the first of it. Raises ApplicationNotFound, WrongState."""
    application = rules.start_vetting(await lock_application(tx, application_id))
    await store.save(tx, application)
    form = application.form
    assert form.country
    assert form.founded_year
    await vetting.admit(tx, application_id, form.country, form.segment)
    founded_on = date(form.founded_year, 12, 31) if form.founded_year < tx.now.year else local_date(tx.now, "UTC")
    foundation = Foundation(kind="foundation", founded_on=founded_on)
    today = local_date(tx.now, "UTC")
    await vetting.add_input(tx, AddInput(application_id, SOURCE, today, None, foundation, by))
    return application


async def ask_bureau(tx: Tx, application_id: UUID, by: str) -> Inquiry:
    """By the number that the company stands in its register with. Raises ApplicationNotFound, WrongState, Refused."""
    application = await lock_application(tx, application_id)
    rules.expect(application, "in_vetting")
    number = legal_id(application.form)
    if number is None:
        raise Refused("There is no number to ask the bureau by.", field="/identifiers")
    return await vetting.ask_bureau(tx, application_id, number, by)


async def assess_applicant(tx: Tx, application_id: UUID, scorecard: str | None, by: str) -> Assessment:
    """By all that is known of it now. Raises ApplicationNotFound, WrongState, ScorecardNotFound."""
    rules.expect(await lock_application(tx, application_id), "in_vetting")
    return await assessments.assess_customer(tx, AssessCustomer(application_id, scorecard, by))


async def vetted(tx: Tx, application: Application) -> Vetted:
    """What the newest assessment recommends, by the formula for customers."""
    form = application.form
    if form.currency is None:
        return Vetted(None, nothing_to_go_by(Money.zero("EUR"), "never_assessed"))
    policy = (await limits.policy_in_force(tx)).policy
    by_policy = policy.limit_for(form.segment, form.currency) or Money.zero(form.currency)
    found = await assessments.list_assessments(tx, application.id, None, 1)
    if not found:
        return Vetted(None, nothing_to_go_by(by_policy, "never_assessed"))
    newest = found[0]
    if newest.result.valid_until < local_date(tx.now, "UTC"):
        return Vetted(newest, nothing_to_go_by(by_policy, "assessment_expired"))
    statements = [each.particulars for each in newest.material.inputs]
    net_worth = next((each.equity for each in statements if isinstance(each, FinancialStatement)), None)
    risk_class = newest.result.score.risk_class
    return Vetted(newest, recommend(risk_class, policy.rules.classes[risk_class], by_policy, net_worth, None))


async def propose_terms(tx: Tx, command: ProposeTerms) -> Application:
    """Where the policy has nobody else approve such a limit, they are approved with this. Raises ApplicationNotFound,
    WrongState, Refused, DuplicatesSuspected."""
    application = await lock_application(tx, command.application_id)
    rules.expect(application, "in_vetting")
    if not command.despite_duplicates and (found := await duplicates.suspect_duplicates(tx, application.id)):
        raise DuplicatesSuspected(
            f"{len(found)} may be the same company, {found[0].company.name} first; look, then propose in spite of it.",
            suspects=[{"id": str(each.company.id), "reasons": each.reasons} for each in found],
        )
    policy = (await limits.policy_in_force(tx)).policy.rules
    needed = policy.approvers_for(command.terms.limit)
    application = rules.propose(application, command.terms, command.reason, command.by, tx.now, needed)
    await store.save(tx, application)
    return application


async def approve_application(tx: Tx, application_id: UUID, by: str) -> Application:
    """Raises ApplicationNotFound, WrongState, ApprovalRefused."""
    application = rules.approve(await lock_application(tx, application_id), by, tx.now)
    await store.save(tx, application)
    return application


async def decline_application(tx: Tx, application_id: UUID, by: str, reason: str) -> Application:
    """Raises ApplicationNotFound, WrongState."""
    application = rules.decline(await lock_application(tx, application_id), by, tx.now, reason)
    await store.save(tx, application)
    return application


async def withdraw_application(tx: Tx, application_id: UUID, by: str, reason: str) -> Application:
    """Raises ApplicationNotFound, WrongState."""
    application = rules.withdraw(await lock_application(tx, application_id), by, tx.now, reason)
    await store.save(tx, application)
    return application


async def onboard_applicant(tx: Tx, application: Application, external_id: str) -> tuple[Application, Customer]:
    """Make a customer of a locked application whose terms were accepted: what was learned of it comes along, its limit
    is the one agreed, and its credit file begins where it was assessed. Raises WrongState, DuplicateExternalId,
    ParentRefused."""
    rules.expect(application, "approved")
    assert application.proposal
    terms, today = application.proposal.terms, local_date(tx.now, "UTC")
    particulars = rules.particulars(application.form, terms, await _parent(tx, application))
    customer = await customers.onboard_customer(tx, OnboardCustomer(external_id, particulars, today))
    await limits.put_limit(tx, customer.id, terms.limit, rules.why_this_limit(application), None, today)
    await vetting.move(tx, application.id, customer.id)
    if assessed := await assessments.list_assessments(tx, application.id, None, 1):
        newest = assessed[0]
        await assessments.assess_customer(tx, AssessCustomer(customer.id, newest.scorecard, newest.assessed_by))
    application = rules.accept(application, customer.id)
    await store.save(tx, application)
    return application, customer


async def _parent(tx: Tx, application: Application) -> UUID | None:
    """The customer it belongs to; a parent that was an application itself has to be one by now."""
    parent_id = application.form.parent_id
    parent = await store.read(tx, parent_id) if parent_id else None
    if parent is None:
        return parent_id
    if parent.customer_id is None:
        raise ParentRefused(
            f"the application of {parent.name}, the parent company, has to be accepted first", field="/parent_id"
        )
    return parent.customer_id


async def save_application(tx: Tx, application: Application) -> None:
    """One that the caller has locked and changed by a rule."""
    await store.save(tx, application)


async def lock_application(tx: Tx, application_id: UUID) -> Application:
    """Raises ApplicationNotFound."""
    application = await store.lock(tx, application_id)
    if application is None:
        raise ApplicationNotFound(application_id)
    return application


async def get_application(tx: Tx, application_id: UUID) -> Application:
    """Raises ApplicationNotFound."""
    application = await store.read(tx, application_id)
    if application is None:
        raise ApplicationNotFound(application_id)
    return application


async def list_applications(
    tx: Tx, statuses: Sequence[rules.Status], after: UUID | None, count_max: int
) -> list[Application]:
    """In the order in which they were begun."""
    return await store.page(tx, statuses, after, count_max)
