"""What customers promise to pay: nothing is asked of them meanwhile, and their word is kept or broken by what comes."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import httpx

from shared.money import Money
from tests.reminder.books import Customer, Invoice
from tests.reminder.desk import Desk
from tests.service_client import post, problem

DUE = date(2026, 2, 1)
FRIDAY = date(2026, 2, 20)  # Three business days of grace end on Wednesday the 25th.


async def late(desk: Desk, minor: int = 10_000) -> tuple[Customer, Invoice]:
    """A customer who has had the first reminder."""
    customer = await desk.onboard()
    invoice = await desk.issue(customer, DUE, minor=minor)
    await desk.until(date(2026, 2, 4))
    return customer, invoice


async def promise(desk: Desk, customer: Customer, amount: str = "100.00", on: date = FRIDAY, **more: Any) -> Any:
    answer = await ask(desk, customer, amount, on, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def ask(
    desk: Desk, customer: Customer, amount: str = "100.00", on: date | str = FRIDAY, currency: str = "EUR", **more: Any
) -> httpx.Response:
    body = {"amount": {"amount": amount, "currency": currency}, "on": str(on), **more}
    return await post(desk.http, f"/v1/cases/{customer.id}/promises", body)


async def pay(desk: Desk, invoice: Invoice, minor: int | None = None) -> None:
    """With money of that very day."""
    today = (await desk.now()).date()
    await desk.hear(*(event.model_copy(update={"effective_on": today}) for event in invoice.pay(minor)))


async def steps(desk: Desk) -> list[str]:
    return [step for _, step in await desk.sent()]


async def told(desk: Desk) -> list[str]:
    return [kind for kind in await desk.types() if kind.startswith("promise.")]


async def test_nothing_goes_out_until_the_days_of_grace_have_passed(desk: Desk) -> None:
    customer, _ = await late(desk)
    made = await promise(desk, customer, note="Rang; the boss signs on Friday")
    assert (made["status"], made["grace_until"], made["paid"]["amount"]) == ("open", "2026-02-25", "0.00")
    assert made["made_by"] == "anna"
    assert "promised to pay by" in str(await desk.get(f"/v1/cases/{customer.id}/explanation"))
    assert (await desk.get(f"/v1/cases/{customer.id}"))["promised_on"] == "2026-02-20"

    await desk.until(date(2026, 2, 25), hour=20)
    assert await steps(desk) == ["due-soon", "first-reminder"]
    assert (await desk.get(f"/v1/promises/{made['id']}"))["status"] == "open"


async def test_a_broken_promise_brings_the_next_step_at_once_and_somebody_to_ask(desk: Desk) -> None:
    customer = await desk.onboard()
    await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 2))
    made = await promise(desk, customer, on=date(2026, 2, 3))
    await desk.until(date(2026, 2, 7))  # The 6th is the last day of grace; the second reminder would be due on the 8th.

    assert (await desk.get(f"/v1/promises/{made['id']}"))["status"] == "broken"
    assert (await desk.sent())[-1] == ("2026-02-07", "second-reminder")
    assert await told(desk) == ["promise.made", "promise.broken"]
    [task] = (await desk.get("/v1/tasks", kind="promise_broken"))["items"]
    assert task["title"] == "Ask why 100.00 EUR was not paid as promised for 2026-02-03"
    assert (await desk.get(f"/v1/cases/{customer.id}"))["broken_promises"] == 1

    await desk.until(date(2026, 2, 16))  # After that the ladder has its own days again: the 15th day after due.
    assert (await desk.sent())[-1] == ("2026-02-16", "firm-reminder")


async def test_it_is_kept_when_what_was_promised_has_come_in(desk: Desk) -> None:
    customer, invoice = await late(desk)
    made = await promise(desk, customer, "60.00")
    await pay(desk, invoice, 5_999)
    assert (await desk.get(f"/v1/promises/{made['id']}"))["status"] == "open"
    await pay(desk, invoice, 1)

    kept = await desk.get(f"/v1/promises/{made['id']}")
    assert (kept["status"], kept["paid"]["amount"], kept["version"]) == ("kept", "60.00", 2)
    assert await told(desk) == ["promise.made", "promise.kept"]
    assert (await desk.get(f"/v1/cases/{customer.id}"))["promised_on"] is None
    await desk.until(date(2026, 2, 8))
    assert (await steps(desk))[-1] == "second-reminder"  # The rest is asked for as ever.


async def test_a_payment_that_is_taken_back_is_not_what_was_promised(desk: Desk) -> None:
    customer, invoice = await late(desk)
    made = await promise(desk, customer)
    await pay(desk, invoice, 9_000)
    await desk.hear(invoice.reverse().model_copy(update={"effective_on": date(2026, 2, 12)}))
    await desk.until(date(2026, 2, 26), hour=1)
    broken = await desk.get(f"/v1/promises/{made['id']}")
    assert (broken["status"], broken["part_kept"], broken["paid"]["amount"]) == ("broken", False, "0.00")


async def test_one_of_which_a_part_came_is_part_kept_and_counted_as_such(desk: Desk) -> None:
    customer, invoice = await late(desk)
    made = await promise(desk, customer)
    await pay(desk, invoice, 4_000)
    await desk.until(date(2026, 2, 26), hour=1)
    broken = await desk.get(f"/v1/promises/{made['id']}")
    assert (broken["status"], broken["part_kept"], broken["paid"]["amount"]) == ("broken", True, "40.00")

    second = await promise(desk, customer, "60.00", date(2026, 3, 10))
    await pay(desk, invoice)
    assert (await desk.get(f"/v1/promises/{second['id']}"))["status"] == "kept"
    figures = await desk.get(f"/v1/cases/{customer.id}/promise-figures")
    assert (figures["kept"], figures["part_kept"], figures["broken"]) == (1, 1, 0)
    assert figures["kept_rate"] == "50.00"


async def test_nobodys_word_is_doubted_while_its_money_waits_to_be_allocated(desk: Desk) -> None:
    customer, invoice = await late(desk)
    made = await promise(desk, customer)
    desk.invoice_service.unapplied[customer.id] = Money(10_000, "EUR")
    await desk.until(date(2026, 2, 28))
    assert (await desk.get(f"/v1/promises/{made['id']}"))["status"] == "open"
    assert await steps(desk) == ["due-soon", "first-reminder"]

    desk.invoice_service.unapplied.clear()
    await pay(desk, invoice)
    assert (await desk.get(f"/v1/promises/{made['id']}"))["status"] == "kept"


async def test_a_promise_is_judged_only_when_the_invoice_service_can_be_asked(desk: Desk) -> None:
    customer, _ = await late(desk)
    made = await promise(desk, customer)
    desk.invoice_service.down = True
    await desk.until(date(2026, 2, 27))
    assert (await desk.get(f"/v1/promises/{made['id']}"))["status"] == "open"
    desk.invoice_service.down = False
    await desk.tick()
    assert (await desk.get(f"/v1/promises/{made['id']}"))["status"] == "broken"


async def test_what_cannot_be_promised(desk: Desk) -> None:
    customer, _ = await late(desk)
    path = "/on"
    assert problem(await ask(desk, customer, on=date(2026, 2, 3)), 422) == "promise-day"
    far = await ask(desk, customer, on=date(2026, 4, 6))
    assert (problem(far, 422), far.json()["errors"][0]["pointer"]) == ("promise-day", f"#{path}")
    assert problem(await ask(desk, customer, "100.01"), 422) == "promise-above-balance"
    assert problem(await ask(desk, customer, "0.00"), 422) == "promise-above-balance"
    assert problem(await ask(desk, customer, "10.00", currency="USD"), 422) == "promise-above-balance"
    assert problem(await ask(desk, customer, items=["R-9"]), 422) == "promise-invoice"
    assert problem(await ask(desk, customer, on="soon"), 422) == "invalid-request"
    assert problem(await ask(desk, Customer.new()), 404) == "case-not-found"
    fine = await desk.onboard()
    assert problem(await ask(desk, fine), 409) == "case-closed"
    assert (await ask(desk, customer, on=date(2026, 2, 4))).status_code == 201  # Today is no day in the past.
    assert await told(desk) == ["promise.made"]


async def test_several_promises_together_stay_within_what_is_owed(desk: Desk) -> None:
    customer, _ = await late(desk)
    await desk.issue(customer, date(2026, 3, 1), "R-2", 5_000)
    await promise(desk, customer, "100.00", items=["R-1"])
    await promise(desk, customer, "20.00", date(2026, 3, 2), items=["R-2"])
    too_much = await ask(desk, customer, "30.01", items=["R-2"])
    assert problem(too_much, 422) == "promise-above-balance"
    assert "120.00 EUR is promised already" in too_much.json()["detail"]
    await promise(desk, customer, "30.00", items=["R-2"])
    assert len((await desk.get(f"/v1/cases/{customer.id}/promises"))["items"]) == 3


async def test_money_for_another_invoice_keeps_no_promise(desk: Desk) -> None:
    customer, invoice = await late(desk)
    other = await desk.issue(customer, date(2026, 3, 1), "R-2", 5_000)
    made = await promise(desk, customer, "50.00", items=["R-1"])
    await pay(desk, other)
    assert (await desk.get(f"/v1/promises/{made['id']}"))["paid"]["amount"] == "0.00"
    await pay(desk, invoice, 5_000)
    assert (await desk.get(f"/v1/promises/{made['id']}"))["status"] == "kept"


async def test_withdrawn_and_replaced_ones_count_neither_way(desk: Desk) -> None:
    customer, _ = await late(desk)
    first = await promise(desk, customer)
    second = await promise(desk, customer, on=date(2026, 3, 2), replaces=first["id"])
    assert (await desk.get(f"/v1/promises/{first['id']}"))["because"] == second["id"]
    assert (await desk.get(f"/v1/cases/{customer.id}"))["promised_on"] == "2026-03-02"

    taken_back = await post(desk.http, f"/v1/promises/{second['id']}/withdrawal", {"reason": "said by mistake"})
    assert taken_back.json()["status"] == "withdrawn"
    again = await post(desk.http, f"/v1/promises/{second['id']}/withdrawal", {"reason": "said by mistake"})
    assert problem(again, 409) == "promise-over"
    assert await told(desk) == ["promise.made", "promise.ended", "promise.made", "promise.ended"]
    assert (await desk.get(f"/v1/cases/{customer.id}/promise-figures"))["kept_rate"] is None
    await desk.until(date(2026, 2, 8))
    assert (await steps(desk))[-1] == "second-reminder"


async def test_sent_twice_it_is_made_once(desk: Desk) -> None:
    customer, _ = await late(desk)
    body = {"amount": {"amount": "100.00", "currency": "EUR"}, "on": str(FRIDAY)}
    path, key = f"/v1/cases/{customer.id}/promises", str(uuid4())
    first, second = await post(desk.http, path, body, key), await post(desk.http, path, body, key)
    assert first.json() == second.json()
    assert await told(desk) == ["promise.made"]


async def test_a_day_named_on_the_customers_page_is_a_promise_for_everything_open(desk: Desk) -> None:
    customer, invoice = await late(desk)
    other = await desk.issue(customer, date(2026, 3, 1), "R-2", 5_000)
    await desk.hear(invoice.promise(FRIDAY), other.promise(FRIDAY))
    [made] = (await desk.get("/v1/promises", customer_id=customer.id))["items"]
    assert (made["amount"]["amount"], made["items"], made["origin"]) == ("150.00", ["R-1", "R-2"], "customer")
    assert (await desk.get(f"/v1/cases/{customer.id}"))["promised_on"] == "2026-02-20"
    await pay(desk, invoice)
    await pay(desk, other)
    assert (await desk.get(f"/v1/promises/{made['id']}"))["status"] == "kept"
    case = await desk.get(f"/v1/cases/{customer.id}")
    assert (case["status"], case["promised_on"]) == ("closed", None)


async def test_the_customers_latest_word_takes_the_place_of_earlier_ones(desk: Desk) -> None:
    customer, invoice = await late(desk)
    first = await promise(desk, customer)
    await desk.hear(invoice.promise(date(2026, 3, 2)))
    [open_one] = (await desk.get("/v1/promises", customer_id=customer.id, status="open"))["items"]
    assert open_one["promised_on"] == "2026-03-02"
    assert (await desk.get(f"/v1/promises/{first['id']}"))["because"] == open_one["id"]


async def test_what_is_disputed_or_credited_in_the_meantime_breaks_no_promise(desk: Desk) -> None:
    disputing, invoice = await late(desk)
    made = await promise(desk, disputing)
    await desk.hear(invoice.dispute())
    await desk.until(date(2026, 2, 26), hour=1)
    assert (await desk.get(f"/v1/promises/{made['id']}"))["status"] == "lapsed"

    forgiven = await desk.onboard()
    other = await desk.issue(forgiven, DUE, "R-7")
    await desk.until(date(2026, 2, 26), hour=12)
    made = await promise(desk, forgiven, on=date(2026, 3, 2))
    await desk.hear(*other.give_up("written_off"))
    ended = await desk.get(f"/v1/promises/{made['id']}")
    assert (ended["status"], ended["because"]) == ("lapsed", "nothing is owed any more")


async def test_a_message_already_planned_when_the_promise_comes_is_held_back(desk: Desk) -> None:
    customer, invoice = await late(desk)

    async def promised() -> None:
        await desk.hear(invoice.promise(FRIDAY))

    desk.invoice_service.meanwhile = promised
    await desk.until(date(2026, 2, 8))

    held = (await desk.contacts(customer_id=customer.id, status="suppressed"))[-1]
    assert (held["step"], held["reason"]) == ("second-reminder", "promised")
    assert await steps(desk) == ["due-soon", "first-reminder"]


async def test_the_limits_are_the_entitys_own(desk: Desk) -> None:
    customer, _ = await late(desk)
    given = await desk.get("/v1/authority/default")
    assert (given["version"], given["authority"]["promises"]["days_max"]) == (0, 60)
    changed = await desk.http.put(
        "/v1/authority/default",
        json={"promises": {"days_max": 10, "grace_business_days": 0}},
        headers={"if-match": '"0"'},
    )
    assert (changed.status_code, changed.json()["version"]) == (200, 1)
    stale = await desk.http.put("/v1/authority/default", json={}, headers={"if-match": '"0"'})
    assert problem(stale, 412) == "stale-version"
    assert problem(await ask(desk, customer, on=date(2026, 2, 15)), 422) == "promise-day"
    made = await promise(desk, customer, on=date(2026, 2, 14))
    assert made["grace_until"] == "2026-02-14"
