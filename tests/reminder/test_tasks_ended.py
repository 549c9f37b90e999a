"""What nobody has to do any more is done by itself, and says why."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.reminder.books import Invoice
from tests.reminder.desk import Desk
from tests.reminder.test_offers import SETTLEMENT, late, offer, say
from tests.reminder.test_placements import ask, decide, old_account, pay
from tests.service_client import post, problem

DUE = date(2026, 2, 1)
APPROVED_FIRST = """\
name: default
title: A first step, then one that somebody approves
steps:
  - {name: ask, days_from_due: 1, channel: email, tone: friendly, template: first-reminder}
  - {name: decide, days_from_due: 5, channel: email, tone: formal, template: final-notice, approval: true}
"""


async def only_task(desk: Desk, kind: str) -> dict[str, Any]:
    (task,) = (await desk.get("/v1/tasks", kind=kind))["items"]
    return task


async def waiting_step(desk: Desk) -> Invoice:
    await desk.http.put("/v1/strategies/default", content=APPROVED_FIRST, headers={"if-match": '"1"'})
    customer = await desk.onboard()
    invoice = await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 10))
    assert (await only_task(desk, "approve_step"))["status"] == "open"
    return invoice


@pytest.mark.parametrize(
    ("how", "because"),
    [
        ("pay", "everything overdue was settled"),
        ("dispute", "the rest is disputed"),
        ("agree_plan", "the rest is on a plan"),
        ("written_off", "what was overdue was written off"),
    ],
)
async def test_a_step_that_waits_for_approval_asks_nobody_when_its_case_closes(
    desk: Desk, how: str, because: str
) -> None:
    invoice = await waiting_step(desk)
    events = {
        "pay": invoice.pay,
        "dispute": lambda: [invoice.dispute()],
        "agree_plan": lambda: [invoice.agree_plan()],
        "written_off": lambda: invoice.give_up("written_off"),
    }[how]()
    await desk.hear(*events)
    task = await only_task(desk, "approve_step")
    assert (task["status"], task["done_by"]) == ("done", "the service")
    assert task["outcome"] == f"the case was closed, because {because}"
    assert (await desk.types())[-1] == "task.done"


async def test_it_stays_while_anything_may_be_asked_for(desk: Desk) -> None:
    invoice = await waiting_step(desk)
    customer_id = invoice.customer_id
    other = Invoice(customer_id, "R-2", 500, due_on=DUE, issued_on=DUE - timedelta(days=30))
    desk.invoice_service.invoices.append(other)
    await desk.hear(other.issue(), other.become_overdue())
    await desk.hear(*invoice.pay())
    assert (await only_task(desk, "approve_step"))["status"] == "open"
    await desk.hear(*other.pay())
    assert (await only_task(desk, "approve_step"))["status"] == "done"


async def test_what_wants_a_decision_is_not_ticked_off(desk: Desk) -> None:
    await waiting_step(desk)
    task = await only_task(desk, "approve_step")
    done = await desk.http.post(f"/v1/tasks/{task['id']}/done", json={}, headers={"idempotency-key": str(uuid4())})
    assert problem(done, 409) == "task-decision-wanted"
    many = await post(desk.http, "/v1/tasks/done", {"task_ids": [task["id"]]})
    assert problem(many, 409) == "task-decision-wanted"
    assert many.json()["errors"][0]["pointer"] == "#/task_ids/0"
    assert (await only_task(desk, "approve_step"))["status"] == "open"


@pytest.mark.parametrize(
    ("decision", "by_another", "outcome"),
    [("approval", True, "approved"), ("rejection", True, "rejected"), ("rejection", False, "withdrawn")],
)
async def test_whoever_decides_on_a_placement_has_done_its_task(
    desk: Desk, bert: dict[str, str], decision: str, by_another: bool, outcome: str
) -> None:
    customer, _ = await old_account(desk)
    asked = (await ask(desk, customer)).json()
    assert (await decide(desk, asked, decision, bert if by_another else None)).status_code == 201
    task = await only_task(desk, "approval_wanted")
    assert (task["status"], task["outcome"]) == ("done", outcome)
    assert task["done_by"] == ("bert" if by_another else "anna")


async def test_a_placement_that_waits_is_withdrawn_when_the_account_pays(desk: Desk) -> None:
    customer, invoice = await old_account(desk)
    asked = (await ask(desk, customer)).json()
    await pay(desk, invoice)
    task = await only_task(desk, "approval_wanted")
    assert (task["status"], task["done_by"]) == ("done", "the service")
    assert task["outcome"] == "withdrawn: the case was closed, because everything overdue was settled"
    placement = await desk.get(f"/v1/placements/{asked['id']}")
    assert (placement["status"], placement["because"]) == (
        "withdrawn",
        "the case was closed, because everything overdue was settled",
    )


@pytest.mark.parametrize("ends_by", ["approval", "rejection", "withdrawal", "expiry", "payment"])
async def test_an_offer_asks_for_approval_until_it_has_it_or_is_over(
    desk: Desk, bert: dict[str, str], ends_by: str
) -> None:
    customer, invoice = await late(desk)
    made = await offer(desk, customer, SETTLEMENT)
    match ends_by:
        case "expiry":
            await desk.until(date(2026, 2, 11))
        case "payment":
            await desk.hear(*invoice.pay())
        case "withdrawal":
            await say(desk, made, "withdrawal", reason="no more")
        case _:
            assert (await say(desk, made, ends_by, bert)).status_code == 201
    task = await only_task(desk, "approval_wanted")
    assert (task["status"], task["done_by"], task["outcome"]) == {
        "approval": ("done", "bert", "approved"),
        "rejection": ("done", "bert", "rejected"),
        "withdrawal": ("done", "the service", "withdrawn: no more"),
        "expiry": ("done", "the service", "expired"),
        "payment": (
            "done",
            "the service",
            "withdrawn: the case was closed, because everything overdue was settled",
        ),
    }[ends_by]
