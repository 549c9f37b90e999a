"""Applications over HTTP: begin, fill in, submit, vet, propose terms, approve or decline."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from services.credit.application_forms.rules import Form, missing
from services.credit.applications import handlers
from services.credit.applications.handlers import ChangeApplication, ProposeTerms, Vetted
from services.credit.applications.rules import OPEN, Application, Status, Terms
from services.credit.duplicates.rules import Likeness
from services.credit.recommendations.rules import Reason
from services.credit.vetting.rules import NoBureau
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["applications"])

READ, WRITE = scope("customers:read"), scope("customers:write")
Text = Annotated[str, Field(min_length=1, max_length=400)]


class ReasonIn(Body):
    reason: Text


class ProposeIn(Body):
    """`despite_duplicates`: you looked at who may be the same company, and it is another one."""

    terms: Terms
    reason: Text
    despite_duplicates: bool = False


class AssessIn(Body):
    scorecard: Annotated[str, Field(min_length=1, max_length=64)] | None = None


class MissingOut(BaseModel):
    """What has to be there before it can be submitted, and where."""

    field: str
    detail: str


class ApprovalOut(BaseModel):
    by: str
    at: datetime


class ProposalOut(BaseModel):
    terms: Terms
    reason: str
    by: str
    at: datetime
    approvers_needed: int
    approvals: tuple[ApprovalOut, ...]


class DecidedOut(BaseModel):
    by: str
    at: datetime
    reason: str


class ApplicationLine(BaseModel):
    """An application in a list."""

    id: UUID
    version: int
    status: Status
    legal_name: str | None
    country: str | None
    wanted_limit: Money | None
    made_at: datetime
    made_by: str
    submitted_at: datetime | None
    approvals_wanted: int
    customer_id: UUID | None

    @classmethod
    def of(cls, application: Application) -> "ApplicationLine":
        form, proposal = application.form, application.proposal
        waits = proposal if application.status == "in_vetting" else None
        return cls(
            id=application.id,
            version=application.version,
            status=application.status,
            legal_name=form.legal_name,
            country=form.country,
            wanted_limit=form.wanted_limit,
            made_at=application.made_at,
            made_by=application.made_by,
            submitted_at=application.submitted_at,
            approvals_wanted=waits.approvers_needed - len(waits.approvals) if waits else 0,
            customer_id=application.customer_id,
        )


class ApplicationOut(BaseModel):
    """`link_until` is the last day of the link that is out; `customer_id` who it is since the terms were accepted."""

    id: UUID
    version: int
    status: Status
    form: Form
    missing: list[MissingOut]
    made_at: datetime
    made_by: str
    submitted_at: datetime | None
    submitted_by: str | None
    proposal: ProposalOut | None
    decided: DecidedOut | None
    link_until: date | None
    customer_id: UUID | None

    @classmethod
    def of(cls, application: Application) -> "ApplicationOut":
        proposal, decided = application.proposal, application.decided
        plain = {name: getattr(application, name) for name in _PLAIN}
        return cls(
            **plain,
            missing=[MissingOut(field=each.field, detail=each.detail) for each in missing(application.form)],
            proposal=ProposalOut(
                terms=proposal.terms,
                reason=proposal.reason,
                by=proposal.by,
                at=proposal.at,
                approvers_needed=proposal.approvers_needed,
                approvals=tuple(ApprovalOut(by=each.by, at=each.at) for each in proposal.approvals),
            )
            if proposal
            else None,
            decided=DecidedOut(by=decided.by, at=decided.at, reason=decided.reason) if decided else None,
        )


_PLAIN = (
    *("id", "version", "status", "form", "made_at", "made_by", "submitted_at", "submitted_by"),
    *("link_until", "customer_id"),
)


class SuspectOut(BaseModel):
    id: UUID
    name: str
    reasons: tuple[Likeness, ...]


class SubmittedOut(ApplicationOut):
    """`duplicates` may be the same company."""

    duplicates: list[SuspectOut]


class VettedOut(BaseModel):
    """`recommended_limit`, `net_days_max` and `deposit` are those of the risk class, by the policy's formula."""

    assessment_id: UUID | None
    risk_class: str | None
    score: int | None
    recommended_limit: Money | None
    net_days_max: int | None
    prepaid_percent: int | None
    deposit: Money | None
    policy_limit: Money
    reasons: tuple[Reason, ...]

    @classmethod
    def of(cls, vetted: Vetted) -> "VettedOut":
        advice, score = vetted.recommendation, vetted.assessment.result.score if vetted.assessment else None
        return cls(
            assessment_id=vetted.assessment.id if vetted.assessment else None,
            risk_class=score.risk_class if score else None,
            score=score.score if score else None,
            recommended_limit=advice.limit,
            net_days_max=advice.terms.net_days_max if advice.terms else None,
            prepaid_percent=advice.terms.prepaid_percent if advice.terms else None,
            deposit=advice.deposit,
            policy_limit=advice.policy_limit,
            reasons=advice.reasons,
        )


