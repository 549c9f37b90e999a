"""How a customer behaves, from the events of the invoice and reminder services, in whatever order they come."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.credit.behaviour import handlers
from services.credit.behaviour.rules import History
from services.credit.consumers import subscriptions
from shared.db import Database, reading
from shared.delivery import deliver_batch
from shared.events.event import Event
from shared.events.invoice import InvoiceEvent, InvoiceWrittenOff
from shared.events.reminder import PromiseBroken, PromiseState
from shared.money import Money
from tests.credit.books import DUE_ON, Invoice, receive

TODAY = date(2026, 6, 1)


def paid(invoice: Invoice, on: date) -> InvoiceEvent:
    event = invoice.pay(invoice.balance_minor)
    state = event.invoice.model_copy(update={"settled_on": on})
    return event.model_copy(update={"invoice": state, "effective_on": on, "days_late": (on - invoice.due_on).days})


def broken(customer_id: UUID, on: date) -> PromiseBroken:
    promise = PromiseState(
        id=uuid4(),
        version=2,
        entity_id="default",
        case_id=uuid4(),
        status="broken",
        amount=Money(100, "EUR"),
        paid=Money(0, "EUR"),
        items=(),
        made_on=on,
        promised_on=on,
        grace_until=on,
        origin="staff",
    )
    return PromiseBroken(customer_id=customer_id, effective_on=on, booked_on=on, entity_id="default", promise=promise)


def written_off(invoice: Invoice, on: date) -> InvoiceWrittenOff:
    about: dict[str, Any] = dict(invoice.pay(invoice.balance_minor))
    state = about["invoice"].model_copy(update={"status": "written_off", "settled_on": None})
    return InvoiceWrittenOff(
        customer_id=invoice.customer_id,
        effective_on=on,
        booked_on=on,
        entity_id="default",
        invoice=state,
        change=Money(-invoice.total_minor, "EUR"),
        write_off_id=uuid4(),
        reason="insolvent",
    )


async def take(database: Database, *events: Event) -> None:
    await deliver_batch(database, subscriptions, [receive(event) for event in events])


async def history(database: Database, customer_id: UUID, today: date = TODAY) -> History:
    async with reading(database) as tx:
        return await handlers.history(tx, customer_id, today)


@pytest.mark.parametrize(("days", "late"), [(-5, 0), (0, 0), (1, 1), (45, 1)])
async def test_a_payment_is_late_from_the_day_after_it_was_due(credit_database: Database, days: int, late: int) -> None:
    invoice = Invoice(uuid4(), 500)

    await take(credit_database, invoice.issue(), paid(invoice, DUE_ON + timedelta(days)))

    found = await history(credit_database, invoice.customer_id)
    assert (found.paid, found.days_late, found.paid_late, found.oldest_overdue_days) == (1, days, late, None)


async def test_payments_of_twelve_months_count_and_the_day_itself_is_in(credit_database: Database) -> None:
    invoice = Invoice(uuid4(), 500)
    await take(credit_database, invoice.issue(), paid(invoice, DUE_ON))

    years_later = [date(2027, 3, 31), date(2027, 4, 1), date(2027, 4, 2)]
    found = [(await history(credit_database, invoice.customer_id, day)).paid for day in years_later]

    assert found == [1, 1, 0]


async def test_a_payment_that_is_taken_back_never_happened_and_the_invoice_is_overdue(
    credit_database: Database,
) -> None:
    invoice = Invoice(uuid4(), 500)
    await take(credit_database, invoice.issue(), paid(invoice, DUE_ON + timedelta(9)), invoice.take_back(500))

    found = await history(credit_database, invoice.customer_id)
    assert (found.paid, found.oldest_overdue_days) == (0, (TODAY - DUE_ON).days)


async def test_disputes_broken_promises_and_write_offs_are_counted_once_each(credit_database: Database) -> None:
    invoice, promise_on = Invoice(uuid4(), 500), date(2026, 5, 1)
    promise = broken(invoice.customer_id, promise_on)
    lost = written_off(Invoice(invoice.customer_id, 900), promise_on)

    await take(credit_database, invoice.issue(), invoice.dispute(100), promise, lost)
    await take(credit_database, promise, lost, broken(uuid4(), promise_on))

    found = await history(credit_database, invoice.customer_id)
    assert (found.disputes, found.broken_promises, found.write_offs, found.paid) == (1, 1, 1, 0)


@pytest.mark.parametrize("seed", range(3))
async def test_any_order_with_repeats_in_any_batches_gives_the_same_history(
    credit_database: Database, seed: int
) -> None:
    dice, customer_id, events = random.Random(seed), uuid4(), list[Event]()
    lates: list[int] = []
    for _ in range(12):
        invoice = Invoice(customer_id, 500)
        events.append(invoice.issue())
        if dice.random() < 0.4:
            events.append(invoice.dispute(100))
        late = dice.randint(-20, 50)
        events.append(paid(invoice, DUE_ON + timedelta(late)))
        if dice.random() < 0.3:
            events.append(invoice.take_back(200))
            late = 0
            events.append(paid(invoice, DUE_ON))
        lates.append(late)
    disputes = sum(event.type.endswith("disputed.v1") for event in events)
    sent = events + dice.choices(events, k=10)
    dice.shuffle(sent)

    while sent:
        batch, sent = sent[: (size := dice.randint(1, 8))], sent[size:]
        await take(credit_database, *batch)

    found = await history(credit_database, customer_id)
    assert (found.paid, found.days_late, found.disputes) == (12, sum(lates), disputes)
    assert found.paid_late == sum(late > 0 for late in lates)
