"""Asking the credit bureau: written down first, asked outside any transaction, never blindly repeated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from services.credit.bureau import HttpBureau
from services.credit.ticks import Resources, ask_bureau
from shared.outside import outside_client
from shared.ticks import TickContext
from tests.credit.client import Credit, problem

REPORT = {"as_of": "2012-01-02", "score": 72, "judgments": 1, "insolvency": "none", "founded_on": "1999-04-01"}


@dataclass
class BureauServer:
    """A real HTTP server that says what the test wants; an answer of None hangs up without a word."""

    answers: list[tuple[int, bytes] | None] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.append(head.partition(" HTTP")[0])
        answer = self.answers.pop(0)
        if answer is not None:
            status, body = answer
            writer.write(b"HTTP/1.1 %d x\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % (status, len(body)))
            writer.write(body)
            await writer.drain()
        writer.close()


@pytest.fixture
async def bureau_server() -> AsyncIterator[BureauServer]:
    stand_in = BureauServer()
    server = await asyncio.start_server(stand_in.serve, "127.0.0.1", 0)
    stand_in.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield stand_in


async def inquire(credit: Credit, server: BureauServer) -> dict[str, Any]:
    """Have it asked and let the worker ask; the inquiry afterwards."""
    credit.http._transport.app.state.has_bureau = True  # pyright: ignore[reportAttributeAccessIssue]
    customer = await credit.onboard()
    answer = await credit.post(f"/v1/customers/{customer['id']}/bureau-inquiries", {"legal_id": "HRB 123/B"})
    assert answer.status_code == 202, answer.text
    async with outside_client(20) as client:
        bureau = HttpBureau(client, server.url, "Bureau Ltd", 20, "secret")
        now = await credit.database.clock.business_now(credit.database.pool)
        assert await ask_bureau(TickContext(credit.database, now, Resources(bureau)))
        assert not await ask_bureau(TickContext(credit.database, now, Resources(bureau)))
    return await credit.get(f"/v1/bureau-inquiries/{answer.json()['id']}")


async def test_a_report_becomes_an_input_and_is_kept_as_it_came(
    credit_in_2012: Credit, bureau_server: BureauServer
) -> None:
    body = orjson.dumps({**REPORT, "something_else": 1})
    bureau_server.answers = [(200, body)]

    inquiry = await inquire(credit_in_2012, bureau_server)

    assert bureau_server.asked == ["GET /v1/reports/HRB%20123%2FB?country=DE"]
    assert (inquiry["status"], inquiry["raw"]) == ("answered", body.decode())
    [input] = (await credit_in_2012.get(f"/v1/customers/{inquiry['customer_id']}/vetting-inputs"))["items"]
    assert input["id"] == inquiry["input_id"]
    assert (input["source"], input["dated_on"], input["expires_on"]) == ("Bureau Ltd", "2012-01-02", "2012-07-02")
    assert input["particulars"]["score"] == 72


@pytest.mark.parametrize(
    ("answers", "status", "asked"),
    [
        ([(503, b"later"), (200, orjson.dumps(REPORT))], "answered", 2),
        ([(500, b"")] * 3, "unreached", 3),
        ([(404, b"{}")], "not_found", 1),
        ([(403, b"no")], "refused", 1),
        ([(200, b"<html>")], "unreadable", 1),
        ([(200, orjson.dumps({**REPORT, "score": 101}))], "unreadable", 1),
        ([(200, orjson.dumps({**REPORT, "as_of": "2012-01-04"}))], "unreadable", 1),
        ([(200, orjson.dumps({**REPORT, "as_of": "2010-01-04"}))], "unreadable", 1),
        ([None], "unknown", 1),
    ],
)
async def test_how_often_it_is_asked_hangs_on_what_went_wrong(
    credit_in_2012: Credit,
    bureau_server: BureauServer,
    answers: list[tuple[int, bytes] | None],
    status: str,
    asked: int,
) -> None:
    bureau_server.answers = list(answers)

    inquiry = await inquire(credit_in_2012, bureau_server)

    assert (inquiry["status"], len(bureau_server.asked)) == (status, asked), inquiry["detail"]
    assert (inquiry["input_id"] is None) == (status != "answered")


async def test_a_question_that_a_crash_left_behind_is_unknown_and_not_asked_again(
    credit_in_2012: Credit, bureau_server: BureauServer
) -> None:
    credit = credit_in_2012
    credit.http._transport.app.state.has_bureau = True  # pyright: ignore[reportAttributeAccessIssue]
    customer = await credit.onboard()
    answer = await credit.post(f"/v1/customers/{customer['id']}/bureau-inquiries", {"legal_id": "HRB 1"})
    await credit.database.pool.execute(
        "update bureau_inquiry set status = 'asking', lease_until = now() - interval '1 second'"
    )

    await credit.tick()

    inquiry = await credit.get(f"/v1/bureau-inquiries/{answer.json()['id']}")
    assert inquiry["status"] == "unknown"
    assert bureau_server.asked == []


async def test_without_a_bureau_nobody_can_be_asked(credit: Credit) -> None:
    customer = await credit.onboard()
    answer = await credit.post(f"/v1/customers/{customer['id']}/bureau-inquiries", {"legal_id": "HRB 1"})
    assert problem(answer, 409) == "no-credit-bureau"