class AskedOut(BaseModel):
    """Look at `/v1/bureau-inquiries/{id}` for what became of it."""

    id: UUID
    legal_id: str


@router.post("/applications", status_code=201, response_model=ApplicationOut, dependencies=[WRITE])
async def open_application(body: Form, once: Once, principal: PrincipalDep) -> Response:
    """Begin an application with whatever is known of the company; `missing` names the rest."""
    async with once as tx:
        application = await handlers.open_application(tx, body, principal.subject)
        location = f"/v1/applications/{application.id}"
        return once.answer(201, ApplicationOut.of(application), etag=application.version, location=location)


@router.get("/applications", response_model=Page[ApplicationLine], dependencies=[READ])
async def list_applications(
    database: DatabaseDep, page: PageParams, status: Annotated[list[Status] | None, Query()] = None
) -> Page[ApplicationLine]:
    """In the order in which they were begun; those that are under way, unless others are asked for."""
    after = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_applications(tx, status or OPEN, after, page.limit + 1)
    shown, more = page.cut(found, lambda application: [application.id])
    return Page[ApplicationLine](items=[ApplicationLine.of(each) for each in shown], next_cursor=more)


@router.get("/applications/{application_id}", response_model=ApplicationOut, dependencies=[READ])
async def show_application(application_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        application = await handlers.get_application(tx, application_id)
    return respond(ApplicationOut.of(application), etag=application.version)


@router.patch("/applications/{application_id}", response_model=ApplicationOut, dependencies=[WRITE])
async def change_application(application_id: UUID, body: Form, version: IfMatch, database: DatabaseDep) -> Response:
    """Fill in what is sent and leave the rest, while it is a draft; lists and parts replace what was there."""
    async with transaction(database) as tx:
        application = await handlers.change_application(tx, ChangeApplication(application_id, body, version))
    return respond(ApplicationOut.of(application), etag=application.version)


@router.post("/applications/{application_id}/submission", response_model=SubmittedOut, dependencies=[WRITE])
async def submit_application(application_id: UUID, once: Once, principal: PrincipalDep) -> Response:
    """Submit it whole: refused with everything that is missing. Answers with who may be the same company."""
    async with once as tx:
        application, found = await handlers.submit_application(tx, application_id, principal.subject)
        suspects = [SuspectOut(id=each.company.id, name=each.company.name, reasons=each.reasons) for each in found]
        out = SubmittedOut(**ApplicationOut.of(application).model_dump(), duplicates=suspects)
        return once.answer(200, out, etag=application.version)


@router.post("/applications/{application_id}/return", response_model=ApplicationOut, dependencies=[WRITE])
async def return_application(application_id: UUID, once: Once) -> Response:
    """Make it a draft again, to be put right; what was proposed is void."""
    async with once as tx:
        application = await handlers.return_application(tx, application_id)
        return once.answer(200, ApplicationOut.of(application), etag=application.version)


@router.post(
    "/applications/{application_id}/vetting", response_model=ApplicationOut, dependencies=[scope("credit:write")]
)
async def vet_applicant(application_id: UUID, once: Once, principal: PrincipalDep) -> Response:
    """Begin to vet it. From now on inputs can be added under its id as under a customer's:
    `POST /v1/customers/{application_id}/vetting-inputs`, and `POST /v1/vetting-imports` once it is a customer."""
    async with once as tx:
        application = await handlers.vet_applicant(tx, application_id, principal.subject)
        return once.answer(200, ApplicationOut.of(application), etag=application.version)


@router.get("/applications/{application_id}/vetting", response_model=VettedOut, dependencies=[scope("credit:read")])
async def show_vetting(application_id: UUID, database: DatabaseDep) -> VettedOut:
    """The newest assessment, and the limit and terms that it recommends."""
    async with reading(database) as tx:
        application = await handlers.get_application(tx, application_id)
        return VettedOut.of(await handlers.vetted(tx, application))


@router.post(
    "/applications/{application_id}/bureau-inquiries",
    status_code=202,
    response_model=AskedOut,
    dependencies=[scope("credit:write")],
)
async def ask_bureau_about_applicant(
    application_id: UUID, once: Once, principal: PrincipalDep, request: Request
) -> Response:
    """Have the worker ask the credit bureau, by the number the company is registered with."""
    if not request.app.state.has_bureau:
        raise NoBureau("BUREAU_URL is not set; add the report as a vetting input.")
    async with once as tx:
        inquiry = await handlers.ask_bureau(tx, application_id, principal.subject)
        out = AskedOut(id=inquiry.id, legal_id=inquiry.legal_id)
        return once.answer(202, out, location=f"/v1/bureau-inquiries/{inquiry.id}")


@router.post(
    "/applications/{application_id}/assessments",
    status_code=201,
    response_model=VettedOut,
    dependencies=[scope("credit:write")],
)
async def assess_applicant(application_id: UUID, body: AssessIn, once: Once, principal: PrincipalDep) -> Response:
    """Score all that is known of the applicant. Nobody else is told of it until it is a customer."""
    async with once as tx:
        made = await handlers.assess_applicant(tx, application_id, body.scorecard, principal.subject)
        application = await handlers.get_application(tx, application_id)
        out = VettedOut.of(await handlers.vetted(tx, application))
        return once.answer(201, out, location=f"/v1/assessments/{made.id}")


@router.post(
    "/applications/{application_id}/proposal", response_model=ApplicationOut, dependencies=[scope("credit:write")]
)
async def propose_terms(application_id: UUID, body: ProposeIn, once: Once, principal: PrincipalDep) -> Response:
    """Propose limit and terms. As many others approve them as the policy wants for such a limit; where it wants nobody,
    they are approved with this. Proposed again, the approvals so far are void."""
    async with once as tx:
        command = ProposeTerms(
            application_id, body.terms, body.reason, principal.subject, despite_duplicates=body.despite_duplicates
        )
        application = await handlers.propose_terms(tx, command)
        return once.answer(200, ApplicationOut.of(application), etag=application.version)


@router.post(
    "/applications/{application_id}/approvals", response_model=ApplicationOut, dependencies=[scope("credit:approve")]
)
async def approve_application(application_id: UUID, once: Once, principal: PrincipalDep) -> Response:
    """One approval; never by who proposed the terms, and nobody's twice."""
    async with once as tx:
        application = await handlers.approve_application(tx, application_id, principal.subject)
        return once.answer(200, ApplicationOut.of(application), etag=application.version)


@router.post(
    "/applications/{application_id}/refusal", response_model=ApplicationOut, dependencies=[scope("credit:write")]
)
async def decline_application(application_id: UUID, body: ReasonIn, once: Once, principal: PrincipalDep) -> Response:
    """The company does not become a customer."""
    async with once as tx:
        application = await handlers.decline_application(tx, application_id, principal.subject, body.reason)
        return once.answer(200, ApplicationOut.of(application), etag=application.version)


@router.post("/applications/{application_id}/withdrawal", response_model=ApplicationOut, dependencies=[WRITE])
async def withdraw_application(application_id: UUID, body: ReasonIn, once: Once, principal: PrincipalDep) -> Response:
    """The company does not want to be a customer any more."""
    async with once as tx:
        application = await handlers.withdraw_application(tx, application_id, principal.subject, body.reason)
        return once.answer(200, ApplicationOut.of(application), etag=application.version)
