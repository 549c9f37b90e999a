"""Rules for segments over HTTP: read, check, publish a new version, and the schema of the document."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from services.credit.segmentations import handlers, rules
from services.credit.segmentations.handlers import PublishSegmentation, Version
from services.credit.segmentations.rules import InvalidSegmentation, Published, Segmentation
from shared.db import reading, transaction
from shared.documents import Fault
from shared.http.dependencies import DatabaseDep, IfMatch, PageParams, PrincipalDep
from shared.http.models import Page
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["segments"])


class SegmentationOut(BaseModel):
    """`document` is what was published, comments included; `segmentation` is what it says."""

    version: int
    published_at: datetime
    published_by: str
    segmentation: Segmentation
    document: str

    @classmethod
    def of(cls, published: Published) -> "SegmentationOut":
        return cls.model_validate(published, from_attributes=True)


class SegmentationFault(BaseModel):
    """A fault of a document: its line (from 1), the JSON pointer of the field, and why."""

    line: int
    pointer: str
    detail: str


class SegmentationCheck(BaseModel):
    publishable: bool
    faults: tuple[SegmentationFault, ...]


class SegmentationVersion(BaseModel):
    """`changes` are against the version before it, a sentence each; none for the first, and where only comments or the
    layout differ."""

    version: int
    published_at: datetime
    published_by: str
    active: bool
    changes: tuple[str, ...]

    @classmethod
    def of(cls, version: Version) -> "SegmentationVersion":
        made = version.published
        return cls(
            version=made.version,
            published_at=made.published_at,
            published_by=made.published_by,
            active=made.segmentation.active,
            changes=version.changes,
        )


_DOCUMENT = {
    "requestBody": {
        "required": True,
        "description": "The whole document, as YAML or JSON; its schema is `GET /v1/segmentation-schema`",
        "content": {
            "application/yaml": {"schema": {"type": "string"}},
            "application/json": {"schema": {"type": "object"}},
        },
    }
}


@router.get("/segmentation-schema", dependencies=[scope("credit:read")])
async def segmentation_schema() -> dict[str, Any]:
    """The JSON Schema of rules for segments, for editors."""
    return rules.json_schema()


@router.get("/segmentation", response_model=SegmentationOut, dependencies=[scope("credit:read")])
async def find_segmentation(
    database: DatabaseDep, version: Annotated[int | None, Query(ge=1, le=2**31)] = None
) -> Response:
    """The newest version, or an earlier one; none come with the service."""
    async with reading(database) as tx:
        found = await handlers.find_segmentation(tx, version)
    return respond(SegmentationOut.of(found), etag=found.version)


@router.put(
    "/segmentation", response_model=SegmentationOut, dependencies=[scope("credit:write")], openapi_extra=_DOCUMENT
)
async def publish_segmentation(
    request: Request, version: IfMatch, database: DatabaseDep, caller: PrincipalDep
) -> Response:
    """Publish the next version, the first with `If-None-Match: *`. Unless it says `active: false`, everybody who is not
    pinned is in its segments within moments. Faults come with line and reason."""
    document = await _text(request)
    async with transaction(database) as tx:
        published = await handlers.publish_segmentation(tx, PublishSegmentation(document, version, caller.subject))
    return respond(SegmentationOut.of(published), status=201 if published.version == 1 else 200, etag=published.version)


@router.get("/segmentation/versions", response_model=Page[SegmentationVersion], dependencies=[scope("credit:read")])
async def list_versions(database: DatabaseDep, page: PageParams) -> Page[SegmentationVersion]:
    """Every version there was, the newest first: who published it when, and what it changed."""
    before = int(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_versions(tx, before, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.published.version])
    return Page[SegmentationVersion](items=[*map(SegmentationVersion.of, shown)], next_cursor=more)


@router.post(
    "/segmentation/checks",
    response_model=SegmentationCheck,
    dependencies=[scope("credit:read")],
    openapi_extra=_DOCUMENT,
)
async def check_segmentation(request: Request) -> Response:
    """What publishing this document would say, without publishing it."""
    try:
        rules.parse(await _text(request))
    except InvalidSegmentation as invalid:
        faults = tuple(SegmentationFault(line=f.line, pointer=f"#{f.pointer}", detail=f.detail) for f in invalid.faults)
        return respond(SegmentationCheck(publishable=False, faults=faults))
    return respond(SegmentationCheck(publishable=True, faults=()))


async def _text(request: Request) -> str:
    try:
        return (await request.body()).decode()
    except UnicodeDecodeError as fault:
        raise InvalidSegmentation([Fault(1, "", f"not UTF-8: {fault.reason}")]) from None
