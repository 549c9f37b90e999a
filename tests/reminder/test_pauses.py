"""A customer is left in peace for a while because somebody asked for it: all of it, or some invoices."""

from __future__ import annotations

from datetime import date
from typing import Any

import httpx
import pytest

from tests.reminder.books import Customer
from tests.reminder.desk import Desk
from tests.service_client import post, problem

DUE = date(2026, 2, 1)


async def late(desk: Desk) -> Customer:
    """A customer who has had the first reminder; the second is due on 8 February."""
    customer = await desk.onboard()
    await desk.issue(customer, DUE)
    await desk.until(date(2026, 2, 4))
    return customer


async def ask(desk: Desk, customer: Customer, until: str = "2026-02-20", **more: Any) -> httpx.Response:
    body = {"until": until, "reason": "sales_asked", **more}
    return await post(desk.http, f"/v1/cases/{customer.id}/pauses", body)


async def test_nothing_goes_out_until_its_last_day_has_passed(desk: Desk) -> None:
    customer = await late(desk)
    made = (await ask(desk, customer, note="Fair in Hanover, then they decide", asked_by="Maria, sales")).json()
    assert (made["status"], made["asked_by"], made["made_by"]) == ("running", "Maria, sales", "anna")
    await desk.until(date(2026, 2, 20), hour=20)
    assert [step for _, step in await desk.sent()] == ["due-soon", "first-reminder"]
    assert (await desk.get(f"/v1/pauses/{made['id']}"))["status"] == "running"

    await desk.until(date(2026, 2, 21))
    assert (await desk.sent())[-1] == ("2026-02-21", "second-reminder")
    over = await desk.get(f"/v1/pauses/{made['id']}")
    assert (over["status"], over["ended_on"], over["version"]) == ("over", "2026-02-21", 2)


async def test_ended_early_the_case_goes_on(desk: Desk) -> None:
    customer = await late(desk)
    made = (await ask(desk, customer)).json()
    await desk.until(date(2026, 2, 10))
    ended = await post(desk.http, f"/v1/pauses/{made['id']}/end", {"note": "they have decided"})
    assert (ended.json()["status"], ended.json()["ended_by"]) == ("ended", "anna")
    await desk.until(date(2026, 2, 11))
    assert (await desk.sent())[-1] == ("2026-02-11", "second-reminder")
    again = await post(desk.http, f"/v1/pauses/{made['id']}/end", {})
    assert problem(again, 409) == "pause-over"


async def test_a_second_pause_is_refused_while_one_runs(desk: Desk) -> None:
    customer = await late(desk)
    assert (await ask(desk, customer)).status_code == 201
    assert problem(await ask(desk, customer, "2026-03-01"), 409) == "already-paused"
    assert problem(await ask(desk, customer, items=["R-1"]), 409) == "already-paused"
    assert len((await desk.get(f"/v1/cases/{customer.id}/pauses"))["items"]) == 1
    await desk.until(date(2026, 2, 21))
    assert (await ask(desk, customer, "2026-03-01")).status_code == 201
    assert len((await desk.get("/v1/pauses", customer_id=customer.id, status="running"))["items"]) == 1


@pytest.mark.parametrize(("until", "status"), [("2026-02-03", 422), ("2026-02-04", 201), ("2026-05-05", 201)])
async def test_it_lasts_from_today_to_the_last_day_allowed(desk: Desk, until: str, status: int) -> None:
    customer = await late(desk)
    assert (await ask(desk, customer, until)).status_code == status


async def test_what_cannot_be_paused(desk: Desk) -> None:
    customer = await late(desk)
    assert problem(await ask(desk, customer, "2026-05-06"), 422) == "pause-day"
    assert problem(await ask(desk, customer, items=["R-9"]), 422) == "pause-invoice"
    assert problem(await ask(desk, customer, reason="I like them"), 422) == "invalid-request"
    assert problem(await ask(desk, Customer.new()), 404) == "case-not-found"


async def test_only_the_invoices_named_rest(desk: Desk) -> None:
    customer = await late(desk)
    await desk.issue(customer, date(2026, 2, 2), "R-2", 5_000)
    await desk.until(date(2026, 2, 5))
    await ask(desk, customer, items=["R-1"])
    await desk.until(date(2026, 2, 9))
    second = (await desk.contacts(customer_id=customer.id, status="sent"))[-1]
    assert (second["sent_at"][:10], second["step"], second["invoices"]) == ("2026-02-09", "second-reminder", ["R-2"])
    await desk.until(date(2026, 3, 5))
    assert (await desk.contacts(customer_id=customer.id, status="sent"))[-1]["invoices"] == ["R-1", "R-2"]


async def test_an_invoice_whose_pause_is_ended_early_is_asked_for_again(desk: Desk) -> None:
    customer = await late(desk)
    made = (await ask(desk, customer, "2026-04-01", items=["R-1"])).json()
    await desk.until(date(2026, 2, 10))
    assert [step for _, step in await desk.sent()] == ["due-soon", "first-reminder"]
    await post(desk.http, f"/v1/pauses/{made['id']}/end", {})
    await desk.until(date(2026, 2, 11))
    assert (await desk.sent())[-1] == ("2026-02-11", "second-reminder")
