"""A day of payment that the customer named: nothing goes out before it has passed, and then it goes on."""

from __future__ import annotations

from datetime import date

from tests.reminder.desk import Desk

DUE = date(2026, 2, 1)


async def test_nothing_goes_out_until_the_promised_day_has_passed(desk: Desk) -> None:
    customer = await desk.onboard()
    invoice = await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 4))
    before = [step for _, step in await desk.sent()]
    await desk.hear(invoice.promise(date(2026, 2, 20)))

    explained = await desk.get(f"/v1/cases/{customer.id}/explanation")
    await desk.until(date(2026, 2, 20), hour=20)
    on_the_day = [step for _, step in await desk.sent()]
    await desk.until(date(2026, 2, 21))

    assert (await desk.get(f"/v1/cases/{customer.id}"))["promised_on"] == "2026-02-20"
    assert "promised to pay by" in str(explained)
    assert before == on_the_day == ["due-soon", "first-reminder"]
    assert [(str(day), step) for day, step in await desk.sent()][-1] == ("2026-02-21", "second-reminder")


async def test_a_promise_kept_closes_the_case_and_is_forgotten(desk: Desk) -> None:
    customer = await desk.onboard()
    invoice = await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 4))
    await desk.hear(invoice.promise(date(2026, 2, 20)))
    await desk.hear(*invoice.pay())

    case = await desk.get(f"/v1/cases/{customer.id}")
    assert (case["status"], case["promised_on"]) == ("closed", None)


async def test_a_message_already_planned_when_the_promise_comes_is_held_back(desk: Desk) -> None:
    customer = await desk.onboard()
    invoice = await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 4))

    async def promise() -> None:
        await desk.hear(invoice.promise(date(2026, 2, 20)))

    desk.invoice_service.meanwhile = promise
    await desk.until(date(2026, 2, 8))

    held = (await desk.contacts(customer_id=customer.id, status="suppressed"))[-1]
    assert (held["step"], held["reason"]) == ("second-reminder", "promised")
    assert [step for _, step in await desk.sent()] == ["due-soon", "first-reminder"]
