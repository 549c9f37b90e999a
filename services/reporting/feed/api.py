"""The event feed over HTTP: the whole history of every service, resumable, and live."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime
from time import monotonic
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from services.reporting.feed import handlers, rules
from services.reporting.feed.handlers import ListEvents
from services.reporting.feed.rules import UnknownEventType, Wanted
from shared.db import Database, reading
from shared.events import catalogue, registry
from shared.fanout import Fanout, Listener
from shared.http import event_stream
from shared.http.connected import while_connected
from shared.http.cursors import PageRequest
from shared.http.dependencies import DatabaseDep, PageParams
from shared.http.event_stream import EventStream
from shared.http.models import Page
from shared.http.responses import to_json
from shared.http.security import scope
from shared.waiting import wait_for_either

router = APIRouter(tags=["events"])

WAIT_SECONDS_MAX = 30
CATCH_UP_ROWS = 200

EventType = Annotated[str, Field(max_length=200, examples=["dueward.invoice.overdue.v1"])]
Live = Fanout[asyncpg.Record]


class EventOut(BaseModel):
    """An event as it was published; (`source`, `subject`, `aggregate_version`) tells it from every other."""

    id: UUID
    type: str
    source: str
    subject: UUID
    time: datetime
    customer_id: UUID
    aggregate_version: int
    effective_on: date
    correlation_id: str | None
    causation_id: str | None
    data: dict[str, Any]

    @classmethod
    def of(cls, row: asyncpg.Record) -> "EventOut":
        return cls(**rules.told(row))


class EventTypeOut(BaseModel):
    type: str
    topic: str = Field(description="Where it travels on Kafka")
    source: str = Field(description="Who publishes it")
    meaning: str


class EventTypeDetail(EventTypeOut):
    json_schema: dict[str, Any] | None = Field(alias="schema", description="Of `data`, as released")
    example: dict[str, Any] | None


async def _wanted(
    type: Annotated[list[EventType] | None, Query(max_length=50, description="One type, or several")] = None,
    customer_id: Annotated[list[UUID] | None, Query(max_length=50, description="One customer, or several")] = None,
    subject: Annotated[UUID | None, Query(description="The invoice, payment, case ... that it is about")] = None,
    entity_id: Annotated[str | None, Query(max_length=64, description="The selling entity")] = None,
    since: Annotated[AwareDatetime | None, Query(description="What happened from this time on")] = None,
) -> Wanted:
    return Wanted(tuple(type or ()), tuple(customer_id or ()), subject, entity_id, since)


WantedDep = Annotated[Wanted, Depends(_wanted)]
After = Annotated[
    str | None,
    Query(max_length=64, description="Only what follows this event id in the feed, or happened after this time"),
]


@router.get("/events", response_model=Page[EventOut], dependencies=[scope("reports:read")])
async def list_events(
    request: Request,
    database: DatabaseDep,
    page: PageParams,
    wanted: WantedDep,
    after: After = None,
    wait_seconds: Annotated[
        int, Query(ge=0, le=WAIT_SECONDS_MAX, description="How long to wait while there is nothing")
    ] = 0,
) -> Page[EventOut]:
    """Events in the order this service took them in, which never changes and has no late arrivals in between.

    Read pages until `next_cursor` is null, remember the id of the last event you have, and come back with `after`.
    """
    query = ListEvents(
        wanted=wanted,
        place=page.after[0] if page.after else None,
        after=rules.read_after(after) if after else None,
        limit=page.limit + 1,
    )
    rows = await _page(database, query)
    if not rows and wait_seconds:
        rows = await while_connected(request, _page_when_there_is(request, database, query, wait_seconds)) or []
    return _page_out(rows, page)


async def _page(database: Database, query: ListEvents) -> list[asyncpg.Record]:
    async with reading(database) as tx:
        return await handlers.list_events(tx, query)


async def _page_when_there_is(
    request: Request, database: Database, query: ListEvents, wait_seconds: float
) -> list[asyncpg.Record]:
    """Listens first and looks then, so that what comes in between is not missed."""
    live: Live = request.app.state.live_feed
    async with live.listen(database, query.wanted.wants) as listener:
        rows = await _page(database, query)
        if not rows:
            await wait_for_either(request.app.state.closing, listener.news, wait_seconds)
            rows = await _page(database, query)
    return rows


def _page_out(rows: list[asyncpg.Record], page: PageRequest) -> Page[EventOut]:
    shown, more = page.cut(rows, lambda row: [row["seq"]])
    return Page[EventOut](items=[EventOut.of(row) for row in shown], next_cursor=more)


@router.get(
    "/events/stream",
    status_code=200,  # FastAPI cannot read it from this response class.
    response_class=EventStream,
    responses={200: {"content": {event_stream.MEDIA_TYPE: {"schema": {"type": "string"}}}}},
    dependencies=[scope("reports:read")],
)
async def stream_events(
    request: Request,
    database: DatabaseDep,
    wanted: WantedDep,
    after: After = None,
    last_event_id: Annotated[str | None, Header(max_length=64, description="Sent by browsers that come back")] = None,
) -> Response:
    """Server-sent events: each event as it comes, `id` its id and `data` the event as the feed has it.

    Begins with what follows `Last-Event-ID`, or else `after`, or else with what comes from now on. A stream ends after
    a quarter of an hour, when the service stops, and when its client is a thousand events behind: come back with the
    last id, as `EventSource` does by itself. Every event comes at least once.
    """
    start = last_event_id or after
    async with reading(database) as tx:
        place = await handlers.place_behind(tx, rules.read_after(start) if start else None)
    return EventStream(_stream(request, database, wanted, place))


async def _stream(request: Request, database: Database, wanted: Wanted, place: int) -> AsyncIterator[bytes]:
    live: Live = request.app.state.live_feed
    ends_at = monotonic() + event_stream.STREAM_SECONDS_MAX
    yield event_stream.HELLO
    async for rows in _catch_up(database, wanted, place, None):
        place = rows[-1]["seq"]
        yield _as_messages(rows)
    async with live.listen(database, wanted.wants) as listener:
        # What came between the last look and the first listening.
        async for rows in _catch_up(database, wanted, place, listener.place):
            yield _as_messages(rows)
        async for chunk in _listen(request.app.state.closing, listener, ends_at):
            yield chunk


async def _catch_up(
    database: Database, wanted: Wanted, place: int, until: int | None
) -> AsyncIterator[list[asyncpg.Record]]:
    """Page by page, without a connection while the client takes one."""
    more = True
    while more:
        async with reading(database) as tx:
            rows = await handlers.read_on(tx, wanted, place, until, CATCH_UP_ROWS)
        if rows:
            yield rows
            place = rows[-1]["seq"]
        more = len(rows) == CATCH_UP_ROWS


async def _listen(closing: asyncio.Event, listener: Listener[asyncpg.Record], ends_at: float) -> AsyncIterator[bytes]:
    while not closing.is_set() and not listener.cut_off and monotonic() < ends_at:
        await wait_for_either(closing, listener.news, event_stream.KEEP_ALIVE_SECONDS)
        rows = listener.take()
        yield _as_messages(rows) if rows else event_stream.STILL_HERE


def _as_messages(rows: list[asyncpg.Record]) -> bytes:
    return b"".join(event_stream.event(str(row["id"]), to_json(EventOut.of(row))) for row in rows)


@router.get("/events/{event_id}", response_model=EventOut, dependencies=[scope("reports:read")])
async def show_event(event_id: UUID, database: DatabaseDep) -> EventOut:
    async with reading(database) as tx:
        return EventOut.of(await handlers.find_event(tx, event_id))


@router.get("/event-types", response_model=Page[EventTypeOut], dependencies=[scope("reports:read")])
async def list_event_types() -> Page[EventTypeOut]:
    """Every event that some service publishes, on one page."""
    return Page[EventTypeOut](items=[EventTypeOut(**_type_of(kind.type)) for kind in catalogue.EVENTS])


@router.get("/event-types/{type}", response_model=EventTypeDetail, dependencies=[scope("reports:read")])
async def show_event_type(type: EventType) -> EventTypeDetail:
    """One of them, with the JSON Schema of its data and an example."""
    if type not in catalogue.BY_TYPE:
        raise UnknownEventType(f"no service publishes {type}")
    return EventTypeDetail(**_type_of(type), schema=registry.schema(type), example=registry.example(type))


def _type_of(type: str) -> dict[str, str]:
    kind = catalogue.BY_TYPE[type]
    meaning = " ".join((kind.__doc__ or "").split())
    return {
        "type": type,
        "topic": kind.topic,
        "source": catalogue.source(catalogue.producer(kind)),
        "meaning": meaning,
    }
