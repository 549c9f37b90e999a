from __future__ import annotations

from uuid import UUID

from tests.credit.books import Invoice
from tests.credit.client import Credit


async def test_everything_is_dated_by_the_simulated_clock(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = await credit.onboard()
    limits = [{"segment": None, "limit": {"amount": "9.00", "currency": "EUR"}}]

    decision = await credit.decide(customer["id"], "1.00")
    policy = (await credit.change("PUT", "/v1/credit-policy", 1, {"limits": limits})).json()
    await credit.tick()

    assert decision["decided_at"] == policy["changed_at"] == "2012-01-03T08:00:00Z"
    events = await credit.published(customer["id"])
    assert len(events) == 4
    assert {event["data"]["effective_on"] for event in events} == {"2012-01-03"}


async def test_overdue_follows_the_simulated_day(credit_in_2012: Credit) -> None:
    credit = credit_in_2012
    customer = await credit.onboard()
    await credit.hear(Invoice(UUID(customer["id"]), 500).issue())
    seen = []
    for now in ("2026-04-01 23:59Z", "2026-04-02 00:00Z"):
        await credit.database.pool.execute("update clock set now = $1::text::timestamptz", now)
        [owed] = (await credit.get(f"/v1/customers/{customer['id']}/credit"))["exposure"]["components"]
        seen.append(owed["overdue"]["amount"])

    assert seen == ["0.00", "5.00"]
