"""Strategies over HTTP: read, publish a new version, and the schema of the document."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from services.reminder.strategies import handlers, rules
from services.reminder.strategies.handlers import PublishStrategy
from services.reminder.strategies.rules import CatchUp, InvalidStrategy, Published, Step
from shared.db import reading, transaction
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
    catch_up: CatchUp
    steps: tuple[Step, ...]
    document: str

    @classmethod
    def of(cls, published: Published) -> "StrategyOut":
        strategy = published.strategy
        return cls(
            name=strategy.name,
            version=published.version,
            title=strategy.title,
            description=strategy.description,
            catch_up=strategy.catch_up,
            steps=strategy.steps,
            document=published.document,
        )


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
        found = await handlers.list_strategies(tx)
    return respond(Page[StrategyOut](items=[StrategyOut.of(published) for published in found]))


@router.get("/strategy-schema", dependencies=[scope("reminders:read")])
async def strategy_schema() -> dict[str, Any]:
    """The JSON Schema of a strategy document, for editors and checks before publishing."""
    return rules.json_schema()


@router.get("/strategies/{name}", response_model=StrategyOut, dependencies=[scope("reminders:read")])
async def find_strategy(
    name: str, database: DatabaseDep, version: Annotated[int | None, Query(ge=1, le=2**31)] = None
) -> Response:
    """The newest version, or an earlier one: versions are kept for ever, since running cases keep theirs."""
    async with reading(database) as tx:
        found = await handlers.find_strategy(tx, name, version)
    return respond(StrategyOut.of(found), etag=found.version)


@router.put(
    "/strategies/{name}",
    response_model=StrategyOut,
    dependencies=[scope("reminders:write")],
    openapi_extra=_DOCUMENT,
)
async def publish_strategy(name: str, request: Request, version: IfMatch, database: DatabaseDep) -> Response:
    """Publish the next version; a new strategy is published with `If-None-Match: *`. Faults come with line and reason.

    New episodes start on it; cases that run keep the version they started on."""
    try:
        document = (await request.body()).decode()
    except UnicodeDecodeError as fault:
        raise InvalidStrategy([rules.Fault(1, "", f"not UTF-8: {fault.reason}")]) from None
    rules.parse(document)
    async with transaction(database) as tx:
        published = await handlers.publish_strategy(tx, PublishStrategy(name, document, version))
    return respond(StrategyOut.of(published), status=201 if published.version == 1 else 200, etag=published.version)
