"""Two customers that are one company: one goes on with what both owe, the other is closed and says so."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.credit.books import DUE_ON, Invoice
from tests.credit.client import Credit, names, problem
from tests.credit.test_behaviour import paid
from tests.credit.test_holds import escalated


def money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


async def merge(credit: Credit, one: str, into: str, status: int = 201) -> dict[str, Any]:
    answer = await credit.post(f"/v1/customers/{one}/merger", {"into_id": into, "reason": "Same company"})
    assert answer.status_code == status, answer.text
    return answer.json()


async def two(credit: Credit, **changes: Any) -> tuple[str, str]:
    return (await credit.onboard(**changes))["id"], (await credit.onboard(**changes))["id"]


async def open_of(credit: Credit, customer_id: str) -> list[dict[str, str]]:
    return [
        each["open"] for each in (await credit.get(f"/v1/customers/{customer_id}/credit"))["exposure"]["components"]
    ]


async def reserve(credit: Credit, customer_id: str, reference: str, amount: str = "100.00") -> dict[str, Any]:
    body = {"customer_id": customer_id, "amount": money(amount), "reference": reference, "reserve": True}
    answer = await credit.post("/v1/credit-decisions", body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_what_both_owe_counts_together_and_the_one_that_is_closed_says_who_it_goes_on_as(credit: Credit) -> None:
    old, new = await two(credit)
    theirs, ours = Invoice(UUID(old), 70_000), Invoice(UUID(new), 5_000)
    await credit.hear(theirs.issue(), ours.issue())

    merger = await merge(credit, old, new)

    assert merger["moved"]["invoices"] == 1
    assert await open_of(credit, new) == [money("750.00")]
    assert await open_of(credit, old) == []
    closed = await credit.get(f"/v1/customers/{old}")
    assert (closed["status"], closed["merged_into"]) == ("closed", new)
    event = (await credit.published(old))[-1]
    assert event["type"] == "customer.closed"
    assert event["data"]["customer"]["merged_into"] == new
    assert event["data"]["reason"] == "Same company"
    assert event["version"] == closed["version"] == 2
    for each in (old, new):
        assert [one["into_id"] for one in (await credit.get(f"/v1/customers/{each}/mergers"))["items"]] == [new]


async def test_later_versions_of_a_merged_customers_invoices_count_for_the_survivor_in_any_order(
    credit: Credit,
) -> None:
    old, new = await two(credit)
    invoice = Invoice(UUID(old), 70_000)
    issued, paid = invoice.issue(), invoice.pay(20_000)
    await credit.hear(issued)
    await merge(credit, old, new)

    await credit.hear(paid, issued)

    assert await open_of(credit, new) == [money("500.00")]
    late = Invoice(UUID(old), 1_000)  # Issued before the invoice service heard of it.
    await credit.hear(late.issue())
    await credit.tick()
    await credit.hear(late.pay(400), invoice.pay(50_000))
    await credit.tick()
    assert await open_of(credit, new) == [money("6.00")]
    assert await open_of(credit, old) == []
    assert (
        await credit.database.pool.fetchval("select count(*) from payment_record where customer_id = $1", UUID(old))
        == 0
    )


async def test_orders_of_both_are_held_against_one_limit(credit: Credit) -> None:
    old, new = await two(credit)
    await credit.hear(Invoice(UUID(old), 3_000_000).issue())
    await reserve(credit, old, "PO 1", "15000.00")
    assert (await credit.decide(new, "50000.00"))["outcome"] == "approved"

    await merge(credit, old, new)

    assert (await credit.decide(new, "5000.01"))["outcome"] == "declined"
    assert (await credit.decide(new, "5000.00"))["outcome"] == "approved"
    declined = await credit.decide(old, "1.00")
    assert (declined["outcome"], declined["reasons"][0]) == ("declined", "customer_closed")
    [reservation] = (await credit.get("/v1/reservations", customer_id=new))["items"]
    assert (reservation["reference"], reservation["status"]) == ("PO 1", "held")


async def test_nothing_new_begins_with_a_closed_customer(credit: Credit) -> None:
    old, new = await two(credit)
    await merge(credit, old, new)
    answer = await credit.change("PATCH", f"/v1/customers/{old}", 2, {"name": "Again"})
    assert problem(answer, 409) == "customer-closed"
    assert answer.json()["merged_into"] == new
    for path, body in (
        ("holds", {"cause": "by_hand", "held": ["orders"], "reason": "Wait"}),
        ("limit-requests", {"kind": "limit", "amount": money("1.00"), "reason": "More"}),
    ):
        assert problem(await credit.post(f"/v1/customers/{old}/{path}", body), 409) == "customer-closed"
    version = (await credit.get(f"/v1/customers/{old}/credit"))["version"]
    for method, body in (("PUT", {"limit": money("1.00"), "reason": "Again"}), ("DELETE", None)):
        answer = await credit.change(method, f"/v1/customers/{old}/credit-limit", version, body)
        assert problem(answer, 409) == "customer-closed"
    for one, into in ((old, new), (new, old)):
        answer = await credit.post(f"/v1/customers/{one}/merger", {"into_id": into, "reason": "Again"})
        assert problem(answer, 409) == "customer-closed"


@pytest.mark.parametrize(("own_pin", "segment", "reason"), [(False, "key", "They are strategic"), (True, "small", "x")])
async def test_a_pinned_segment_goes_on_with_the_survivor_unless_that_has_a_pin_of_its_own(
    credit: Credit, own_pin: bool, segment: str, reason: str
) -> None:
    old, new = await two(credit)
    pins = [(old, "key", "They are strategic"), *([(new, "small", "x")] if own_pin else [])]
    for customer, pinned, why in pins:
        body = {"segment": pinned, "reason": why}
        answer = await credit.change("PUT", f"/v1/customers/{customer}/segment-pin", 1, body)
        assert answer.status_code == 200, answer.text

    merger = await merge(credit, old, new)

    assert merger["moved"]["segment_pins"] == (0 if own_pin else 1)
    shown = await credit.get(f"/v1/customers/{new}/segment")
    assert shown["segment"] == segment
    assert shown["pin"]["reason"].startswith(reason)
    assert (await credit.get(f"/v1/customers/{old}/segment"))["pin"] is None


async def test_news_of_a_closed_customer_leads_to_nothing_and_holds_nobody_up(credit: Credit) -> None:
    old, new = await two(credit)
    await credit.hear(Invoice(UUID(old), 70_000).issue())
    await merge(credit, old, new)
    version = (await credit.get(f"/v1/customers/{old}"))["version"]
    await credit.database.pool.execute(
        """
        insert into follow_up (customer_id, due_at, because)
        select id, now() - interval '1 minute', '{new_input}' from customer
        on conflict (customer_id) do update set due_at = excluded.due_at
        """
    )
    await credit.tick()
    assert (await credit.get(f"/v1/customers/{old}"))["version"] == version
    assert await credit.database.pool.fetchval("select count(*) from follow_up where due_at <= now()") == 0


async def test_an_order_reserved_by_both_has_to_be_cleared_first(credit: Credit) -> None:
    old, new = await two(credit)
    await reserve(credit, old, "PO 1")
    await reserve(credit, new, "PO 1")
    answer = await credit.post(f"/v1/customers/{old}/merger", {"into_id": new, "reason": "Same"})
    assert problem(answer, 409) == "order-reserved"
    assert (await credit.get(f"/v1/customers/{old}"))["status"] == "active"


async def test_blocked_orders_and_requests_for_limits_of_the_closed_one_end(credit: Credit) -> None:
    old, new = await two(credit)
    blocked = await reserve(credit, old, "PO 9", "60000.00")
    assert blocked["outcome"] == "declined"

    moved = (await merge(credit, old, new))["moved"]

    assert moved["blocked_orders"] == 1
    assert (await credit.get("/v1/blocked-orders"))["items"] == []


async def test_limits_are_not_added_up_and_the_closed_ones_ends(credit: Credit) -> None:
    old, new = await two(credit)
    await merge(credit, old, new)
    assert (await credit.get(f"/v1/customers/{old}/credit"))["limit"] == money("0.00")
    assert (await credit.get(f"/v1/customers/{new}/credit"))["limit"] == money("50000.00")


async def test_a_hold_by_hand_goes_on_with_the_survivor(credit: Credit) -> None:
    old, new = await two(credit)
    hold = {"cause": "insolvency", "held": ["orders", "invoices"], "reason": "Filed today"}
    assert (await credit.post(f"/v1/customers/{old}/holds", hold)).status_code == 201

    assert (await merge(credit, old, new))["moved"]["holds"] == 1

    [ended] = (await credit.get(f"/v1/customers/{old}/holds"))["items"]
    assert ended["released_by"] == "anna"
    [moved] = (await credit.get(f"/v1/customers/{new}/holds"))["items"]
    assert (moved["cause"], moved["held"], moved["released_at"]) == ("insolvency", ["orders", "invoices"], None)
    assert (await credit.decide(new, "1.00"))["outcome"] == "referred"


async def test_a_dunning_step_against_the_closed_customer_holds_the_survivor(credit: Credit) -> None:
    old, new = await two(credit)
    await credit.hear(Invoice(UUID(old), 7_000).issue())  # Due long ago.
    await merge(credit, old, new)
    await credit.hear(escalated(UUID(old), "credit_hold"))
    [hold] = (await credit.get(f"/v1/customers/{new}/holds"))["items"]
    assert hold["cause"] == "dunning"
    assert (await credit.get(f"/v1/customers/{old}/holds"))["items"] == []


async def test_subsidiaries_follow_and_a_survivor_below_moves_up(credit: Credit) -> None:
    grandmother = (await credit.onboard())["id"]
    old = (await credit.onboard(parent_id=grandmother, contact_parent=True))["id"]
    sister = (await credit.onboard(parent_id=old, contact_parent=True))["id"]
    survivor = (await credit.onboard(parent_id=old))["id"]

    await merge(credit, old, survivor)

    parents = {each: (await credit.get(f"/v1/customers/{each}"))["parent_id"] for each in (sister, survivor)}
    assert parents == {sister: survivor, survivor: grandmother}
    [updated] = [each for each in await credit.published(sister) if each["type"] == "customer.updated"]
    assert updated["data"]["changed"] == ["parent_id"]


async def test_mergers_that_would_make_a_circle_or_are_none_are_refused(credit: Credit) -> None:
    old = (await credit.onboard())["id"]
    middle = (await credit.onboard(parent_id=old))["id"]
    below = (await credit.onboard(parent_id=middle))["id"]
    for into in (below, old):
        answer = await credit.post(f"/v1/customers/{old}/merger", {"into_id": into, "reason": "Same"})
        assert problem(answer, 409) == "merger-refused"
    answer = await credit.post(f"/v1/customers/{old}/merger", {"into_id": str(uuid4()), "reason": "Same"})
    assert list(names(answer)) == ["#/into_id"]
    answer = await credit.post(f"/v1/customers/{uuid4()}/merger", {"into_id": old, "reason": "Same"})
    assert problem(answer, 404) == "customer-not-found"


async def test_who_heads_a_group_with_a_limit_is_not_merged_away(credit: Credit) -> None:
    old, new = await two(credit)
    answer = await credit.http.put(
        f"/v1/customers/{old}/group-limit",
        json={"limit": money("100.00"), "reason": "Group"},
        headers={"if-none-match": "*"},
    )
    assert answer.status_code == 200, answer.text
    answer = await credit.post(f"/v1/customers/{old}/merger", {"into_id": new, "reason": "Same"})
    assert problem(answer, 409) == "merger-refused"


async def test_merged_again_everything_ends_up_with_the_last_one(credit: Credit) -> None:
    first, second = await two(credit)
    third = (await credit.onboard())["id"]
    invoice = Invoice(UUID(first), 70_000)
    await credit.hear(invoice.issue())
    await merge(credit, first, second)
    await merge(credit, second, third)
    await credit.hear(Invoice(UUID(first), 500).issue(), invoice.pay(10_000))
    await credit.tick()
    assert await open_of(credit, third) == [money("605.00")]
    assert await open_of(credit, second) == []


async def test_what_was_learned_of_the_one_is_known_of_the_other_and_its_assessments_stay(credit: Credit) -> None:
    old, new = await two(credit)
    report = {"kind": "credit_report", "score": 20}
    learned = {"source": "Bureau", "dated_on": "2026-01-02", "expires_on": "2999-01-01", "particulars": report}
    assert (await credit.post(f"/v1/customers/{old}/vetting-inputs", learned)).status_code == 201
    for each in (old, new):
        assert (await credit.post(f"/v1/customers/{each}/assessments", {})).status_code == 201
    [before] = [each["data"]["file"] for each in await credit.published(new) if each["type"] == "credit.assessed"]

    await merge(credit, old, new)

    assert len((await credit.get(f"/v1/customers/{new}/vetting-inputs"))["items"]) == 1
    assert len((await credit.get(f"/v1/customers/{old}/assessments"))["items"]) == 1
    assert (await credit.post(f"/v1/customers/{new}/assessments", {})).status_code == 201
    after = (await credit.published(new))[-1]["data"]
    assert after["file"]["score"] < before["score"]


@pytest.mark.parametrize("reason", ["", "x" * 401])
async def test_a_merger_has_a_reason(credit: Credit, reason: str) -> None:
    old, new = await two(credit)
    answer = await credit.post(f"/v1/customers/{old}/merger", {"into_id": new, "reason": reason})
    assert list(names(answer)) == ["#/reason"]


async def test_how_both_paid_is_one_chart_and_a_review_of_the_one_that_is_closed_is_dropped(credit: Credit) -> None:
    old, new = await two(credit)
    for customer_id in (old, new):
        for number in range(3):
            invoice = Invoice(UUID(customer_id), 500, due_on=DUE_ON - timedelta(7 * number))
            await credit.hear(invoice.issue(), paid(invoice, invoice.due_on + timedelta(1)))
        await credit.post(f"/v1/customers/{customer_id}/reviews", {"reason": "New owner"})

    await merge(credit, old, new)
    await credit.tick()

    chart = await credit.get(f"/v1/customers/{new}/drift")
    assert [point["days"] for point in chart["points"]] == [1] * 6
    [dropped] = (await credit.get("/v1/reviews", customer_id=old))["items"]
    assert (dropped["status"], dropped["outcome"]) == ("done", "other")
    [goes_on] = (await credit.get("/v1/reviews", status="open"))["items"]
    assert goes_on["customer_id"] == new


async def test_two_merged_into_each_other_at_the_same_moment_leave_one(credit: Credit) -> None:
    one, other = await two(credit)
    await credit.hear(Invoice(UUID(one), 300).issue(), Invoice(UUID(other), 400).issue())
    answers = await asyncio.gather(
        *(
            credit.post(f"/v1/customers/{closed}/merger", {"into_id": into, "reason": "Same"})
            for closed, into in ((one, other), (other, one))
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    statuses = {(await credit.get(f"/v1/customers/{each}"))["status"]: each for each in (one, other)}
    assert set(statuses) == {"active", "closed"}
    assert await open_of(credit, statuses["active"]) == [money("7.00")]
