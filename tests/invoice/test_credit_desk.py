"""How credit is asked when many invoices are issued at the same time."""

from __future__ import annotations

import asyncio
import json
from uuid import uuid4

import httpx
import pytest

from services.invoice.credit_desk import QUESTIONS_MAX, CreditDesk
from shared.money import Money

ONE = Money.parse("1.00", "EUR")


class SlowCredit:
    """Answers when it is let; notes what each call asked."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.may_answer = asyncio.Event()
        self.away = False

    async def answer(self, request: httpx.Request) -> httpx.Response:
        questions = json.loads(request.content)["questions"]
        self.calls.append([question["asked_as"] for question in questions])
        await self.may_answer.wait()
        if self.away:
            raise httpx.ReadTimeout("too late", request=request)
        return httpx.Response(201, json={"answers": [self._decide(name) for name in self.calls[-1]]})

    def _decide(self, asked_as: str) -> dict[str, object]:
        if asked_as.startswith("bad"):
            return {"asked_as": asked_as, "decision": None, "problem": {"title": "no"}}
        return {"asked_as": asked_as, "decision": {"id": str(uuid4()), "outcome": "approved", "reasons": []}}


@pytest.fixture
def credit() -> SlowCredit:
    return SlowCredit()


@pytest.fixture
def desk(credit: SlowCredit) -> CreditDesk:
    return CreditDesk(httpx.AsyncClient(base_url="http://credit", transport=httpx.MockTransport(credit.answer)))


async def asking(desk: CreditDesk, *names: str) -> list[asyncio.Task]:
    tasks = [asyncio.create_task(desk.decide(uuid4(), ONE, None, asked_as=name)) for name in names]
    for _ in range(20):
        await asyncio.sleep(0)
    return tasks


async def test_questions_that_come_while_one_is_asked_go_together_in_the_next_call(
    desk: CreditDesk, credit: SlowCredit
) -> None:
    first = await asking(desk, "1")
    assert credit.calls == [["1"]]
    others = await asking(desk, "2", "bad", "3")
    assert credit.calls == [["1"]]

    credit.may_answer.set()
    answers = await asyncio.gather(*first, *others)

    assert credit.calls == [["1"], ["2", "bad", "3"]]
    assert [bool(answer) for answer in answers] == [True, True, False, True]
    await desk.decide(uuid4(), ONE, None, asked_as="4")
    assert credit.calls[2:] == [["4"]]


async def test_nobody_is_asked_for_more_than_credit_takes_nor_for_who_has_gone(
    desk: CreditDesk, credit: SlowCredit
) -> None:
    first = await asking(desk, "1")
    others = await asking(desk, *(f"n{n}" for n in range(QUESTIONS_MAX + 2)))
    others[0].cancel()
    credit.may_answer.set()
    await asyncio.gather(*first, *others[1:])

    assert [len(call) for call in credit.calls] == [1, QUESTIONS_MAX - 1, 2]


async def test_a_call_that_fails_leaves_only_its_own_questions_without_an_answer(
    desk: CreditDesk, credit: SlowCredit
) -> None:
    credit.away = True
    credit.may_answer.set()
    assert await desk.decide(uuid4(), ONE, None, asked_as="1") is None
    credit.away = False
    assert await desk.decide(uuid4(), ONE, None, asked_as="2") is not None
