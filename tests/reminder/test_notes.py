"""What colleagues write down for each other reaches those it calls, and the customer never."""

from __future__ import annotations

from uuid import uuid4

import pytest

from services.reminder.notes import rules
from services.reminder.notes.rules import MentionRefused
from tests.reminder.desk import Desk
from tests.reminder.test_tasks_and_team import keep, post

TEAM = ("ada", "bea.k", "sales-north")


@pytest.mark.parametrize(
    ("body", "named", "called"),
    [
        ("@ada please look", (), ("ada",)),
        ("see with @bea.k.", (), ("bea.k",)),
        ("(@sales-north, @ada)", ("ada",), ("ada", "sales-north")),
        ("write to ada@acme.example or @nobody", (), ()),
        ("", ("bea.k",), ("bea.k",)),
    ],
)
def test_a_note_calls_colleagues_and_leaves_other_at_signs_alone(
    body: str, named: tuple[str, ...], called: tuple[str, ...]
) -> None:
    assert rules.mentioned(body, named, TEAM) == called


def test_somebody_named_beside_a_note_must_be_a_colleague() -> None:
    with pytest.raises(MentionRefused):
        rules.mentioned("", ("zoe",), TEAM)


async def test_who_is_mentioned_or_asked_for_help_gets_a_task_of_their_own(desk: Desk) -> None:
    customer = await desk.onboard()
    await keep(desk, "ada", name="Ada")
    await keep(desk, "sam", name="Sam", role="sales")
    path = f"/v1/cases/{customer.id}/notes"
    note = await post(
        desk, path, {"body": "They wait for the new prices, @ada knows", "hand_to": "sam", "asks_for_pause": True}, 201
    )
    assert note["mentions"] == ["ada"]
    tasks = (await desk.get("/v1/tasks", customer_id=customer.id))["items"]
    assert sorted((task["kind"], task["assignee"]) for task in tasks if task["assignee"]) == [
        ("handed_over", "sam"),
        ("mentioned", "ada"),
    ]
    assert [task["kind"] for task in tasks if task["assignee"] is None] == ["pause_asked"]
    assert [each["body"] for each in (await desk.get(path))["items"]] == [note["body"]]
    assert desk.mails() == []


async def test_a_note_for_a_stranger_or_on_an_unknown_account_changes_nothing(desk: Desk) -> None:
    customer = await desk.onboard()
    path = f"/v1/cases/{customer.id}/notes"
    await post(desk, path, {"body": "Please help", "hand_to": "zoe"}, 404)
    await post(desk, path, {"body": "Please help", "mentions": ["zoe"]}, 422)
    await post(desk, path, {"body": "   "}, 422)
    await post(desk, f"/v1/cases/{uuid4()}/notes", {"body": "Who is this?"}, 404)
    assert (await desk.get(path))["items"] == []
    assert (await desk.get("/v1/tasks"))["items"] == []
