"""Steps that are taken only under conditions or with somebody's approval, and steps that a strategy leaves out."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from shared.events.reminder import CaseEscalated, CaseStepSkipped
from tests import service_client
from tests.reminder.desk import Desk

DUE = date(2026, 2, 1)

ASK = "  - {name: ask, days_from_due: 3, channel: email, tone: friendly, template: first-reminder}\n"
END = "  - {name: end, days_from_due: 20, channel: email, tone: formal, template: final-notice}\n"


async def publish(desk: Desk, *steps: str, catch_up: str = "") -> None:
    document = f"name: default\ntitle: With conditions\n{catch_up}steps:\n{''.join(steps)}"
    answer = await desk.http.put("/v1/strategies/default", content=document, headers={"if-match": '"1"'})
    assert answer.status_code == 200, answer.text


async def owing(desk: Desk, minor: int = 10_000) -> Any:
    customer = await desk.onboard()
    await desk.issue(customer, DUE, issued_on=DUE - timedelta(days=2), minor=minor)
    return customer


async def skipped(desk: Desk) -> list[tuple[str, str]]:
    told = [event["data"] for event in await desk.published() if event["type"] == "case.step_skipped"]
    return [(event.skipped, event.reason) for event in map(CaseStepSkipped.model_validate, told)]


@pytest.mark.parametrize(("minor", "taken"), [(9_999, False), (10_000, True), (10_001, True)])
async def test_a_step_whose_conditions_do_not_hold_is_left_out_and_says_so(desk: Desk, minor: int, taken: bool) -> None:
    small = (
        "  - {name: insist, days_from_due: 10, channel: email, tone: firm, template: firm-reminder, "
        "actions: [fee], conditions: {amount_at_least: {EUR: 100}}}\n"
    )
    await publish(desk, ASK, small, END)
    customer = await owing(desk, minor)
    await desk.until(date(2026, 2, 22))
    assert await desk.sent() == [
        ("2026-02-04", "ask"),
        *([("2026-02-11", "insist")] if taken else []),
        ("2026-02-21", "end"),
    ]
    held = await desk.contacts(customer_id=customer.id, status="suppressed")
    if not taken:
        assert [(c["step"], c["reason"], c["due_at"][:10]) for c in held] == [("insist", "conditions", "2026-02-11")]
        assert await skipped(desk) == [("insist", "conditions")]
    assert (await desk.get(f"/v1/cases/{customer.id}"))["level"] == 3


async def test_days_after_the_previous_step_count_from_the_day_it_was_taken_or_left_out(desk: Desk) -> None:
    never = (
        "  - {name: never, days_after_previous: 4, channel: email, tone: firm, template: firm-reminder, "
        "conditions: {invoices_at_least: 2}}\n"
    )
    then = "  - {name: then, days_after_previous: 2, channel: email, tone: firm, template: firm-reminder}\n"
    await publish(desk, ASK, never, then)
    await owing(desk)
    await desk.until(date(2026, 2, 12))
    assert await desk.sent() == [("2026-02-04", "ask"), ("2026-02-10", "then")]


async def test_missed_steps_are_left_out_where_the_strategy_says_so_but_never_the_first(desk: Desk) -> None:
    middle = "  - {name: insist, days_from_due: 10, channel: email, tone: firm, template: firm-reminder}\n"
    await publish(desk, ASK, middle, END, catch_up="catch_up: {mode: skip_to_current, gap_days: 3}\n")
    customer = await desk.onboard()
    invoice = await desk.issue(customer, DUE, issued_on=DUE - timedelta(days=2))
    await desk.set_clock((await desk.now()).replace(month=3, day=20))
    await desk.hear(invoice.become_overdue())
    await desk.until(date(2026, 3, 30))
    assert await desk.sent() == [("2026-03-20", "ask"), ("2026-03-23", "end")]
    assert await skipped(desk) == [("insist", "missed")]


APPROVED = (
    "  - {name: insist, days_from_due: 10, channel: email, tone: firm, template: firm-reminder, approval: true}\n"
)


async def judge(desk: Desk, verb: str, **body: Any) -> Any:
    (task,) = (await desk.get("/v1/tasks", kind="approve_step"))["items"]
    return await service_client.post(desk.http, f"/v1/tasks/{task['id']}/{verb}", body)


async def test_a_step_that_needs_approval_waits_for_it_and_then_goes_out_at_once(desk: Desk) -> None:
    await publish(desk, ASK, APPROVED, END)
    customer = await owing(desk)
    await desk.until(date(2026, 2, 15))
    waiting = await desk.get(f"/v1/cases/{customer.id}")
    assert (waiting["awaits_approval_of"], waiting["waiting_because"]) == ("insist", "awaits_approval")
    assert await desk.sent() == [("2026-02-04", "ask")]

    answer = await judge(desk, "approvals", note="they know")
    assert answer.status_code == 201, answer.text
    await desk.tick()
    assert (await desk.sent())[-1] == ("2026-02-15", "insist")
    (task,) = (await desk.get("/v1/tasks", kind="approve_step"))["items"]
    assert task["status"] == "done"
    await desk.until(date(2026, 2, 22))
    assert (await desk.sent())[-1] == ("2026-02-21", "end")


async def test_a_step_that_is_refused_is_left_out(desk: Desk) -> None:
    await publish(desk, ASK, APPROVED, END)
    await owing(desk)
    await desk.until(date(2026, 2, 15))
    assert (await judge(desk, "refusals")).status_code == 201
    await desk.until(date(2026, 2, 22))
    assert await desk.sent() == [("2026-02-04", "ask"), ("2026-02-21", "end")]
    assert await skipped(desk) == [("insist", "approval_refused")]


async def test_an_approval_that_comes_after_the_payment_changes_nothing(desk: Desk) -> None:
    await publish(desk, ASK, APPROVED, END)
    customer = await desk.onboard()
    invoice = await desk.issue(customer, DUE, issued_on=DUE - timedelta(days=2))
    await desk.until(date(2026, 2, 15))
    await desk.hear(*invoice.pay())
    late = await judge(desk, "approvals")
    assert (late.status_code, late.json()["type"].rpartition("/")[2]) == (409, "step-not-waiting")


async def test_actions_travel_with_the_event_and_a_task_is_somebodys(desk: Desk) -> None:
    step = """\
  - name: offer
    days_from_due: 10
    actions: [task, plan, credit_hold, notify_sales]
    task: {title: Ring the buyer, within_days: 2}
    plan: {instalments_max: 6}
"""
    await publish(desk, ASK, step)
    await owing(desk)
    await desk.until(date(2026, 2, 12))
    told = [event["data"] for event in await desk.published() if event["type"] == "case.escalated"]
    offered = CaseEscalated.model_validate(told[-1])
    assert offered.actions == ("task", "plan", "credit_hold", "notify_sales")
    assert offered.plan_instalments_max == 6
    (task,) = (await desk.get("/v1/tasks", kind="step"))["items"]
    assert (task["title"], task["due_on"]) == ("Ring the buyer", "2026-02-13")
