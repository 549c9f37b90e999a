"""The same history heard twice, in another order and with repeats: nobody is contacted a second time, and the books
come out the same."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.reminder.consumers import subscriptions
from services.reminder.contacts.handlers import RecordBounce
from services.reminder.receivables.rules import Heard
from services.reminder.receivables.rules import hear as hear_of
from services.reminder.reminders import handlers as reminders
from shared.clock import Clock
from shared.db import Database, transaction
from shared.delivery import Received, deliver_batch
from shared.events.event import Event
from shared.events.invoice import InvoiceEvent
from tests.conftest import with_database
from tests.reminder.books import ADA, Customer, Invoice, receive
from tests.reminder.couriers import hire
from tests.reminder.desk import Desk

FIRST_DAY = date(2026, 2, 2)
DAYS = 50
AFTERWARDS_DAYS = 8


@dataclass
class History:
    """Customers who buy, pay, pay late or in part, dispute, agree plans and break them, promise and move."""

    chance: random.Random
    book: list[Invoice]
    customers: list[Customer] = field(default_factory=list)
    log: list[Received] = field(default_factory=list)

    def begin(self, count: int) -> list[Received]:
        for n in range(count):
            person = ADA.model_copy(update={"email": f"c{n}@acme.example"})
            zone = self.chance.choice(["UTC", "Europe/Berlin", "America/New_York"])
            self.customers.append(Customer.new(id=UUID(int=n + 1), name=f"C {n}", contacts=(person,), time_zone=zone))
        return self._told(customer.onboard() for customer in self.customers)

    def day(self, today: date) -> list[Received]:
        events: list[Event] = []
        for customer in self.customers:
            if today < FIRST_DAY + timedelta(days=DAYS) and self.chance.random() < 0.2:
                due_on = today + timedelta(days=self.chance.randint(2, 20))
                number = f"R-{len(self.book)}"
                minor = self.chance.randint(100, 500_000)
                invoice = Invoice(customer.id, number, minor, today, due_on, id=UUID(int=10_000 + len(self.book)))
                self.book.append(invoice)
                events.append(invoice.issue())
            if self.chance.random() < 0.004:
                person = customer.state.contacts[0].model_copy(
                    update={"email": f"x{self.chance.random()}@acme.example"}
                )
                events.append(customer.change(contacts=(person,)))
        for invoice in self.book:
            if not invoice.balance_minor:
                continue
            if invoice.due_on < today and invoice.overdue_since is None:
                events.append(invoice.become_overdue())
            events += self._what_becomes_of(invoice, today)
        return self._told(events)

    def _what_becomes_of(self, invoice: Invoice, today: date) -> list[Event]:
        luck = self.chance.random()
        if invoice.disputed_minor:
            return [invoice.reject_dispute()] if luck < 0.15 else []
        if invoice.on_plan_minor:
            return [invoice.break_plan()] if luck < 0.05 else []
        if luck < 0.03:
            return invoice.pay()
        if luck < 0.10 and invoice.balance_minor > 50:
            return invoice.pay(invoice.balance_minor // 3)
        if invoice.overdue_since is None:
            return []
        if luck < 0.11:
            return [invoice.dispute()]
        if luck < 0.12:
            return [invoice.agree_plan()]
        if luck < 0.125:
            return [invoice.promise(today + timedelta(days=4))]
        return invoice.give_up("written_off") if luck < 0.126 else []

    def _told(self, events: Any) -> list[Received]:
        told = [receive(event) for event in events]
        self.log += told
        return told


def muddled(chance: random.Random, told: list[Received], log: list[Received]) -> list[Received]:
    """The topics in another order beside each other, much of it twice, some of it known for long. A repeat has the id
    of the first time, as from a broker that delivers again, or an id of its own, as from a publisher that tells its
    history anew."""
    topics: dict[tuple[str, UUID], list[Received]] = {}
    for one in told:
        topics.setdefault((one.topic, one.envelope.key), []).append(one)
    muddle: list[Received] = []
    while topics:
        key = chance.choice(list(topics))
        muddle.append(topics[key].pop(0))
        if not topics[key]:
            del topics[key]
    repeats = [one for one in told if chance.random() < 0.3] + chance.sample(log, min(len(log), len(told) // 3))
    return [*muddle, *(under_a_new_id(one) if chance.random() < 0.5 else one for one in repeats)]


def under_a_new_id(one: Received) -> Received:
    return replace(one, envelope=replace(one.envelope, id=uuid4()))


async def hear(desk: Desk, told: list[Received]) -> None:
    if told:
        await deliver_batch(desk.database, subscriptions, told)


async def bounce(desk: Desk) -> None:
    """Some customers' newest mail comes back, and is told of twice."""
    rows = await desk.database.pool.fetch(_TO_BOUNCE)
    for row in rows * 2:
        async with transaction(desk.database) as tx:
            await reminders.bounce_contact(tx, RecordBounce(row["id"], tx.now, "550 no such user"))


_TO_BOUNCE = """
select distinct on (customer_id) id from contact
where status = 'sent' and bounced_at is null and right(customer_id::text, 1) in ('5', 'd') order by customer_id, id desc
"""


