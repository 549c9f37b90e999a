"""Two people do the same thing at the same moment: it is done once, and the other one is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
import pytest

from tests.reminder.desk import Desk
from tests.reminder.test_actions import in_doubt
from tests.reminder.test_placements import ask, decide, old_account, told
from tests.reminder.test_step_conditions import APPROVED, ASK, END, owing, publish


async def test_two_people_approve_the_same_placement_and_it_is_handed_over_once(
    desk: Desk, token: Callable[..., str]
) -> None:
    customer, _ = await old_account(desk)
    asked = (await ask(desk, customer)).json()
    people = [{"authorization": f"Bearer {token(subject=name)}"} for name in ("bert", "cleo", "dora")]
    answers = await asyncio.gather(*(decide(desk, asked, "approval", person) for person in people))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    await asyncio.gather(desk.tick(), desk.tick())
    assert await told(desk) == ["placement.made"]
    assert await desk.database.pool.fetchval("select count(*) from placement_file") == 1


async def test_of_an_approval_and_a_rejection_at_the_same_moment_one_stands(
    desk: Desk, token: Callable[..., str]
) -> None:
    customer, _ = await old_account(desk)
    asked = (await ask(desk, customer)).json()
    bert, cleo = ({"authorization": f"Bearer {token(subject=name)}"} for name in ("bert", "cleo"))
    answers = await asyncio.gather(
        decide(desk, asked, "approval", bert),
        decide(desk, asked, "rejection", cleo),
    )
    assert sorted(answer.is_success for answer in answers) == [False, True]
    stands = (await desk.get(f"/v1/placements/{asked['id']}"))["status"]
    assert stands == ("approved" if answers[0].is_success else "rejected")


async def waiting_step(desk: Desk) -> str:
    """The task of a step that waits for approval, on whose day nothing has gone out yet."""
    await publish(desk, ASK, APPROVED, END)
    await owing(desk)
    await desk.until(date(2026, 2, 15))
    (task,) = (await desk.get("/v1/tasks", kind="approve_step"))["items"]
    return task["id"]


async def say(desk: Desk, path: str, key: str, who: dict[str, str] | None = None, **body: Any) -> httpx.Response:
    return await desk.http.post(path, json=body, headers={"idempotency-key": key, **(who or {})})


async def test_two_people_approve_one_step_and_it_is_taken_once(desk: Desk, token: Callable[..., str]) -> None:
    task = await waiting_step(desk)
    people = [{"authorization": f"Bearer {token(subject=name)}"} for name in ("bert", "cleo", "dora")]
    answers = await asyncio.gather(
        *(say(desk, f"/v1/tasks/{task}/approvals", f"of-{n}-person", who) for n, who in enumerate(people))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert {answer.json()["type"].rpartition("/")[2] for answer in answers if answer.status_code == 409} <= {
        "step-not-waiting",
        "task-over",
    }
    await asyncio.gather(desk.tick(), desk.tick())
    assert [step for _, step in await desk.sent()] == ["ask", "insist"]
    assert len(desk.mails()) == 2


async def test_of_an_approval_and_a_refusal_of_one_step_one_stands(desk: Desk) -> None:
    task = await waiting_step(desk)
    answers = await asyncio.gather(
        *(say(desk, f"/v1/tasks/{task}/{verb}", f"key-{verb}") for verb in ("approvals", "refusals"))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    await desk.tick()
    taken = answers[0].status_code == 201
    assert [step for _, step in await desk.sent()] == (["ask", "insist"] if taken else ["ask"])
    assert (await desk.types()).count("case.step_skipped") == (0 if taken else 1)


@pytest.mark.parametrize("keys", [("one-click", "one-click"), ("one-click", "another")])
async def test_a_double_click_on_approve_approves_once(desk: Desk, keys: tuple[str, str]) -> None:
    task = await waiting_step(desk)
    path = f"/v1/tasks/{task}/approvals"
    answers = await asyncio.gather(*(say(desk, path, key) for key in keys))
    told = sorted(answer.status_code for answer in answers)
    if keys[0] == keys[1]:  # The second one comes while the first is in flight, or is told the same.
        assert told in ([201, 201], [201, 409])
        again = await say(desk, path, keys[0])
        assert (again.status_code, again.json()) == (201, next(a.json() for a in answers if a.status_code == 201))
    else:
        assert told == [201, 409]
    await desk.tick()
    assert [step for _, step in await desk.sent()] == ["ask", "insist"]


@pytest.mark.parametrize("keys", [("one-click", "one-click"), ("one-click", "another")])
async def test_a_double_click_on_send_once_more_sends_once_more(desk: Desk, keys: tuple[str, str]) -> None:
    _, _, contact = await in_doubt(desk)
    path = f"/v1/contacts/{contact['id']}/settlement"
    answers = await asyncio.gather(*(say(desk, path, key, arrived=False) for key in keys))
    assert 201 in {answer.status_code for answer in answers}
    assert {answer.status_code for answer in answers} <= {201, 409}
    await asyncio.gather(desk.tick(), desk.tick())
    assert len(desk.mails()) == 1
    assert [c["status"] for c in await desk.contacts()] == ["failed", "sent"]
