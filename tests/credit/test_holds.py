"""Who is held, for what, and how it ends: by hand, by the policy, by a dunning step."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.credit.exposure import handlers as exposure
from services.credit.limits import handlers as limits
from services.credit.ticks import look_at_accounts
from shared.db import transaction
from shared.events.reminder import CaseEscalated, CaseState, PromiseBroken, PromiseState
from shared.money import Money
from shared.ticks import TickContext
from tests.credit.books import Invoice
from tests.credit.client import Credit, names, problem

TODAY = date(2012, 1, 3)


def money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


async def hold_by(credit: Credit, **rules: Any) -> None:
    policy = await credit.get("/v1/credit-policy")
    body = {"limits": policy["limits"], "rules": {"holds": {"held": ["orders", "invoices"], **rules}}}
    answer = await credit.change("PUT", "/v1/credit-policy", policy["version"], body)
    assert answer.status_code == 200, answer.text


async def held(credit: Credit, customer_id: str) -> str | None:
    return (await credit.get(f"/v1/customers/{customer_id}/credit"))["hold"]


async def on(credit: Credit, day: date) -> None:
    await credit.database.pool.execute("update clock set now = $1", datetime(day.year, day.month, day.day, tzinfo=UTC))
    await credit.tick()


async def told(credit: Credit, customer_id: str) -> list[tuple[str, str, list[str]]]:
    return [
        (event["type"], event["data"]["hold"]["cause"], event["data"]["held_now"])
        for event in await credit.published(customer_id)
        if event["type"].startswith("credit.hold")
    ]


async def test_a_hold_by_hand_refers_orders_declines_invoices_and_is_released(credit: Credit) -> None:
    customer = await credit.onboard()
    path = f"/v1/customers/{customer['id']}/holds"

    placed = await credit.post(path, {"held": ["invoices", "orders"], "reason": "Court filing", "cause": "insolvency"})

    assert placed.status_code == 201, placed.text
    hold = placed.json()
    assert (hold["held"], hold["placed_by"], hold["version"]) == (["orders", "invoices"], "anna", 1)
    assert await held(credit, customer["id"]) == "orders invoices"
    decision = await credit.decide(customer["id"], "1.00")
    assert (decision["outcome"], decision["reasons"]) == ("referred", ["on_hold"])
    question = {"asked_as": "q", "customer_id": customer["id"], "amount": money("1.00")}
    [invoice] = (await credit.post("/v1/credit-decisions/batches", {"questions": [question]})).json()["answers"]
    assert (invoice["decision"]["outcome"], invoice["decision"]["reasons"]) == ("declined", ["on_hold"])

    assert problem(await credit.change("DELETE", f"{path}/{hold['id']}", None), 428)
    assert problem(await credit.change("DELETE", f"{path}/{hold['id']}", 2), 412) == "stale-version"
    released = await credit.change("DELETE", f"{path}/{hold['id']}?reason=Settled", 1)

    assert (released.json()["release_reason"], released.json()["released_by"]) == ("Settled", "anna")
    assert await held(credit, customer["id"]) is None
    assert (await credit.decide(customer["id"], "1.00"))["outcome"] == "approved"
    assert problem(await credit.change("DELETE", f"{path}/{hold['id']}", 2), 409) == "hold-released-before"
    assert await told(credit, customer["id"]) == [
        ("credit.hold_placed", "insolvency", ["orders", "invoices"]),
        ("credit.hold_released", "insolvency", []),
    ]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"held": [], "reason": "x"}, "#/held"),
        ({"held": "money", "reason": "x"}, "#/held"),
        ({"held": ["orders"]}, "#/reason"),
        ({"held": ["orders"], "reason": "x", "cause": "over_limit"}, "#/cause"),
        ({"held": ["orders"], "reason": "x", "until": "2000-01-01"}, "#/until"),
    ],
)
async def test_a_bad_hold_names_the_field(credit: Credit, body: Any, pointer: str) -> None:
    customer = await credit.onboard()
    assert list(names(await credit.post(f"/v1/customers/{customer['id']}/holds", body))) == [pointer]
    assert problem(await credit.change("DELETE", f"/v1/customers/{customer['id']}/holds/{uuid4()}", 1), 404)


async def test_of_two_holds_one_goes_and_the_other_holds_on(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = await credit.onboard()
    path = f"/v1/customers/{customer['id']}/holds"
    await credit.post(path, {"held": ["orders"], "reason": "a", "until": "2012-01-04"})
    await credit.post(path, {"held": ["delivery"], "reason": "b"})
    assert await held(credit, customer["id"]) == "orders delivery"

    await on(credit, date(2012, 1, 4))
    assert await held(credit, customer["id"]) == "orders delivery"
    await on(credit, date(2012, 1, 5))

    assert await held(credit, customer["id"]) == "delivery"


async def test_overdue_beyond_days_is_held_from_the_day_after_and_released_when_paid(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    await hold_by(credit, overdue_days_above=30)
    customer = await credit.onboard()
    invoice = Invoice(UUID(customer["id"]), 500, due_on=TODAY - timedelta(days=20))
    await credit.hear(invoice.issue())
    await credit.tick()

    next_look = await credit.database.pool.fetchval("select min(due_at) from account_watch")
    assert next_look == datetime(2012, 1, 14, tzinfo=UTC), "the clock may jump to the very day"
    await on(credit, date(2012, 1, 13))
    assert await held(credit, customer["id"]) is None
    await on(credit, date(2012, 1, 14))
    assert await held(credit, customer["id"]) == "orders invoices"

    [hold] = (await credit.get(f"/v1/customers/{customer['id']}/holds"))["items"]
    assert hold["reason"] == "Something is 31 days overdue, more than 30."
    path = f"/v1/customers/{customer['id']}/holds/{hold['id']}"
    assert problem(await credit.change("DELETE", path, 1), 409) == "cause-persists"

    await credit.hear(invoice.pay(500))
    await credit.tick()
    assert await held(credit, customer["id"]) is None
    assert [type for type, _, _ in await told(credit, customer["id"])] == ["credit.hold_placed", "credit.hold_released"]


@pytest.mark.parametrize(("minor", "expected"), [(9_999, None), (10_000, None), (10_001, "orders invoices")])
async def test_overdue_beyond_an_amount_is_held(credit_in_2012: Credit, minor: int, expected: str | None) -> None:
    credit = credit_in_2012
    await hold_by(credit, overdue_amounts_above=[money("100.00")])
    customer = await credit.onboard()
    await credit.hear(Invoice(UUID(customer["id"]), minor, due_on=TODAY).issue())
    await on(credit, TODAY)
    assert await held(credit, customer["id"]) is None, "what falls due today is not overdue"

    await on(credit, TODAY + timedelta(days=1))

    assert await held(credit, customer["id"]) == expected


async def test_over_the_limit_is_held_and_a_higher_limit_releases(credit: Credit) -> None:
    customer = await credit.onboard()
    await credit.hear(Invoice(UUID(customer["id"]), 5_000_001).issue())
    await hold_by(credit, over_limit=True)
    await credit.tick()
    assert await held(credit, customer["id"]) == "orders invoices"

    body = {"limit": money("60000.00"), "reason": "Agreed"}
    await credit.change("PUT", f"/v1/customers/{customer['id']}/credit-limit", 1, body)
    await credit.tick()

    assert await held(credit, customer["id"]) is None


async def test_a_policy_without_the_rule_releases_what_it_held(credit: Credit) -> None:
    await hold_by(credit, over_limit=True)
    customer = await credit.onboard()
    await credit.hear(Invoice(UUID(customer["id"]), 5_000_001).issue())
    await credit.tick()
    assert await held(credit, customer["id"]) == "orders invoices"

    await hold_by(credit)
    await credit.tick()

    assert await held(credit, customer["id"]) is None


def escalated(customer_id: UUID, *actions: str) -> CaseEscalated:
    case = CaseState(
        id=uuid4(),
        version=2,
        entity_id="default",
        episode=1,
        status="open",
        strategy="default",
        strategy_version=1,
        level=3,
        step="stop",
        oldest_due_on=TODAY,
        collectable=(),
    )
    return CaseEscalated(
        customer_id=customer_id, effective_on=TODAY, booked_on=TODAY, entity_id="default", case=case, actions=actions
    )


async def test_a_dunning_step_holds_until_nothing_is_overdue(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = await credit.onboard()
    invoice = Invoice(UUID(customer["id"]), 500, due_on=TODAY - timedelta(days=9))
    await credit.hear(invoice.issue(), escalated(invoice.customer_id, "fee"))
    assert await held(credit, customer["id"]) is None

    step = escalated(invoice.customer_id, "credit_hold", "fee")
    await credit.hear(step)
    await credit.hear(step)

    assert await held(credit, customer["id"]) == "orders"
    await credit.hear(invoice.pay(500))
    await credit.tick()
    assert await held(credit, customer["id"]) is None
    assert await told(credit, customer["id"]) == [
        ("credit.hold_placed", "dunning", ["orders"]),
        ("credit.hold_released", "dunning", []),
    ]
    await credit.hear(escalated(uuid4(), "credit_hold"))


@pytest.mark.parametrize("by_policy", [True, False])
async def test_a_broken_promise_holds_where_the_policy_says_so(credit_in_2012: Credit, by_policy: bool) -> None:
    credit = credit_in_2012
    await hold_by(credit, promise_broken=by_policy)
    customer = await credit.onboard()
    invoice = Invoice(UUID(customer["id"]), 500, due_on=TODAY - timedelta(days=9))
    promise = PromiseState(
        id=uuid4(),
        version=2,
        entity_id="default",
        case_id=uuid4(),
        status="broken",
        amount=Money(500, "EUR"),
        paid=Money(0, "EUR"),
        items=(),
        made_on=TODAY,
        promised_on=TODAY,
        grace_until=TODAY,
        origin="staff",
    )
    event = PromiseBroken(
        customer_id=invoice.customer_id, effective_on=TODAY, booked_on=TODAY, entity_id="default", promise=promise
    )

    await credit.hear(invoice.issue(), event)

    assert await held(credit, customer["id"]) == ("orders invoices" if by_policy else None)


WAITING = """
select count(*) > 0 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
"""


async def test_who_has_a_customer_looked_at_and_the_look_itself_lock_in_the_same_order(credit_in_2012: Credit) -> None:
    """Otherwise each would wait for the other, and one be thrown out by the database."""
    database = credit_in_2012.database
    customer = UUID((await credit_in_2012.onboard())["id"])
    async with transaction(database) as tx:
        await exposure.watch(tx, [customer], tx.now)
        now = tx.now
    async with transaction(database) as tx:
        await limits.lock_standing(tx, customer, TODAY)
        look = asyncio.create_task(look_at_accounts(TickContext(database, now, None)))
        while not await database.pool.fetchval(WAITING):
            await asyncio.sleep(0.01)
        await exposure.watch(tx, [customer], tx.now)
    assert await look
    assert await database.pool.fetchval("select count(*) from account_watch") == 0
