"""Who does what: tasks are handed on, put off and done; somebody who is away is stood in for."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from services.reminder.team import rules
from services.reminder.team.rules import AbsenceRefused, Colleague, CoverRefused, EmailRefused
from tests.reminder.books import without_email
from tests.reminder.desk import Desk

DUE = date(2026, 2, 1)
AWAY = (date(2026, 3, 2), date(2026, 3, 6))


def colleague(
    subject: str, cover: str | None = None, away: tuple[date | None, date | None] = (None, None)
) -> Colleague:
    return Colleague(subject, 1, subject.title(), "collections", None, None, *away, cover)


@pytest.mark.parametrize(
    ("day", "acts"),
    [(date(2026, 3, 1), "ada"), (date(2026, 3, 2), "bea"), (date(2026, 3, 6), "bea"), (date(2026, 3, 7), "ada")],
)
def test_the_cover_acts_from_the_first_to_the_last_day_away(day: date, acts: str) -> None:
    team = {each.subject: each for each in (colleague("ada", "bea", AWAY), colleague("bea"))}
    assert rules.stands_in("ada", team, day) == acts
    assert ("ada" in rules.acts_for(acts, team.values(), day)) is True


def test_a_cover_who_is_away_too_is_covered_in_turn_and_nobody_at_all_leaves_it_where_it_was() -> None:
    open_end = (AWAY[0], None)
    team = {
        each.subject: each
        for each in (colleague("ada", "bea", AWAY), colleague("bea", "cem", open_end), colleague("cem"))
    }
    assert rules.stands_in("ada", team, AWAY[0]) == "cem"
    team["cem"] = colleague("cem", None, AWAY)
    assert rules.stands_in("ada", team, AWAY[0]) == "ada"
    assert rules.acts_for("cem", team.values(), AWAY[1].replace(day=7)) == {"bea", "cem"}


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        (colleague("ada", "ada"), CoverRefused),
        (colleague("ada", "zoe"), CoverRefused),
        (colleague("ada", "bea"), CoverRefused),
        (colleague("ada", None, (None, AWAY[1])), AbsenceRefused),
        (colleague("ada", None, (AWAY[1], AWAY[0])), AbsenceRefused),
        (Colleague("ada", 1, "Ada", "sales", "ada at work"), EmailRefused),
    ],
)
def test_covers_in_a_circle_and_impossible_absences_are_refused(changed: Colleague, refusal: type) -> None:
    team = {"ada": changed, "bea": colleague("bea", "ada")}
    with pytest.raises(refusal):
        rules.check(changed, team)


async def keep(desk: Desk, subject: str, **fields: Any) -> None:
    answer = await desk.http.put(f"/v1/team/{subject}", json=fields, headers={"If-None-Match": "*"})
    assert answer.status_code == 201, answer.text


async def post(desk: Desk, path: str, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    answer = await desk.http.post(path, json=body, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == status, answer.text
    return answer.json()


async def a_task(desk: Desk) -> dict[str, Any]:
    """Somebody cannot be written to, so a person has to look."""
    customer = await desk.onboard(contacts=(without_email(),))
    await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 2))
    (task,) = (await desk.get("/v1/tasks", customer_id=customer.id))["items"]
    return task


async def test_a_task_is_handed_on_put_off_and_done_once(desk: Desk) -> None:
    task = await a_task(desk)
    await keep(desk, "ada", name="Ada", role="sales", email="ada@northwind.example")
    path = f"/v1/tasks/{task['id']}"
    handed = await post(desk, f"{path}/assignments", {"assignee": "ada"})
    assert (handed["assignee"], handed["version"]) == ("ada", 2)
    await post(desk, f"{path}/assignments", {"assignee": "zoe"}, status=404)
    await post(desk, f"{path}/snoozes", {"until": "2026-02-02"}, status=422)
    assert (await post(desk, f"{path}/snoozes", {"until": "2026-02-03"}))["snoozed_until"] == "2026-02-03"
    done = await post(desk, f"{path}/done", {"outcome": "found in the letterhead"})
    assert (done["status"], done["outcome"]) == ("done", "found in the letterhead")
    assert (await post(desk, f"{path}/done", {}, status=409))["type"].endswith("task-over")
    told = [type for type in await desk.types() if type.startswith("task.")]
    assert told == ["task.assigned", "task.assigned", "task.assigned", "task.done"]
    assert (await desk.get("/v1/tasks", status="open"))["items"] == []


async def test_whoever_stands_in_sees_the_tasks_of_the_one_who_is_away(desk: Desk) -> None:
    task = await a_task(desk)
    await keep(desk, "bea", name="Bea")
    await keep(desk, "ada", name="Ada", absent_from="2026-02-03", cover="bea")
    await post(desk, f"/v1/tasks/{task['id']}/assignments", {"assignee": "ada"})
    assert (await desk.get("/v1/tasks", assignee="bea"))["items"] == []
    await desk.until(date(2026, 2, 3))
    assert [each["id"] for each in (await desk.get("/v1/tasks", assignee="bea"))["items"]] == [task["id"]]
    changed = {"name": "Ada", "cover": "ada"}
    answer = await desk.http.put("/v1/team/ada", json=changed, headers={"If-Match": '"1"'})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/cover"
    answer = await desk.http.put("/v1/team/ada", json={"name": "Ada"}, headers={"If-Match": '"7"'})
    assert answer.status_code == 412
