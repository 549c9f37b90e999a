"""Two people do the same thing at the same moment: it is done once, and the other one is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.reminder.desk import Desk
from tests.reminder.test_placements import ask, decide, old_account, told


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
