"""Strategies over HTTP: read, check, publish a new version, and the schema of the document."""

from typing import Annotated, Any, Self

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from services.reminder.conditions.rules import Fits
from services.reminder.publishing import handlers
from services.reminder.publishing import rules as advice
from services.reminder.strategies import handlers as strategies
from services.reminder.strategies import rules
from services.reminder.strategies.handlers import PublishStrategy
from services.reminder.strategies.rules import CatchUp, Challenger, InvalidStrategy, Published, Step
from shared.db import reading, transaction
from shared.documents import Fault
from shared.http.dependencies import DatabaseDep, IfMatch
from shared.http.models import Page
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["strategies"])


class StrategyOut(BaseModel):
    """`document` is what was published, comments included; the other fields are what it says."""

    name: str
    version: int
    title: str
    description: str
    active: bool
    fits: Fits
    also_fits: tuple[Fits, ...]
    priority: int
    challenger: Challenger | None
    catch_up: CatchUp
    steps: tuple[Step, ...]
    document: str

    @classmethod
    def of(cls, published: Published, **more: Any) -> Self:
        said = {name: getattr(published.strategy, name) for name in type(published.strategy).model_fields}
        return cls(**said, version=published.version, document=published.document, **more)


class RemarkOut(BaseModel):
    """Something about the document: its line (from 1), the JSON pointer of the field, and what is to be known."""

    line: int
    pointer: str
    detail: str

    @classmethod
    def of(cls, fault: Fault) -> "RemarkOut":
        return cls(line=fault.line, pointer=f"#{fault.pointer}", detail=fault.detail)


class PublishedOut(StrategyOut):
    """`warnings` refuse nothing: what of it will hardly do what its writer wants."""

    warnings: tuple[RemarkOut, ...]


class CheckOut(BaseModel):
    """`faults` would have it refused, `warnings` would not; these are looked for once there are no faults."""

    publishable: bool
    faults: tuple[RemarkOut, ...]
    warnings: tuple[RemarkOut, ...]


_DOCUMENT = {
    "requestBody": {
        "required": True,
        "description": "The whole document, as YAML or JSON; its schema is `GET /v1/strategy-schema`",
        "content": {
            "application/yaml": {"schema": {"type": "string"}},
            "application/json": {"schema": {"type": "object"}},
        },
    }
}


@router.get("/strategies", response_model=Page[StrategyOut], dependencies=[scope("reminders:read")])
async def list_strategies(database: DatabaseDep) -> Response:
    """The newest version of every strategy."""
    async with reading(database) as tx:
        found = await strategies.list_strategies(tx)
    return respond(Page[StrategyOut](items=[StrategyOut.of(published) for published in found]))


@router.get("/strategy-schema", dependencies=[scope("reminders:read")])
async def strategy_schema(database: DatabaseDep) -> dict[str, Any]:
    """The JSON Schema of a strategy document, for editors and checks before publishing; the templates that there are
    stand as examples."""
    async with reading(database) as tx:
        names = await handlers.template_names(tx)
    return advice.json_schema(names)


@router.get("/strategies/{name}", response_model=StrategyOut, dependencies=[scope("reminders:read")])
async def find_strategy(
    name: str, database: DatabaseDep, version: Annotated[int | None, Query(ge=1, le=2**31)] = None
) -> Response:
    """The newest version, or an earlier one: versions are kept for ever, since running cases keep theirs."""
    async with reading(database) as tx:
        found = await strategies.find_strategy(tx, name, version)
    return respond(StrategyOut.of(found), etag=found.version)


@router.put(
    "/strategies/{name}",
    response_model=PublishedOut,
    dependencies=[scope("reminders:write")],
    openapi_extra=_DOCUMENT,
)
async def publish_strategy(name: str, request: Request, version: IfMatch, database: DatabaseDep) -> Response:
    """Publish the next version; a new strategy is published with `If-None-Match: *`. Faults come with line and reason.

    New episodes start on it; cases that run keep the version they started on."""
    document = await _document(request)
    rules.parse(document)
    async with transaction(database) as tx:
        published, warnings = await handlers.publish(tx, PublishStrategy(name, document, version))
    out = PublishedOut.of(published, warnings=tuple(map(RemarkOut.of, warnings)))
    return respond(out, status=201 if published.version == 1 else 200, etag=published.version)


@router.post(
    "/strategies/{name}/checks",
    response_model=CheckOut,
    dependencies=[scope("reminders:read")],
    openapi_extra=_DOCUMENT,
)
async def check_strategy(name: str, request: Request, database: DatabaseDep) -> Response:
    """What publishing this document would say, without publishing it: for editors, while somebody types."""
    try:
        document = await _document(request)
        rules.parse(document)
        async with reading(database) as tx:
            warnings = await handlers.check(tx, name, document)
    except InvalidStrategy as invalid:
        return respond(CheckOut(publishable=False, faults=tuple(map(RemarkOut.of, invalid.faults)), warnings=()))
    return respond(CheckOut(publishable=True, faults=(), warnings=tuple(map(RemarkOut.of, warnings))))


async def _document(request: Request) -> str:
    try:
        return (await request.body()).decode()
    except UnicodeDecodeError as fault:
        raise InvalidStrategy([Fault(1, "", f"not UTF-8: {fault.reason}")]) from None
