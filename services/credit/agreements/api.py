"""Agreed terms over HTTP: invite, write the terms out, record their acceptance; and the mails about it."""

import asyncio
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, BaseModel, Field

from services.credit.agreements import handlers
from services.credit.agreements.handlers import AcceptTerms, WriteTerms
from services.credit.agreements.rules import Agreement, Seller, Through
from services.credit.application_forms.rules import Language, Line
from services.credit.applications.rules import Terms
from services.credit.customers.rules import one_line
from services.credit.onboarding_mails import handlers as onboarding_mails
from services.credit.onboarding_mails.rules import Kind, Mail, Status
from services.credit.sellers import handlers as sellers
from services.credit.sellers.rules import EntityId
from shared.db import Database, reading
from shared.http.dependencies import DatabaseDep, Once, PrincipalDep, ResourcesDep
from shared.http.models import Body
from shared.http.responses import document, respond
from shared.http.security import scope

router = APIRouter(tags=["applications"])

READ, WRITE = scope("customers:read"), scope("customers:write")


class InviteIn(Body):
    entity_id: EntityId | None = Field(
        default=None,
        description="In whose name: a selling entity of the invoice service; left out: as before, else the default one",
    )


class WriteTermsIn(InviteIn):
    external_id: Annotated[str, Field(min_length=1, max_length=128), AfterValidator(one_line)] | None = Field(
        default=None, description="Your number for the customer, made up where it is left out"
    )
    language: Language | None = Field(default=None, description="That of the application where it is left out")


class AcceptIn(Body):
    """`sha256` is of the document that the customer signed."""

    accepted_by: Line
    accepted_on: date
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class AgreementOut(BaseModel):
    """`accepted_by` is the person at the customer, `recorded_by` who put it down."""

    id: UUID
    version: int
    external_id: str
    language: str
    terms: Terms
    seller: str
    sha256: str
    made_at: datetime
    made_by: str
    accepted_on: date | None
    accepted_by: str | None
    accepted_through: Through | None
    recorded_at: datetime | None
    recorded_by: str | None

    @classmethod
    def of(cls, agreement: Agreement) -> "AgreementOut":
        accepted = agreement.accepted
        return cls(
            id=agreement.id,
            version=agreement.version,
            external_id=agreement.external_id,
            language=agreement.language,
            terms=agreement.terms,
            seller=agreement.seller.name,
            sha256=agreement.sha256,
            made_at=agreement.made_at,
            made_by=agreement.made_by,
            accepted_on=accepted.on if accepted else None,
            accepted_by=accepted.by if accepted else None,
            accepted_through=accepted.through if accepted else None,
            recorded_at=accepted.recorded_at if accepted else None,
            recorded_by=accepted.recorded_by if accepted else None,
        )


class AcceptedOut(AgreementOut):
    customer_id: UUID


class MailOut(BaseModel):
    """An `unknown` one may have arrived; it is never sent again unless somebody says so."""

    id: UUID
    kind: Kind
    recipient: str
    subject: str
    planned_at: datetime
    planned_by: str
    status: Status
    attempts: int
    ended_at: datetime | None
    reason: str | None

    @classmethod
    def of(cls, mail: Mail) -> "MailOut":
        return cls(**{name: getattr(mail, name) for name in cls.model_fields})


class MailsOut(BaseModel):
    items: list[MailOut]


@router.post(
    "/applications/{application_id}/invitations", status_code=202, response_model=MailOut, dependencies=[WRITE]
)
async def invite(
    application_id: UUID,
    body: InviteIn,
    once: Once,
    database: DatabaseDep,
    principal: PrincipalDep,
    resources: ResourcesDep,
    request: Request,
) -> Response:
    """Mail the applicant the link to fill the application in."""
    await once.check()
    seller = await _seller(database, resources, application_id, body)
    async with once as tx:
        links = request.app.state.application_links
        mail = await handlers.invite(tx, links, application_id, seller, principal.subject)
        return once.answer(202, MailOut.of(mail))


async def _seller(database: Database, resources: Any, application_id: UUID, body: InviteIn) -> Seller:
    """Raises SellerUnknown, Refused."""
    async with reading(database) as tx:
        before = await sellers.seller_of(tx, application_id)
    return await resources.sellers.find_seller(body.entity_id or before.entity_id)


@router.post("/applications/{application_id}/terms", status_code=201, response_model=AgreementOut, dependencies=[WRITE])
async def write_terms(
    application_id: UUID,
    body: WriteTermsIn,
    once: Once,
    database: DatabaseDep,
    principal: PrincipalDep,
    resources: ResourcesDep,
    request: Request,
) -> Response:
    """Write the approved terms out as a PDF and mail them with the link to accept them. Written anew, only the newest
    can be accepted."""
    await once.check()
    seller = await _seller(database, resources, application_id, body)
    command = WriteTerms(application_id, seller, body.external_id, body.language, principal.subject)
    async with reading(database) as tx:
        agreement, application = await handlers.draft_terms(tx, command)
    written = await asyncio.to_thread(handlers.typeset, agreement, application)
    async with once as tx:
        agreement = await handlers.send_terms(tx, request.app.state.application_links, written)
        return once.answer(201, AgreementOut.of(agreement), location=f"/v1/applications/{application_id}/terms")


@router.get("/applications/{application_id}/terms", response_model=AgreementOut, dependencies=[READ])
async def show_terms(application_id: UUID, database: DatabaseDep) -> Response:
    """The newest terms that were written out, and who accepted them."""
    async with reading(database) as tx:
        agreement = await handlers.get_agreement(tx, application_id)
    return respond(AgreementOut.of(agreement))


@router.get(
    "/applications/{application_id}/terms.pdf",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}},
    dependencies=[READ],
)
async def show_document(application_id: UUID, database: DatabaseDep) -> Response:
    """The very document that went out."""
    async with reading(database) as tx:
        agreement, pdf = await handlers.get_pdf(tx, application_id)
    return document(pdf, "application/pdf", f"terms-{agreement.external_id}.pdf")


@router.post("/applications/{application_id}/acceptance", response_model=AcceptedOut, dependencies=[WRITE])
async def accept_terms(application_id: UUID, body: AcceptIn, once: Once, principal: PrincipalDep) -> Response:
    """Record that the customer accepted on paper: it is onboarded and welcomed. On its page it does so itself."""
    async with once as tx:
        command = AcceptTerms(
            application_id, body.sha256, body.accepted_on, body.accepted_by, "staff", principal.subject
        )
        agreement, customer = await handlers.accept_terms(tx, command)
        out = AcceptedOut(**AgreementOut.of(agreement).model_dump(), customer_id=customer.id)
        return once.answer(200, out, location=f"/v1/customers/{customer.id}")


@router.get("/applications/{application_id}/mails", response_model=MailsOut, dependencies=[READ])
async def list_mails(application_id: UUID, database: DatabaseDep) -> MailsOut:
    """What was mailed to the applicant, and what became of it."""
    async with reading(database) as tx:
        return MailsOut(items=[MailOut.of(each) for each in await onboarding_mails.list_mails(tx, application_id)])


@router.post(
    "/applications/{application_id}/mails/{mail_id}/repeat",
    status_code=202,
    response_model=MailOut,
    dependencies=[WRITE],
)
async def repeat_mail(application_id: UUID, mail_id: UUID, once: Once, principal: PrincipalDep) -> Response:
    """Send a mail once more that was refused, or whose fate nobody knows."""
    async with once as tx:
        mail = await onboarding_mails.repeat_mail(tx, application_id, mail_id, principal.subject)
        return once.answer(202, MailOut.of(mail))
