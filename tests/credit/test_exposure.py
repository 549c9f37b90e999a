"""Exposure is the sum of the open balances, per currency, however the events of the invoices arrive (invariant 6)."""

from __future__ import annotations

import random
from datetime import date
from uuid import UUID, uuid4

import pytest

from services.credit.consumers import subscriptions
from services.credit.exposure import handlers
from services.credit.exposure.rules import Exposure, Owed
from shared.db import Database, reading
from shared.delivery import Received, deliver_batch
from shared.events.envelope import Envelope
from shared.money import Money
from tests.credit.books import DUE_ON, ISSUED_ON, Invoice, receive


async def exposure_of(database: Database, customer_id: UUID, today: date = ISSUED_ON) -> Exposure:
    async with reading(database) as tx:
        return await handlers.exposure_of(tx, customer_id, today)


async def open_amounts(database: Database, customer_id: UUID) -> list[str]:
    return [str(amount) for amount in (await exposure_of(database, customer_id)).amounts]


async def take(database: Database, *events: Received) -> list[int]:
    """One by one; whether each was new."""
    return [await deliver_batch(database, subscriptions, [event]) for event in events]


async def test_an_issued_invoice_is_owed_until_it_is_paid(credit_database: Database) -> None:
    invoice = Invoice(uuid4(), 12_500)

    await take(credit_database, receive(invoice.issue()))
    assert await open_amounts(credit_database, invoice.customer_id) == ["125.00 EUR"]

    await take(credit_database, receive(invoice.pay(2_500)))
    assert await open_amounts(credit_database, invoice.customer_id) == ["100.00 EUR"]

    await take(credit_database, receive(invoice.pay(10_000)))
    assert await open_amounts(credit_database, invoice.customer_id) == []


async def test_a_reversed_payment_is_owed_again(credit_database: Database) -> None:
    invoice = Invoice(uuid4(), 500)

    await take(credit_database, receive(invoice.issue()), receive(invoice.pay(500)), receive(invoice.take_back(500)))

    assert await open_amounts(credit_database, invoice.customer_id) == ["5.00 EUR"]


async def test_an_event_that_comes_twice_counts_once(credit_database: Database) -> None:
    invoice = Invoice(uuid4(), 500)
    event, event_id = invoice.issue(), uuid4()

    twice_and_replayed = [receive(event, event_id), receive(event, event_id), receive(event)]

    assert await take(credit_database, *twice_and_replayed) == [1, 0, 1]

    assert await open_amounts(credit_database, invoice.customer_id) == ["5.00 EUR"]


async def test_an_older_version_does_not_bring_a_settled_invoice_back(credit_database: Database) -> None:
    invoice = Invoice(uuid4(), 500)
    issued, settled = invoice.issue(), invoice.pay(500)

    await take(credit_database, receive(settled), receive(issued))

    assert await open_amounts(credit_database, invoice.customer_id) == []


async def test_a_batch_may_speak_of_one_invoice_several_times_and_out_of_order(credit_database: Database) -> None:
    one, other = Invoice(uuid4(), 500), Invoice(uuid4(), 700, "JPY")
    issued, part_paid = one.issue(), one.pay(200)
    batch = [receive(event) for event in (part_paid, other.issue(), issued)]

    assert await deliver_batch(credit_database, subscriptions, batch) == 3

    assert await open_amounts(credit_database, one.customer_id) == ["3.00 EUR"]
    assert await open_amounts(credit_database, other.customer_id) == ["700 JPY"]


async def test_currencies_stand_beside_each_other_and_never_add_up(credit_database: Database) -> None:
    customer_id = uuid4()
    invoices = [Invoice(customer_id, 100, "USD"), Invoice(customer_id, 200, "EUR"), Invoice(customer_id, 300, "USD")]

    await deliver_batch(credit_database, subscriptions, [receive(invoice.issue()) for invoice in invoices])

    assert await open_amounts(credit_database, customer_id) == ["2.00 EUR", "4.00 USD"]


@pytest.mark.parametrize(("today", "overdue_minor"), [(ISSUED_ON, 0), (DUE_ON, 0), (date(2026, 4, 2), 400)])
async def test_overdue_begins_the_day_after_the_due_date(
    credit_database: Database, today: date, overdue_minor: int
) -> None:
    invoice = Invoice(uuid4(), 400)
    later = Invoice(invoice.customer_id, 1_000, due_on=date(2026, 6, 1))

    await take(credit_database, receive(invoice.issue()), receive(later.issue()), receive(invoice.dispute(150)))

    [owed] = (await exposure_of(credit_database, invoice.customer_id, today)).by_currency
    eur = [Money(minor, "EUR") for minor in (1_400, overdue_minor, 150, 0)]
    assert owed == Owed(open=eur[0], overdue=eur[1], disputed=eur[2], open_invoices=2, on_plan=eur[3], reserved=eur[3])


async def test_an_event_of_a_later_release_is_passed_over(credit_database: Database) -> None:
    envelope = Envelope(
        id=uuid4(),
        source="/dueward/invoice",
        type="dueward.invoice.issued.v2",
        subject=uuid4(),
        time=receive(Invoice(uuid4(), 1).issue()).envelope.time,
        version=1,
        key=uuid4(),
        correlation_id=None,
        causation_id=None,
        traceparent=None,
        data=b"{}",
    )
    unknown = Received(envelope, None, "ar.invoice", 0, 0, (), b"{}")

    await take(credit_database, unknown)

    assert await open_amounts(credit_database, envelope.key) == []


@pytest.mark.parametrize("seed", range(5))
async def test_any_order_with_any_repeats_in_any_batches_ends_in_the_sum_of_the_balances(
    credit_database: Database, seed: int
) -> None:
    dice = random.Random(seed)
    customers = [uuid4() for _ in range(4)]
    invoices = [
        Invoice(dice.choice(customers), dice.randint(1, 10_000), dice.choice(["EUR", "USD"])) for _ in range(40)
    ]
    events = [invoice.issue() for invoice in invoices]
    for _ in range(120):
        invoice = dice.choice(invoices)
        if invoice.balance_minor and dice.random() < 0.7:
            events.append(invoice.pay(dice.randint(1, invoice.balance_minor)))
        elif invoice.paid_minor:
            events.append(invoice.take_back(dice.randint(1, invoice.paid_minor)))
    named = [(event, uuid4()) for event in events]
    sent = named + dice.choices(named, k=60)
    dice.shuffle(sent)

    while sent:
        batch, sent = sent[: (size := dice.randint(1, 30))], sent[size:]
        await deliver_batch(credit_database, subscriptions, [receive(event, event_id) for event, event_id in batch])

    for customer_id in customers:
        wanted = {
            currency: sum(
                invoice.balance_minor
                for invoice in invoices
                if invoice.customer_id == customer_id and invoice.currency == currency
            )
            for currency in ("EUR", "USD")
        }
        found = (await exposure_of(credit_database, customer_id)).amounts
        assert found == tuple(Money(minor, currency) for currency, minor in wanted.items() if minor)
