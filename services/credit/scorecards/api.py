"""Scorecards over HTTP: read, check, publish a new version, and the schema of the document."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from services.credit.scorecards import handlers, rules
from services.credit.scorecards.handlers import PublishScorecard
from services.credit.scorecards.rules import InvalidScorecard, Published, Scorecard
from shared.db import reading, transaction
from shared.documents import Fault
from shared.http.dependencies import DatabaseDep, IfMatch, PrincipalDep
from shared.http.models import Page
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["scorecards"])


class ScorecardOut(BaseModel):
    """`document` is what was published, comments included; `scorecard` is what it says."""

    name: str
    version: int
    published_at: datetime | None
    published_by: str | None
    scorecard: Scorecard
    document: str

    @classmethod
    def of(cls, published: Published) -> "ScorecardOut":
        return cls(
            name=published.scorecard.name,
            version=published.version,
            published_at=published.published_at,
            published_by=published.published_by,
            scorecard=published.scorecard,
            document=published.document,
        )


class RemarkOut(BaseModel):
    """A fault of a document: its line (from 1), the JSON pointer of the field, and why."""

    line: int
    pointer: str
    detail: str


class CheckOut(BaseModel):
    publishable: bool
    faults: tuple[RemarkOut, ...]


_DOCUMENT = {
    "requestBody": {
        "required": True,
        "description": "The whole document, as YAML or JSON; its schema is `GET /v1/scorecard-schema`",
        "content": {
            "application/yaml": {"schema": {"type": "string"}},
            "application/json": {"schema": {"type": "object"}},
        },
    }
}


@router.get("/scorecards", response_model=Page[ScorecardOut], dependencies=[scope("credit:read")])
async def list_scorecards(database: DatabaseDep) -> Response:
    """The newest version of every scorecard."""
    async with reading(database) as tx:
        found = await handlers.list_scorecards(tx)
    return respond(Page[ScorecardOut](items=[ScorecardOut.of(published) for published in found]))


@router.get("/scorecard-schema", dependencies=[scope("credit:read")])
async def scorecard_schema() -> dict[str, Any]:
    """The JSON Schema of a scorecard document, for editors."""
    return rules.json_schema()


@router.get("/scorecards/{name}", response_model=ScorecardOut, dependencies=[scope("credit:read")])
async def find_scorecard(
    name: str, database: DatabaseDep, version: Annotated[int | None, Query(ge=1, le=2**31)] = None
) -> Response:
    """The newest version, or an earlier one: versions are kept for ever, since assessments rest on them."""
    async with reading(database) as tx:
        found = await handlers.find_scorecard(tx, name, version)
    return respond(ScorecardOut.of(found), etag=found.version)


@router.put(
    "/scorecards/{name}", response_model=ScorecardOut, dependencies=[scope("credit:write")], openapi_extra=_DOCUMENT
)
async def publish_scorecard(
    name: str, request: Request, version: IfMatch, database: DatabaseDep, caller: PrincipalDep
) -> Response:
    """Publish the next version; a new scorecard is published with `If-None-Match: *`. Faults come with line and reason.

    Assessments from now on go by it; those that were made keep their version."""
    document = await _document(request)
    async with transaction(database) as tx:
        published = await handlers.publish_scorecard(tx, PublishScorecard(name, document, version, caller.subject))
    return respond(ScorecardOut.of(published), status=201 if published.version == 1 else 200, etag=published.version)


@router.post(
    "/scorecards/{name}/checks",
    response_model=CheckOut,
    dependencies=[scope("credit:read")],
    openapi_extra=_DOCUMENT,
)
async def check_scorecard(name: str, request: Request) -> Response:
    """What publishing this document would say, without publishing it."""
    try:
        rules.parse(await _document(request))
    except InvalidScorecard as invalid:
        faults = tuple(RemarkOut(line=f.line, pointer=f"#{f.pointer}", detail=f.detail) for f in invalid.faults)
        return respond(CheckOut(publishable=False, faults=faults))
    return respond(CheckOut(publishable=True, faults=()))


async def _document(request: Request) -> str:
    try:
        return (await request.body()).decode()
    except UnicodeDecodeError as fault:
        raise InvalidScorecard([Fault(1, "", f"not UTF-8: {fault.reason}")]) from None
