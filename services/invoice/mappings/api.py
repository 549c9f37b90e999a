"""Import profiles over HTTP: save how another system's files are read, and give out files to fill in."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel

from services.invoice.mappings import handlers, rules
from services.invoice.mappings.rules import Kind, Profile, Saved
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch, PageParams, PrincipalDep
from shared.http.models import Page
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["imports"])

Name = Annotated[str, Path(min_length=1, max_length=64, pattern="^[a-z0-9][a-z0-9_-]*$", examples=["erp-open-items"])]
Version = Annotated[int | None, Query(ge=1, description="Left out: the latest")]


class ProfileOut(BaseModel):
    name: str
    version: int
    profile: Profile
    saved_at: datetime
    saved_by: str

    @classmethod
    def of(cls, saved: Saved) -> "ProfileOut":
        return cls(
            name=saved.name,
            version=saved.version,
            profile=saved.profile,
            saved_at=saved.saved_at,
            saved_by=saved.saved_by,
        )


@router.put("/import-profiles/{name}", response_model=ProfileOut, dependencies=[scope("invoices:write")])
async def save(name: Name, body: Profile, version: IfMatch, principal: PrincipalDep, database: DatabaseDep) -> Response:
    """Save a profile, the first time with `If-None-Match: *`. Imports keep the version that they were read with."""
    async with transaction(database) as tx:
        saved = await handlers.save_profile(tx, name, body, version, principal.subject)
    return respond(ProfileOut.of(saved), status=201 if saved.version == 1 else 200, etag=saved.version)


@router.get("/import-profiles", response_model=Page[ProfileOut], dependencies=[scope("invoices:read")])
async def find_profiles(database: DatabaseDep, page: PageParams) -> Response:
    """The latest version of each profile."""
    after = page.after[0] if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_profiles(tx, after, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.name])
    return respond(Page[ProfileOut](items=[ProfileOut.of(each) for each in shown], next_cursor=more))


@router.get("/import-profiles/{name}", response_model=ProfileOut, dependencies=[scope("invoices:read")])
async def look_at_profile(
    name: Name, database: DatabaseDep, version: Version = None, kind: Kind = "invoices"
) -> Response:
    """A profile; `standard` is built in, one for each kind."""
    async with reading(database) as tx:
        saved = await handlers.get_profile(tx, name, version, kind)
    return respond(ProfileOut.of(saved), etag=saved.version)


@router.get(
    "/import-profiles/{name}/template.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    dependencies=[scope("invoices:read")],
)
async def fill_in(name: Name, database: DatabaseDep, version: Version = None, kind: Kind = "invoices") -> Response:
    """A file to fill in: the profile's headings, and one row of examples in its formats."""
    async with reading(database) as tx:
        saved = await handlers.get_profile(tx, name, version, kind)
    encoding = saved.profile.encoding
    codec = "utf-8-sig" if encoding in ("auto", "utf-8") else encoding  # With its mark, so that spreadsheets see it.
    headers = {"content-disposition": f'attachment; filename="{name}-{saved.profile.kind}.csv"'}
    return Response(rules.template(saved.profile).encode(codec, "replace"), 200, headers, "text/csv")
