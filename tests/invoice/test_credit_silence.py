"""While credit does not answer, what it said last decides: its limit, its holds, and what is owed here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from deploy.local.embedded import free_port
from services.invoice.app import create_api, open_resources
from services.invoice.consumers import subscriptions
from services.invoice.credit_standings import rules
from services.invoice.credit_standings.rules import Hold, Standing
from services.invoice.settings import Settings
from shared.db import Database, transaction
from shared.events.credit import CreditLimitChanged, CreditState, HoldPlaced, HoldReleased, HoldState
from shared.ids import new_id
from shared.money import Money
from tests.invoice.client import SIMULATED_FROM, CreditNextDoor, Receivables, invoice, line, problem
from tests.service_client import app_of, calling, settings_of

TODAY = date(2024, 3, 1)
ON_INVOICES = Hold(("orders", "invoices"))


def money(minor: int, currency: str = "EUR") -> Money:
    return Money(minor, currency)


@pytest.mark.parametrize(
    ("limit", "holds", "owed", "asked", "expected"),
    [
        (money(100_00), [], [], money(99_99), ("approved", "within_limit")),
        (money(100_00), [], [], money(100_00), ("approved", "within_limit")),
        (money(100_00), [], [], money(100_01), ("declined", "over_limit")),
        (money(100_00), [], [money(60_00)], money(40_00), ("approved", "within_limit")),
        (money(100_00), [], [money(60_00)], money(40_01), ("declined", "over_limit")),
        (money(100_00), [ON_INVOICES], [], money(1), ("declined", "on_hold")),
        (money(100_00), [Hold(("orders",))], [], money(1), ("approved", "within_limit")),
        (money(100_00), [Hold(("invoices",), date(2024, 2, 29))], [], money(1), ("approved", "within_limit")),
        (money(100_00), [Hold(("invoices",), TODAY)], [], money(1), ("declined", "on_hold")),
        (None, [ON_INVOICES], [], money(1), ("declined", "on_hold")),
        (None, [], [], money(1), None),
        (money(100_00), [], [], money(1, "USD"), None),
        (money(100_00), [], [money(1, "USD")], money(1), None),
    ],
)
def test_the_verdict_follows_from_what_credit_said_last(
    limit: Money | None, holds: list[Hold], owed: list[Money], asked: Money, expected: tuple[str, str] | None
) -> None:
    verdict = rules.decide(Standing(limit, holds, owed), asked, TODAY)

    assert (verdict and (verdict.outcome, verdict.reasons[-1])) == expected
    assert verdict is None or verdict.reasons[0] == "decided_without_credit"


@pytest.fixture
async def alone(
    open_database: Callable[..., Awaitable[Database]], keys_folder: Path, token: Callable[..., str]
) -> AsyncIterator[Receivables]:
    """The service with nobody listening where credit should be."""
    database = await open_database("invoice", simulated=True)
    await database.pool.execute("insert into clock (now) values ($1::text::timestamptz)", SIMULATED_FROM)
    settings = settings_of(Settings, keys_folder, credit_url=f"http://127.0.0.1:{free_port()}")
    async with open_resources(settings) as resources:
        app = app_of(create_api, settings, database=database, resources=resources)
        async with calling(app, "invoice", token()) as http:
            yield Receivables(http, database, CreditNextDoor(), resources)


async def hear(books: Receivables, *events: Any) -> None:
    async with transaction(books.database) as tx:
        for event in events:
            for handler in subscriptions.routes[event.type]:
                await handler(tx, event)


def limited(customer: str, minor: int, version: int = 1) -> CreditLimitChanged:
    limit = money(minor)
    state = CreditState(id=UUID(customer), version=version, limit=limit, exposure=(), available=limit)
    dated = {"customer_id": UUID(customer), "effective_on": TODAY, "booked_on": TODAY}
    return CreditLimitChanged(**dated, credit=state, previous_limit=None, source="manual", reason="agreed")


def held(customer: str, hold_id: UUID, version: int = 1, *, released: bool = False) -> HoldPlaced | HoldReleased:
    hold = HoldState(
        id=hold_id,
        version=version,
        status="released" if released else "in_force",
        cause="by_hand",
        held=("invoices",),
        reason="asked for",
    )
    dated = {"customer_id": UUID(customer), "effective_on": TODAY, "booked_on": TODAY, "hold": hold}
    if released:
        return HoldReleased(**dated, held_now=(), release_reason="paid")
    return HoldPlaced(**dated, held_now=("invoices",))


async def enforce(books: Receivables) -> None:
    seen = await books.http.get("/v1/entities/default")
    body = {"credit_policy": "enforce"}
    await books.http.patch("/v1/entities/default", json=body, headers={"if-match": seen.headers["etag"]})


async def test_advised_the_invoice_goes_out_with_the_verdict_kept_and_flagged(alone: Receivables) -> None:
    customer = await alone.customer()
    await hear(alone, limited(customer, 150_00))

    first, second = await alone.issue(customer), await alone.issue(customer)

    assert [(each["credit"]["outcome"], each["credit"]["reasons"]) for each in (first, second)] == [
        ("approved", ["decided_without_credit", "within_limit"]),
        ("declined", ["decided_without_credit", "over_limit"]),
    ]
    assert first["credit"]["decision_id"] is None


async def test_enforced_the_last_cent_of_the_limit_is_invoiced_and_the_next_is_refused(alone: Receivables) -> None:
    customer = await alone.customer()
    await enforce(alone)
    await hear(alone, limited(customer, 150_00))
    first = await alone.issue(customer, "100.00")
    await alone.issue(customer, "50.00")

    refused = await alone.post("/v1/invoices", invoice(customer, "0.01"))
    await alone.pay("100.00", reference=first["number"])
    after_payment = await alone.post("/v1/invoices", invoice(customer, "0.01"))

    assert problem(refused, 422) == "credit-declined"
    assert refused.json()["reasons"] == ["decided_without_credit", "over_limit"]
    assert after_payment.status_code == 201, after_payment.text


async def test_a_hold_stops_invoices_until_it_is_released_and_old_word_changes_nothing(alone: Receivables) -> None:
    customer, hold = await alone.customer(), new_id()
    await enforce(alone)
    await hear(alone, limited(customer, 500_00, version=2), held(customer, hold))
    stopped = await alone.post("/v1/invoices", invoice(customer))

    await hear(alone, held(customer, hold, 2, released=True), held(customer, hold), limited(customer, 1, version=1))
    goes_out = await alone.post("/v1/invoices", invoice(customer))

    assert problem(stopped, 422) == "credit-declined"
    assert stopped.json()["reasons"][-1] == "on_hold"
    assert goes_out.status_code == 201, goes_out.text


async def test_without_any_word_of_a_limit_enforcing_waits_for_credit(alone: Receivables) -> None:
    customer = await alone.customer()
    await enforce(alone)

    assert problem(await alone.post("/v1/invoices", invoice(customer)), 503) == "credit-unavailable"


async def test_recurring_invoices_and_drafts_are_decided_the_same_way(alone: Receivables) -> None:
    customer = await alone.customer()
    await enforce(alone)
    await hear(alone, limited(customer, 150_00))
    rent = {"customer_id": customer, "rrule": "FREQ=MONTHLY", "starts_on": "2024-03-01", "lines": [line("100.00")]}
    agreed = (await alone.post("/v1/recurring-invoices", rent)).json()
    await alone.tick()
    draft = (await alone.post("/v1/invoices", {**invoice(customer, "60.00"), "draft": True})).json()

    refused = await alone.post(f"/v1/invoices/{draft['id']}/issue", {})
    await alone.wake_on("2024-04-01")

    periods = (await alone.get(f"/v1/recurring-invoices/{agreed['id']}/periods"))["items"]
    assert [each["status"] for each in periods] == ["issued", "held"]
    assert periods[-1]["reason"] == "credit-declined"
    assert refused.json()["reasons"][-1] == "over_limit"


async def test_credit_that_answers_is_believed_whatever_was_heard(books: Receivables) -> None:
    customer = await books.customer()
    await hear(books, limited(customer, 1))

    issued = await books.issue(customer)

    assert (issued["credit"]["outcome"], issued["credit"]["reasons"]) == ("approved", [])


async def test_credit_hears_of_the_order_of_recurring_invoices_too(books: Receivables) -> None:
    customer = await books.customer()
    rent = {"customer_id": customer, "rrule": "FREQ=MONTHLY", "starts_on": "2024-03-01", "lines": [line("10.00")]}
    await books.post("/v1/recurring-invoices", {**rent, "reference": "PO 7"})
    await books.tick()

    (asked,) = books.credit.asked
    assert (asked["reference"], asked["order"]) == ("PO 7", "PO 7")
