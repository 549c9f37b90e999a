"""Headroom kept for orders: of many that race for it none gets more than there is, and none is counted twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.db import Database
from tests.credit.books import Invoice
from tests.credit.client import Credit, problem
from tests.credit.conftest import calling


def money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


@pytest.fixture
async def manager(credit_database: Database, keys_folder: Path, token: Callable[..., str]) -> AsyncIterator[Credit]:
    """The same service, called by somebody else."""
    async with calling(credit_database, keys_folder, token("all", "berta")) as service:
        yield service


async def order(credit: Credit, customer_id: str, amount: str, reference: str, **more: Any) -> dict[str, Any]:
    body = {"customer_id": customer_id, "amount": money(amount), "reference": reference, "reserve": True, **more}
    answer = await credit.post("/v1/credit-decisions", body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def standing(credit: Credit, customer_id: str) -> dict[str, Any]:
    return await credit.get(f"/v1/customers/{customer_id}/credit")


async def test_an_approved_order_keeps_its_headroom(credit: Credit) -> None:
    customer = await credit.onboard()

    decision = await order(credit, customer["id"], "30000.00", "PO 1")

    assert (decision["outcome"], decision["available"]) == ("approved", money("50000.00"))
    now = await standing(credit, customer["id"])
    assert (now["available"], now["exposure"]["total"]) == (money("20000.00"), money("30000.00"))
    assert now["exposure"]["items"] == []
    [part] = now["exposure"]["components"]
    assert (part["open"], part["reserved"]) == (money("0.00"), money("30000.00"))
    [kept] = (await credit.get("/v1/reservations", customer_id=customer["id"]))["items"]
    assert (kept["reference"], kept["status"], kept["expires_at"]) == ("PO 1", "held", decision["reserved_until"])
    [told] = [event for event in await credit.published(customer["id"]) if event["type"] == "credit.decision_made"]
    assert told["data"]["decision"]["reserved_until"] is not None


async def test_of_two_orders_that_race_for_the_last_headroom_one_gets_it(credit: Credit) -> None:
    customer = await credit.onboard()

    both = await asyncio.gather(*(order(credit, customer["id"], "30000.00", f"PO {n}") for n in range(2)))

    assert sorted(one["outcome"] for one in both) == ["approved", "declined"]


async def test_64_clients_racing_for_one_limit_never_get_more_than_it(credit: Credit) -> None:
    customer = await credit.onboard()

    asked = await asyncio.gather(*(order(credit, customer["id"], "7000.00", f"PO {n}") for n in range(64)))

    assert [one["outcome"] for one in asked].count("approved") == 7
    assert (await standing(credit, customer["id"]))["available"] == money("1000.00")
    blocked = await credit.get("/v1/blocked-orders", customer_id=customer["id"], limit=100)
    assert len(blocked["items"]) == 57


async def test_64_clients_racing_within_a_group_never_get_more_than_its_limit(credit: Credit) -> None:
    top = await credit.onboard()
    members = [top, *[await credit.onboard(parent_id=top["id"]) for _ in range(3)]]
    await set_group(credit, top["id"], "60000.00")

    asked = await asyncio.gather(
        *(order(credit, members[n % 4]["id"], "7000.00", f"PO {n}") for n in range(64)),
    )

    assert [one["outcome"] for one in asked].count("approved") == 8
    assert any("over_group_limit" in one["reasons"] for one in asked)
    together = (await standing(credit, members[3]["id"]))["group"]
    assert (together["available"], together["exposure"]["total"]) == (money("4000.00"), money("56000.00"))


async def set_group(credit: Credit, top_id: str, amount: str) -> None:
    answer = await credit.change(
        "PUT", f"/v1/customers/{top_id}/group-limit", 0, {"limit": money(amount), "reason": "x"}
    )
    assert answer.status_code == 200, answer.text


async def test_an_invoice_for_the_order_takes_the_place_of_its_reservation_once(credit: Credit) -> None:
    customer = await credit.onboard()
    await order(credit, customer["id"], "30000.00", "PO 1")
    issued = Invoice(UUID(customer["id"]), 3_000_000).issue().model_copy(update={"customer_reference": "PO 1"})

    await credit.hear(issued)
    await credit.hear(issued)

    assert (await standing(credit, customer["id"]))["available"] == money("20000.00")
    [kept] = (await credit.get("/v1/reservations", customer_id=customer["id"]))["items"]
    assert (kept["status"], kept["invoice_id"]) == ("used", str(issued.invoice.id))


async def test_the_invoice_of_an_order_is_not_counted_against_its_own_reservation(credit: Credit) -> None:
    customer = await credit.onboard()
    await order(credit, customer["id"], "50000.00", "PO 1")
    question = {"asked_as": "q", "customer_id": customer["id"], "amount": money("50000.00"), "reference": "R-1"}

    [known] = (
        await credit.post("/v1/credit-decisions/batches", {"questions": [{**question, "order": "PO 1"}]})
    ).json()["answers"]
    strange = {**question, "asked_as": "other"}
    [unknown] = (await credit.post("/v1/credit-decisions/batches", {"questions": [strange]})).json()["answers"]

    assert (known["decision"]["outcome"], unknown["decision"]["outcome"]) == ("approved", "declined")


async def test_a_reservation_is_used_once_and_an_invoice_uses_one(credit: Credit) -> None:
    customer = await credit.onboard()
    for n in (1, 2):
        await order(credit, customer["id"], "1.00", f"PO {n}")
    second, first = (await credit.get("/v1/reservations", customer_id=customer["id"]))["items"]
    body = {"invoice_id": str(uuid4())}

    used = await credit.post(f"/v1/reservations/{first['id']}/use", body)

    assert (used.status_code, used.json()["status"]) == (200, "used")
    assert problem(await credit.post(f"/v1/reservations/{first['id']}/use", body), 409) == "reservation-ended"
    assert problem(await credit.post(f"/v1/reservations/{second['id']}/use", body), 409) == "invoice-used-another"
    assert (await credit.post(f"/v1/reservations/{second['id']}/release", None)).json()["status"] == "released"
    assert problem(await credit.post(f"/v1/reservations/{uuid4()}/use", body), 404) == "reservation-not-found"


async def test_a_second_reservation_for_an_order_is_refused(credit: Credit) -> None:
    customer = await credit.onboard()
    await order(credit, customer["id"], "1.00", "PO 1")
    body = {"customer_id": customer["id"], "amount": money("1.00"), "reference": "PO 1", "reserve": True}

    assert problem(await credit.post("/v1/credit-decisions", body), 409) == "order-reserved"
    late = {**body, "reference": "PO 2", "reserve_until": "2020-01-01T00:00:00Z"}
    assert "/reserve_until" in (await credit.post("/v1/credit-decisions", late)).text


async def test_a_reservation_runs_out_by_the_clock(credit_in_2012: Credit) -> None:
    credit, database = credit_in_2012, credit_in_2012.database
    customer = await credit.onboard()
    await order(credit, customer["id"], "50000.00", "PO 1", reserve_until="2012-01-04T12:00:00Z")
    due = await database.pool.fetchval("select min(expires_at) from reservation where status = 'held'")

    for moment, available in ((due - timedelta(seconds=1), "0.00"), (due, "50000.00")):
        await database.pool.execute("update clock set now = $1", moment)
        assert (await standing(credit, customer["id"]))["available"] == money(available)

    await credit.tick()
    [kept] = (await credit.get("/v1/reservations", customer_id=customer["id"]))["items"]
    assert kept["status"] == "expired"
    assert problem(await credit.post(f"/v1/reservations/{kept['id']}/release", None), 409) == "reservation-ended"


async def test_a_blocked_order_is_let_pass_by_a_person_and_has_its_reservation(credit: Credit, manager: Credit) -> None:
    customer = await credit.onboard()
    decision = await order(credit, customer["id"], "50000.01", "PO 1")
    assert (decision["outcome"], decision["reserved_until"]) == ("declined", None)
    [blocked] = (await credit.get("/v1/blocked-orders"))["items"]
    assert (blocked["id"], blocked["reasons"], blocked["asked_by"]) == (decision["id"], ["over_limit"], "anna")

    body = {"reason": "Paid in advance by half", "expires_at": "2099-01-01T00:00:00Z"}
    released = await manager.post(f"/v1/blocked-orders/{blocked['id']}/release", body)

    assert (released.json()["status"], released.json()["closed_by"]) == ("released", "berta")
    assert (await standing(credit, customer["id"]))["available"] == money("-0.01")
    question = {"asked_as": "q", "customer_id": customer["id"], "amount": money("50000.01"), "order": "PO 1"}
    [invoiced] = (await credit.post("/v1/credit-decisions/batches", {"questions": [question]})).json()["answers"]
    assert (invoiced["decision"]["outcome"], invoiced["decision"]["reasons"][0]) == ("approved", "overridden")
    again = await manager.post(f"/v1/blocked-orders/{blocked['id']}/release", body)
    assert problem(again, 409) == "override-refused"


async def test_a_blocked_order_is_refused_with_the_reason(credit: Credit, manager: Credit) -> None:
    customer = await credit.onboard()
    decision = await order(credit, customer["id"], "50000.01", "PO 1")

    refused = await manager.post(f"/v1/blocked-orders/{decision['id']}/refusal", {"reason": "No"})

    assert (refused.json()["status"], refused.json()["closed_because"]) == ("refused", "No")
    assert (await credit.get("/v1/blocked-orders"))["items"] == []
    again = await manager.post(f"/v1/blocked-orders/{decision['id']}/refusal", {"reason": "No"})
    assert problem(again, 409) == "order-not-waiting"
    assert problem(await manager.post(f"/v1/blocked-orders/{uuid4()}/refusal", {"reason": "No"}), 404)


async def test_an_override_holds_until_its_moment_and_for_no_larger_order(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = await credit.onboard()
    body = {"customer_id": customer["id"], "amount": money("60000.00"), "reference": "PO 1"}
    decision = (await credit.post("/v1/credit-decisions", body)).json()
    override = {"reason": "Known for years", "expires_at": "2012-01-05T00:00:00Z"}
    path = f"/v1/credit-decisions/{decision['id']}/overrides"

    assert (await credit.post(path, override)).status_code == 201
    assert problem(await credit.post(path, override), 409) == "override-refused"

    larger = {**body, "amount": money("60000.01")}
    for moment, answers in (
        ("2012-01-04T23:59:59Z", ["approved", "declined"]),
        ("2012-01-05T00:00:00Z", 2 * ["declined"]),
    ):
        await credit.database.pool.execute("update clock set now = $1::text::timestamptz", moment)
        told = [(await credit.post("/v1/credit-decisions", each)).json()["outcome"] for each in (body, larger)]
        assert told == answers


async def test_what_exceeds_the_limit_a_little_is_left_to_a_person_where_the_policy_says_so(credit: Credit) -> None:
    policy = await credit.get("/v1/credit-policy")
    changed = {"limits": policy["limits"], "rules": {"refer_over_percent": 10}}
    assert (await credit.change("PUT", "/v1/credit-policy", 1, changed)).status_code == 200
    customer = await credit.onboard()

    told = [(await credit.decide(customer["id"], amount))["outcome"] for amount in ("50000.00", "55000.00", "55000.01")]

    assert told == ["approved", "referred", "declined"]


async def test_a_decision_replayed_later_gives_the_answer_that_was_given(credit: Credit) -> None:
    customer = await credit.onboard()
    await order(credit, customer["id"], "20000.00", "PO 1")
    decision = await order(credit, customer["id"], "40000.00", "PO 2")
    await credit.change(
        "PUT", f"/v1/customers/{customer['id']}/credit-limit", 1, {"limit": money("900000.00"), "reason": "x"}
    )
    await credit.hear(Invoice(UUID(customer["id"]), 123).issue())

    answer = await credit.http.post(f"/v1/credit-decisions/{decision['id']}/replay")

    assert answer.status_code == 200, answer.text
    assert answer.json()["same"] is True
    assert answer.json()["decision"] == decision
    assert (answer.json()["outcome"], answer.json()["available"]) == ("declined", money("30000.00"))
