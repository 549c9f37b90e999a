"""Subscribers hear of pauses, offers and proceedings: when they begin, how they end, and nothing of what nobody saw."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import pytest

from tests.reminder.desk import Desk
from tests.reminder.test_offers import EXTENSION, SETTLEMENT, late, offer, say
from tests.service_client import post

KINDS = ("pause.", "offer.", "proceeding.")


async def told(desk: Desk) -> list[tuple[str, str, int]]:
    """Type, status and version of each event about an agreement."""
    found = []
    for event in await desk.published():
        if event["type"].startswith(KINDS):
            state = event["data"][event["type"].partition(".")[0]]
            found.append((event["type"], state["status"], state["version"]))
    return found


@pytest.mark.parametrize(
    ("ends", "by_hand", "status", "effective_on"),
    [(date(2026, 2, 6), True, "ended", "2026-02-06"), (date(2026, 2, 11), False, "over", "2026-02-11")],
)
@pytest.mark.parametrize("items", [[], ["R-1"]])
async def test_a_pause_is_told_when_it_is_made_and_when_it_ends(
    desk: Desk, ends: date, by_hand: bool, status: str, effective_on: str, items: list[str]
) -> None:
    customer, _ = await late(desk)
    body = {"until": "2026-02-10", "reason": "hardship", "asked_by": "Ada Lang", "items": items}
    made = (await post(desk.http, f"/v1/cases/{customer.id}/pauses", body)).json()
    await desk.until(ends)
    if by_hand:
        await post(desk.http, f"/v1/pauses/{made['id']}/end", {})
    assert await told(desk) == [("pause.made", "running", 1), ("pause.ended", status, 2)]
    begun, over = (event["data"] for event in await desk.published() if event["type"].startswith("pause."))
    assert (begun["effective_on"], over["effective_on"]) == ("2026-02-04", effective_on)
    assert begun["pause"]["items"] == items
    assert "Ada" not in str(begun)  # Who asked is nobody else's business.


async def accept(desk: Desk, made: dict[str, Any]) -> None:
    await say(desk, made, "acceptance")


async def refuse(desk: Desk, made: dict[str, Any]) -> None:
    await say(desk, made, "refusal")


async def withdraw(desk: Desk, made: dict[str, Any]) -> None:
    await say(desk, made, "withdrawal", reason="no more")


async def let_expire(desk: Desk, made: dict[str, Any]) -> None:
    await desk.until(date(2026, 2, 11))


async def accept_and_not_pay(desk: Desk, made: dict[str, Any]) -> None:
    await say(desk, made, "acceptance")
    await desk.until(date(2026, 2, 25))


@pytest.mark.parametrize(
    ("do", "ends"),
    [
        (accept, [("offer.accepted", "accepted", 2)]),
        (refuse, [("offer.lapsed", "refused", 2)]),
        (withdraw, [("offer.lapsed", "withdrawn", 2)]),
        (let_expire, [("offer.lapsed", "expired", 2)]),
        (accept_and_not_pay, [("offer.accepted", "accepted", 2), ("offer.lapsed", "lapsed", 3)]),
    ],
)
async def test_an_open_offer_is_told_with_how_it_ends(
    desk: Desk, do: Callable[[Desk, dict[str, Any]], Awaitable[None]], ends: list[tuple[str, str, int]]
) -> None:
    customer, _ = await late(desk)
    await do(desk, await offer(desk, customer, EXTENSION))
    assert await told(desk) == [("offer.made", "open", 1), *ends]


@pytest.mark.parametrize(("approved", "expected"), [(True, [("offer.made", "open", 2)]), (False, [])])
async def test_an_offer_that_waits_for_approval_is_told_once_it_has_it(
    desk: Desk, bert: dict[str, str], approved: bool, expected: list[tuple[str, str, int]]
) -> None:
    customer, _ = await late(desk)
    made = await offer(desk, customer, SETTLEMENT)
    assert await told(desk) == []
    await say(desk, made, "approval" if approved else "rejection", bert)
    assert await told(desk) == expected


async def test_a_proceeding_is_told_on_the_day_it_began_and_when_it_ended(desk: Desk) -> None:
    customer, _ = await late(desk)
    body = {"kind": "insolvency", "opened_on": "2026-02-02", "court": "AG Hamburg"}
    made = (await post(desk.http, f"/v1/cases/{customer.id}/proceedings", body)).json()
    await desk.until(date(2026, 2, 20))
    await post(desk.http, f"/v1/proceedings/{made['id']}/closure", {"outcome": "a quota was paid"})
    assert await told(desk) == [("proceeding.begun", "open", 1), ("proceeding.ended", "closed", 2)]
    days = [event["data"] for event in await desk.published() if event["type"].startswith("proceeding.")]
    assert [(each["effective_on"], each["booked_on"]) for each in days] == [
        ("2026-02-02", "2026-02-04"),
        ("2026-02-20", "2026-02-20"),
    ]