async def books_of(desk: Desk) -> dict[str, list[Any]]:
    """Everything that was decided, without what is an accident: ids, and which event caused it."""
    pool = desk.database.pool
    contacts = await pool.fetch("""
        select customer_id::text, entity_id, episode, step, channel, status, reason, invoices::text, amounts::text,
               recipient, due_at, sent_at, bounced_at, version
        from contact order by 1, due_at, step, channel, episode, status""")
    states = await pool.fetch("""
        select customer_id::text, entity_id, status, episode, level, step, opened_on, closed_on, closed_because,
               climbed_on, rest_until, noticed::text, check_at, broken_promises, version
        from collection_case order by 1, 2""")
    promises = await pool.fetch("select customer_id::text, status, promised_on, ended_on from promise order by 1, 3")
    told = await pool.fetch("""
        select type, key::text, version, data -> 'contact' ->> 'step' as step, data -> 'contact' ->> 'status' as status
        from event_log where type like '%.reminder.%' or type like '%.case.%' order by key, type, version, step""")
    return {
        "contacts": [tuple(row.values()) for row in contacts],
        "cases": [tuple(row.values()) for row in states],
        "promises": [tuple(row.values()) for row in promises],
        "published": [tuple(row.values()) for row in told],
    }


@asynccontextmanager
async def beside(desk: Desk, postgres_url: str, template: str) -> AsyncIterator[Desk]:
    """The same service on a fresh database of its own."""
    name = f"reminder_{uuid4().hex[:12]}"
    server = await asyncpg.connect(postgres_url)
    await server.execute(f'create database "{name}" template "{template}"')
    database = await Database.open(with_database(postgres_url, name), clock=Clock(True))
    try:
        yield Desk(desk.http, database, desk.resources, desk.invoice_service, desk.smtp, desk.app)
    finally:
        await database.close()
        await server.execute(f'drop database "{name}" with (force)')
        await server.close()


@pytest.mark.parametrize(
    ("customers", "events"),
    [pytest.param(12, 500, id="five hundred"), pytest.param(250, 10_000, id="ten thousand", marks=pytest.mark.slow)],
)
@pytest.mark.timeout(1200)
async def test_a_history_heard_again_in_another_order_and_with_repeats_under_any_id_changes_nothing(
    desk: Desk, postgres_url: str, template_of: Callable[[str], str], customers: int, events: int
) -> None:
    letters = hire(desk, "email")["email"].letters
    history = History(random.Random(f"{customers} customers"), desk.invoice_service.invoices)
    chance = random.Random("a muddle")
    async with beside(desk, postgres_url, template_of("reminder")) as other:
        other_letters = hire(other, "email")["email"].letters
        told = history.begin(customers)
        for day in range(DAYS + AFTERWARDS_DAYS):
            today = FIRST_DAY + timedelta(days=day)
            told += history.day(today)
            for each in (desk, other):
                await each.set_clock(_at(today, 0))
            await hear(desk, told)
            await hear(other, muddled(chance, told, history.log))
            for hour in (0, 9, 14):
                for each in (desk, other):
                    await each.set_clock(_at(today, hour))
                    await each.tick()
            if day % 20 == 10:
                await bounce(desk)
                await bounce(other)
            told = []
        assert len(history.log) >= events
        expected = await books_of(desk)
        assert len({step for _, _, _, step, *_ in expected["contacts"]}) >= 5
        assert {row[5] for row in expected["contacts"]} >= {"sent", "suppressed"}
        found = await books_of(other)
        for what in expected:
            assert _differences(found[what], expected[what]) == [], what
        assert _what(letters) == _what(other_letters)

    sent = len(letters)
    for log in (history.log, list(map(under_a_new_id, history.log))):
        for start in range(0, len(log), 500):
            await hear(desk, log[start : start + 500])
            await desk.tick()
        assert len(letters) == sent
        again = await books_of(desk)
        for what in expected:
            assert _differences(again[what], expected[what]) == [], what
    print(f"{len(history.log):,} events, {sent:,} mails")


def _at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def _differences(found: list[Any], expected: list[Any]) -> list[Any]:
    different = [(was, should) for was, should in zip(found, expected, strict=False) if was != should]
    return different or [*found[len(expected) :], *expected[len(found) :]]


def _what(letters: list[Any]) -> Counter[tuple[Any, ...]]:
    made = Counter((letter.customer_id, letter.step, letter.written_on, letter.items) for letter in letters)
    assert max(made.values()) == 1
    return made


def test_a_version_of_an_invoice_is_news_once_whenever_it_comes() -> None:
    invoice = Invoice(UUID(int=1), "R-1", 10_000, FIRST_DAY, FIRST_DAY, id=UUID(int=2))
    states = [
        tell.invoice
        for tell in (invoice.issue(), *(invoice.promise(FIRST_DAY) for _ in range(3)))
        if isinstance(tell, InvoiceEvent)
    ]

    def heard(*versions: int, stood: Heard | None) -> tuple[list[bool], Heard]:
        told = [states[version - 1] for version in versions]
        first_time, known = hear_of(told, {invoice.id: stood} if stood else {})
        return first_time, known[invoice.id]

    assert heard(1, 2, 3, stood=None) == ([True] * 3, Heard(3))
    assert heard(2, stood=None) == ([True], Heard(2, frozenset({1})))
    assert heard(1, 2, 3, 3, stood=Heard(3)) == ([False] * 4, Heard(3))
    assert heard(4, stood=Heard(2)) == ([True], Heard(4, frozenset({3})))
    assert heard(3, 3, stood=Heard(4, frozenset({1, 3}))) == ([True, False], Heard(4, frozenset({1})))
