"""The feed, live: server-sent events and long polls, over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
import uvicorn

from deploy.local.embedded import free_port
from services.reporting.app import create_api
from services.reporting.feed import handlers as feed
from services.reporting.settings import Settings
from shared.db import Database
from shared.fanout import WAITING_MAX, Fanout
from shared.process import Server
from tests.browser import serving
from tests.reporting.books import Books, unknown
from tests.reporting.client import Reporting, problem
from tests.service_client import app_of

D = date


class Reader:
    """A client of the stream, such as a browser's EventSource."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines

    async def next(self, count: int) -> list[UUID]:
        """The ids of the next events; each `data` is the event as the feed has it."""
        found: list[UUID] = []
        async with asyncio.timeout(60):
            async for line in self._lines:
                if line.startswith("data: "):
                    found.append(UUID(orjson.loads(line[6:])["id"]))
                    if len(found) == count:
                        break
        return found

    async def ends(self) -> None:
        async with asyncio.timeout(60):
            async for _ in self._lines:
                pass


@pytest.fixture
async def reporting(
    reports_database: Database, settings: Settings, token: Callable[..., str]
) -> AsyncIterator[Reporting]:
    """The service over real HTTP."""
    closing = asyncio.Event()
    app = app_of(create_api, settings, database=reports_database, closing=closing, live_feed=Fanout(feed.look))
    headers = {"authorization": f"Bearer {token('reports:read')}"}
    async with serving(app, free_port()) as url, httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as http:
        yield Reporting(http, reports_database)
        closing.set()


@asynccontextmanager
async def reading_stream(reporting: Reporting, **query: str) -> AsyncIterator[Reader]:
    last = query.pop("last", None)
    headers = {"last-event-id": last} if last else {}
    async with reporting.http.stream("GET", "/v1/events/stream", params=query, headers=headers) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()
        assert await anext(lines) == "retry: 2000"
        yield Reader(lines)


def some_books(invoices: int = 3) -> Books:
    books = Books()
    acme = books.onboard()
    for day in range(1, invoices + 1):
        books.issue(acme, D(2021, 1, 1 + day % 28), 100_00)
    return books


async def test_events_come_as_they_happen_to_everybody_who_listens(reporting: Reporting) -> None:
    received = some_books(3).received
    ids = [r.envelope.id for r in received]
    await reporting.hear(received[:1])
    async with reading_stream(reporting) as one, reading_stream(reporting, type=received[1].envelope.type) as other:
        await reporting.hear(received[1:3])
        await reporting.hear([unknown(uuid4())])
        await reporting.hear(received[3:])
        assert (await one.next(4))[:2] == ids[1:3]
        assert await other.next(3) == ids[1:]


async def test_who_comes_back_with_the_last_id_misses_nothing_however_long_it_was_away(
    reporting: Reporting,
) -> None:
    received = some_books(450).received
    ids = [r.envelope.id for r in received]
    await reporting.hear(received[:430])
    async with reading_stream(reporting, last=str(ids[0])) as reader:
        hearing = asyncio.create_task(reporting.hear(received[430:], batch=3))
        assert await reader.next(450) == ids[1:]
        await hearing


async def test_what_comes_between_the_last_look_and_the_first_listening_is_not_missed(
    reports_database: Database, settings: Settings, token: Callable[..., str]
) -> None:
    received = some_books(5).received
    reporting = Reporting(httpx.AsyncClient(), reports_database)

    async def look(database: Database, place: int | None) -> tuple[int, Sequence[Any]]:
        """Just before the place to listen from is read, more events come in."""
        if place is None:
            await reporting.hear(received[3:5])
        return await feed.look(database, place)

    app = app_of(create_api, settings, database=reports_database, closing=asyncio.Event(), live_feed=Fanout(look))
    headers = {"authorization": f"Bearer {token('reports:read')}"}
    await reporting.hear(received[:3])
    async with serving(app) as url, httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as http:
        async with reading_stream(Reporting(http, reports_database), last=str(received[0].envelope.id)) as reader:
            found = await reader.next(4)
            await reporting.hear(received[5:])
            found += await reader.next(1)
        app.state.closing.set()
    assert found == [r.envelope.id for r in received[1:]]


async def test_a_stream_may_begin_at_an_event_or_a_time(reporting: Reporting) -> None:
    received = some_books(3).received
    await reporting.hear(received)
    async with reading_stream(reporting, after="2021-01-01T00:00:00Z") as reader:
        assert await reader.next(3) == [r.envelope.id for r in received[1:]]
    answer = await reporting.http.get("/v1/events/stream", params={"after": str(uuid4())})
    assert problem(answer, 404) == "event-not-found"
    answer = await reporting.http.get("/v1/events/stream", headers={"last-event-id": "yesterday"})
    assert problem(answer, 422) == "unreadable-after"


async def test_streams_end_when_the_process_is_told_to(
    reports_database: Database, settings: Settings, token: Callable[..., str]
) -> None:
    app = app_of(create_api, settings, database=reports_database, closing=asyncio.Event(), live_feed=Fanout(feed.look))
    port = free_port()
    server = Server(uvicorn.Config(app, port=port, log_config=None, lifespan="off"), app.state.closing)
    serving = asyncio.create_task(server._serve())
    headers = {"authorization": f"Bearer {token('reports:read')}"}
    async with asyncio.timeout(60):
        while not server.started:
            await asyncio.sleep(0.01)
        async with (
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers) as http,
            reading_stream(Reporting(http, reports_database)) as reader,
        ):
            server.should_exit = True
            await reader.ends()
        await serving


async def test_a_listener_that_does_not_keep_up_is_cut_off_and_the_others_go_on(reports_database: Database) -> None:
    """Each look finds a page; one listener takes what it gets, the other does not."""
    pages = iter([[0] * 400, [0] * 400, [0] * 400])

    async def look(_: Database, place: int | None) -> tuple[int, list[int]]:
        return (place or 0) + 1, [] if place is None else next(pages, [])

    fanout, taken = Fanout[int](look), 0
    async with (
        fanout.listen(reports_database, lambda _: True) as slow,
        fanout.listen(reports_database, lambda _: True) as quick,
        asyncio.timeout(60),
    ):
        while taken < 1_200:
            await quick.news.wait()
            taken += len(quick.take())
        assert WAITING_MAX < 1_200
        assert (slow.cut_off, slow.take()) == (True, [])
        assert not quick.cut_off


async def test_a_poll_waits_for_the_first_event_that_is_wanted(reporting: Reporting) -> None:
    received = some_books(2).received
    await reporting.hear(received[:1])
    last = str(received[0].envelope.id)
    waiting = asyncio.create_task(
        reporting.get("/v1/events", after=last, wait_seconds=30, subject=str(received[2].envelope.subject))
    )
    await reporting.hear(received[1:2])
    assert not waiting.done()
    await reporting.hear(received[2:])
    assert [event["id"] for event in (await waiting)["items"]] == [str(received[2].envelope.id)]
    nothing = await reporting.get("/v1/events", after=str(received[2].envelope.id), wait_seconds=1)
    assert nothing == {"items": [], "next_cursor": None}
