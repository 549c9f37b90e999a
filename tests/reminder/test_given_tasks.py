"""Somebody gives a colleague a task for an account: it is in the worklist from its day, and is done as others are."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.reminder.given_tasks import rules
from services.reminder.given_tasks.rules import CaseNotOpen, TaskDayRefused
from tests.reminder.books import Invoice
from tests.reminder.desk import Desk
from tests.reminder.test_tasks_and_team import keep, post
from tests.service_client import problem

DUE = date(2026, 2, 1)
TODAY = date(2026, 2, 2)
WANTED = {"title": "Ask the plant manager", "note": "He signed the delivery", "due_on": "2026-02-04"}


@pytest.mark.parametrize(
    ("due_on", "is_open", "refusal"),
    [
        (date(2026, 2, 1), True, TaskDayRefused),
        (TODAY, True, None),
        (date(2026, 2, 3), True, None),
        (TODAY, False, CaseNotOpen),
    ],
)
def test_a_task_is_due_today_or_later_and_belongs_to_an_open_case(
    due_on: date, is_open: bool, refusal: type[Exception] | None
) -> None:
    with pytest.raises(refusal) if refusal else nullcontext():
        rules.check(due_on, TODAY, is_open=is_open)


@pytest.fixture
async def invoice(desk: Desk) -> Invoice:
    """One day overdue, and so a case is open."""
    invoice = await desk.issue(await desk.onboard(), DUE)
    await desk.until(TODAY)
    return invoice


def door(customer_id: UUID) -> str:
    return f"/v1/cases/{customer_id}/tasks"


async def listed(desk: Desk) -> list[tuple[str, ...]]:
    return [tuple(entry["tasks"]) for entry in (await desk.get("/v1/worklist", nobodys=True))["items"]]


async def test_a_given_task_stands_in_the_worklist_from_its_day_and_is_done_like_others(
    desk: Desk, invoice: Invoice
) -> None:
    await keep(desk, "ada", name="Ada")
    task = await post(desk, door(invoice.customer_id), {**WANTED, "assignee": "ada"}, 201)
    assert (task["kind"], task["title"], task["detail"]) == ("to_do", WANTED["title"], WANTED["note"])
    assert (task["status"], task["due_on"], task["assignee"], task["version"]) == ("open", "2026-02-04", "ada", 1)
    assert task["given_by"]
    assert (await desk.get(f"/v1/tasks/{task['id']}")).items() >= task.items()
    assert [each["id"] for each in (await desk.get("/v1/tasks", assignee="ada"))["items"]] == [task["id"]]
    assert "to_do" not in str(await listed(desk))
    await desk.until(date(2026, 2, 4))
    assert ("to_do",) in await listed(desk)
    (entry,) = (await desk.get("/v1/worklist", nobodys=True))["items"]
    assert entry["next"]["action"] == "help"
    done = await post(desk, f"/v1/tasks/{task['id']}/done", {"outcome": "He confirmed it"})
    assert (done["status"], done["outcome"], done["given_by"]) == ("done", "He confirmed it", task["given_by"])
    assert [type for type in await desk.types() if type.startswith("task.")] == ["task.assigned", "task.done"]


async def test_the_same_request_twice_is_one_task_and_the_same_words_again_are_another(
    desk: Desk, invoice: Invoice
) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    first, again = [await desk.http.post(door(invoice.customer_id), json=WANTED, headers=key) for _ in range(2)]
    assert (first.status_code, again.json()) == (201, first.json())
    await post(desk, door(invoice.customer_id), WANTED, 201)
    assert len((await desk.get("/v1/tasks", kind="to_do"))["items"]) == 2


async def test_a_call_that_was_asked_for_is_done_with_the_next_one_that_is_logged(desk: Desk, invoice: Invoice) -> None:
    task = await post(desk, door(invoice.customer_id), {**WANTED, "kind": "call", "due_on": "2026-02-02"}, 201)
    await post(desk, f"/v1/cases/{invoice.customer_id}/calls", {"outcome": "no_answer"}, 201)
    assert (await desk.get(f"/v1/tasks/{task['id']}"))["status"] == "done"


async def test_when_the_case_closes_a_call_is_over_and_what_a_colleague_asked_for_is_not(
    desk: Desk, invoice: Invoice
) -> None:
    call = await post(desk, door(invoice.customer_id), {**WANTED, "kind": "call"}, 201)
    to_do = await post(desk, door(invoice.customer_id), WANTED, 201)
    await desk.hear(*invoice.pay())
    assert (await desk.get(f"/v1/tasks/{call['id']}"))["done_by"] == "the service"
    assert (await desk.get(f"/v1/tasks/{to_do['id']}"))["status"] == "open"


@pytest.mark.parametrize(
    ("changes", "status", "kind", "field"),
    [
        ({"due_on": "2026-02-01"}, 422, "task-day-refused", "#/due_on"),
        ({"assignee": "zoe"}, 404, "colleague-not-found", "#/assignee"),
        ({"title": "   "}, 422, "invalid-request", "#/title"),
        ({"kind": "approve_step"}, 422, "invalid-request", "#/kind"),
    ],
)
async def test_a_task_that_cannot_be_is_refused_and_changes_nothing(
    desk: Desk, invoice: Invoice, changes: dict[str, Any], status: int, kind: str, field: str
) -> None:
    answer = await desk.http.post(
        door(invoice.customer_id), json={**WANTED, **changes}, headers={"Idempotency-Key": str(uuid4())}
    )
    assert problem(answer, status) == kind
    assert answer.json()["errors"][0]["pointer"] == field
    assert (await desk.get("/v1/tasks"))["items"] == []


async def test_nobody_is_given_a_task_for_a_stranger_or_where_no_case_is_open(desk: Desk, invoice: Invoice) -> None:
    assert (await post(desk, door(uuid4()), WANTED, 404))["type"].endswith("/case-not-found")
    new = await desk.onboard()
    assert (await post(desk, door(new.id), WANTED, 409))["type"].endswith("/case-not-open")
    await desk.hear(*invoice.pay())
    assert (await post(desk, door(invoice.customer_id), WANTED, 409))["type"].endswith("/case-not-open")
    assert (await desk.get("/v1/tasks"))["items"] == []
