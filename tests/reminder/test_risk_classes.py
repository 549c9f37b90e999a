"""The class that credit gives a customer is the one that strategies and the worklist go by."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

from shared.events.credit import CreditAssessed, CreditFileState
from tests.reminder.books import Customer
from tests.reminder.desk import Desk


def assessed(customer: Customer, version: int, risk_class: Any) -> CreditAssessed:
    return CreditAssessed(
        customer_id=customer.id,
        effective_on=date(2026, 3, 2),
        booked_on=date(2026, 3, 2),
        file=CreditFileState(
            id=customer.id,
            version=version,
            assessment_id=uuid4(),
            risk_class=risk_class,
            score=400,
            probability_of_default="0.10",
            scorecard="standard",
            scorecard_version=1,
            raised=(),
            lowered=(),
            valid_until=date(2027, 3, 2),
        ),
        previous_risk_class=None,
        because=("asked",),
    )


async def risk_class_of(desk: Desk, customer: Customer) -> str | None:
    return await desk.database.pool.fetchval("select risk_class from account where id = $1", customer.id)


async def test_an_account_has_the_newest_class_in_whatever_order_it_hears(desk: Desk) -> None:
    customer = await desk.onboard()
    assert await risk_class_of(desk, customer) is None

    await desk.hear(assessed(customer, 1, "B"))
    assert await risk_class_of(desk, customer) == "B"
    await desk.hear(assessed(customer, 3, "E"), assessed(customer, 2, "C"))
    assert await risk_class_of(desk, customer) == "E"
    await desk.hear(assessed(customer, 2, "C"))
    assert await risk_class_of(desk, customer) == "E"


async def test_a_class_that_comes_before_the_customer_is_kept(desk: Desk) -> None:
    customer = Customer.new()

    await desk.hear(assessed(customer, 1, "D"))
    await desk.hear(customer.onboard())

    assert await risk_class_of(desk, customer) == "D"
