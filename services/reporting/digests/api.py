"""Weekly digests for account teams over HTTP."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.reporting.digests import handlers
from services.reporting.digests.handlers import SetDigest
from services.reporting.digests.rules import Accounts, Digest
from services.reporting.notices.rules import text_of
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch, Once, PageParams, PrincipalDep, ResourcesDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.mail_address import MailAddress

router = APIRouter(tags=["digests"])

Text = Annotated[str, Field(min_length=1, max_length=120)]
Recipients = Annotated[tuple[MailAddress, ...], Field(min_length=1, max_length=20)]
Weekday = Annotated[int, Field(ge=1, le=7, description="Monday is 1")]
Hour = Annotated[int, Field(ge=0, le=23, description="UTC")]


class AccountsIn(Body):
    """Customers to whom everything that is given applies."""

    collector: Text | None = Field(default=None, description="Who has their newest task")
    segment: Text | None = None
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None
    customer_ids: Annotated[tuple[UUID, ...], Field(max_length=500)] = ()

    def read(self) -> Accounts:
        return Accounts(self.collector, self.segment, self.country, self.customer_ids)


class DigestIn(Body):
    name: Text
    recipients: Recipients
    accounts: AccountsIn
    weekday: Weekday = 1
    hour: Hour = 6


class DigestPatch(Body):
    name: Text | None = None
    recipients: Recipients | None = None
    accounts: AccountsIn | None = None
    weekday: Weekday | None = None
    hour: Hour | None = None
    active: bool | None = None


class AccountsOut(BaseModel):
    collector: str | None
    segment: str | None
    country: str | None
    customer_ids: list[UUID]


class DigestOut(BaseModel):
    id: UUID
    version: int
    name: str
    recipients: list[str]
    accounts: AccountsOut
    weekday: int
    hour: int
    active: bool
    created_by: str
    created_at: datetime
    next_due_at: datetime
    made_on: date | None

    @classmethod
    def of(cls, digest: Digest) -> "DigestOut":
        return cls.model_validate(digest, from_attributes=True)


class PreviewOut(BaseModel):
    """What would be sent now; both null where there is nothing to tell."""

    subject: str | None
    text: str | None


@router.post("/digests", status_code=201, response_model=DigestOut, dependencies=[scope("reports:write")])
async def add_digest(body: DigestIn, once: Once, principal: PrincipalDep) -> Response:
    """Send an account team a mail each week: what its customers owe, and what has changed."""
    command = SetDigest(
        name=body.name,
        recipients=body.recipients,
        accounts=body.accounts.read(),
        weekday=body.weekday,
        hour=body.hour,
        by=principal.subject,
    )
    async with once as tx:
        digest = await handlers.add_digest(tx, command)
        location = f"/v1/digests/{digest.id}"
        return once.answer(201, DigestOut.of(digest), etag=digest.version, location=location)


@router.get("/digests", response_model=Page[DigestOut], dependencies=[scope("reports:read")])
async def list_digests(database: DatabaseDep, page: PageParams) -> Page[DigestOut]:
    """In the order in which they were made."""
    async with reading(database) as tx:
        found = await handlers.list_digests(tx, page.after_id, page.limit + 1)
    shown, more = page.cut(found, lambda digest: [str(digest.id)])
    return Page[DigestOut](items=[DigestOut.of(digest) for digest in shown], next_cursor=more)


@router.get("/digests/{digest_id}", response_model=DigestOut, dependencies=[scope("reports:read")])
async def show_digest(digest_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        digest = await handlers.find_digest(tx, digest_id)
    return respond(DigestOut.of(digest), etag=digest.version)


@router.get("/digests/{digest_id}/preview", response_model=PreviewOut, dependencies=[scope("reports:read")])
async def preview_digest(digest_id: UUID, database: DatabaseDep, resources: ResourcesDep) -> PreviewOut:
    """What its team would read if it were sent now."""
    async with reading(database) as tx:
        digest = await handlers.find_digest(tx, digest_id)
        content = await handlers.write_digest(tx, digest, resources.address)
    return PreviewOut(subject=content.title if content else None, text=text_of(content) if content else None)


@router.patch("/digests/{digest_id}", response_model=DigestOut, dependencies=[scope("reports:write")])
async def change_digest(digest_id: UUID, body: DigestPatch, version: IfMatch, database: DatabaseDep) -> Response:
    """Change who gets it, which accounts it tells of, and when; or switch it off and on."""
    changes = body.given()
    if body.accounts:
        changes["accounts"] = body.accounts.read()
    async with transaction(database) as tx:
        digest = await handlers.change_digest(tx, digest_id, version, changes)
    return respond(DigestOut.of(digest), etag=digest.version)


@router.delete("/digests/{digest_id}", status_code=204, dependencies=[scope("reports:write")])
async def remove_digest(digest_id: UUID, version: IfMatch, database: DatabaseDep) -> Response:
    """Nobody gets it any more."""
    async with transaction(database) as tx:
        await handlers.remove_digest(tx, digest_id, version)
    return Response(status_code=204)
