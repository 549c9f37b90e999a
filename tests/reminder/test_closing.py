"""Why a case is closed and a customer left in peace: a plan, a dispute, money, a write-off, a void."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

import pytest

from tests.reminder.books import Customer
from tests.reminder.desk import Desk

DUE = date(2026, 2, 1)


async def told(desk: Desk, customer: Customer) -> tuple[str, str | None, str]:
    """(why it was closed, why it is silent, the explanation), after the event said the same."""
    case = await desk.get(f"/v1/cases/{customer.id}")
    assert case["status"] == "closed"
    closed = [event for event in await desk.published() if event["type"] == "case.closed"]
    assert closed[-1]["data"]["reason"] == case["closed_because"]
    explained = (await desk.get(f"/v1/cases/{customer.id}/explanation"))["text"]
    return case["closed_because"], case["waiting_because"], explained


async def test_a_plan_silences_the_invoice_until_it_is_broken(desk: Desk) -> None:
    customer = await desk.onboard()
    invoice = await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 3))
    await desk.hear(invoice.agree_plan())
    because, waiting, explained = await told(desk, customer)
    await desk.until(date(2026, 4, 1))
    silent = await desk.sent()
    await desk.hear(invoice.break_plan())
    await desk.until(date(2026, 4, 2))

    assert (because, waiting) == ("on_plan", "on_plan")
    assert "closed on 3 February 2026, because the rest is on a plan." in explained
    assert "because what is overdue is on a plan: what is paid by a plan is not chased." in explained
    assert [step for _, step in silent] == ["due-soon", "first-reminder"]
    assert (await desk.sent())[-1] == ("2026-04-02", "first-reminder")


async def test_a_dispute_and_a_plan_are_both_named(desk: Desk) -> None:
    customer = await desk.onboard()
    disputed, planned = await desk.issue(customer, DUE, "R-1"), await desk.issue(customer, DUE, "R-2")
    chased = await desk.issue(customer, DUE, "R-3")
    await desk.until(date(2026, 2, 3))
    await desk.hear(disputed.dispute(), planned.agree_plan())
    still_open = (await desk.get(f"/v1/cases/{customer.id}/explanation"))["text"]
    await desk.hear(*chased.pay())
    because, waiting, explained = await told(desk, customer)

    assert "; 2 invoices (200.00 EUR) are overdue but disputed or on a plan." in still_open
    assert (because, waiting) == ("disputed", "disputed")
    assert "because what is overdue is disputed or on a plan: " in explained


@pytest.mark.parametrize("how", ["voided", "written_off"])
@pytest.mark.parametrize("in_one_batch", [True, False])
async def test_what_is_given_up_closes_the_case_and_says_so(
    desk: Desk, how: Literal["voided", "written_off"], in_one_batch: bool
) -> None:
    customer = await desk.onboard()
    invoice = await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 3))
    news = invoice.give_up(how)
    await desk.hear(*news) if in_one_batch else [await desk.hear(event) for event in news]
    because, waiting, explained = await told(desk, customer)

    assert (because, waiting) == (how, "nothing_collectable")
    assert f"because what was overdue was {how.replace('_', ' ')}." in explained


async def test_money_for_one_invoice_goes_before_a_write_off_of_another(desk: Desk) -> None:
    customer = await desk.onboard()
    paid, lost = await desk.issue(customer, DUE, "R-1"), await desk.issue(customer, DUE, "R-2")
    await desk.until(date(2026, 2, 3))
    await desk.hear(*lost.give_up("written_off"), *paid.pay())
    assert (await told(desk, customer))[0] == "settled"


async def test_money_for_an_invoice_that_is_not_due_yet_does_not_hide_a_write_off(desk: Desk) -> None:
    customer = await desk.onboard()
    lost = await desk.issue(customer, DUE, "R-1")
    early = await desk.issue(customer, DUE + timedelta(days=60), "R-2")
    await desk.until(date(2026, 2, 3))
    await desk.hear(*lost.give_up("written_off"), *early.pay())
    assert (await told(desk, customer))[0] == "written_off"
