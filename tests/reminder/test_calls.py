"""Calls are logged: they count for the contact policy, and finish what asked for them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from services.reminder.calls import rules
from services.reminder.calls.rules import Call, CallRefused
from tests.reminder.desk import Desk
from tests.reminder.test_tasks_and_team import post

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
DUE = date(2026, 2, 1)


def a_call(called_at: datetime, back_on: date | None = None, *, reason: bool = False, spoke: bool = True) -> Call:
    return Call(
        id=UUID(int=1),
        customer_id=UUID(int=2),
        entity_id="default",
        caller="ada",
        direction="out",
        outcome="spoke" if spoke else "no_answer",
        person=None,
        number=None,
        reason="cash_flow" if reason else None,
        note=None,
        contact_id=None,
        call_back_on=back_on,
        called_at=called_at,
    )


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (a_call(NOW), None),
        (a_call(NOW + timedelta(seconds=1)), "/called_at"),
        (a_call(NOW - timedelta(days=30)), None),
        (a_call(NOW - timedelta(days=30, seconds=1)), "/called_at"),
        (a_call(NOW, NOW.date()), None),
        (a_call(NOW, NOW.date() - timedelta(days=1)), "/call_back_on"),
        (a_call(NOW, reason=True), None),
        (a_call(NOW, reason=True, spoke=False), "/reason"),
    ],
)
def test_a_call_is_logged_after_it_was_made_and_a_reason_takes_somebody_who_gave_it(
    call: Call, field: str | None
) -> None:
    if field is None:
        rules.check(call, NOW)
        return
    with pytest.raises(CallRefused) as refused:
        rules.check(call, NOW)
    assert refused.value.field == field


async def test_talking_to_somebody_is_published_and_asks_for_the_next_call(desk: Desk) -> None:
    customer = await desk.onboard()
    path = f"/v1/cases/{customer.id}/calls"
    body = {"outcome": "spoke", "person": "Ada Lang", "reason": "cash_flow", "call_back_on": "2026-01-05"}
    call = await post(desk, path, body, 201)
    assert [each["id"] for each in (await desk.get(path))["items"]] == [call["id"]]
    (task,) = (await desk.get("/v1/tasks", customer_id=customer.id))["items"]
    assert (task["kind"], task["due_on"], task["title"]) == ("call_back", "2026-01-05", "Call Ada Lang back")
    assert "call.logged" in await desk.types()

    await post(desk, path, {"outcome": "no_answer"}, 201)
    (task,) = (await desk.get("/v1/tasks", customer_id=customer.id))["items"]
    assert (task["status"], task["outcome"]) == ("done", "no_answer")


async def test_calls_count_for_the_contact_policy_as_messages_do(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 1))
    for _ in range(3):
        await post(desk, f"/v1/cases/{customer.id}/calls", {"outcome": "no_answer"}, 201)
    await desk.until(date(2026, 2, 7))
    assert [step for _, step in await desk.sent()] == ["due-soon"]
    (silent,) = await desk.contacts(status="suppressed")
    assert silent["reason"] == "contact_cap"
    await desk.until(date(2026, 2, 8))
    assert await desk.sent() == [("2026-01-25", "due-soon"), ("2026-02-08", "first-reminder")]


async def test_a_call_with_a_stranger_is_refused_and_changes_nothing(desk: Desk) -> None:
    await post(desk, f"/v1/cases/{uuid4()}/calls", {"outcome": "spoke"}, 404)
    assert await desk.types() == []
