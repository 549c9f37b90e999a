"""A strategy tried before it is used: what the simulation says comes, day by day, is what then comes."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.reminder.cases import handlers as cases
from services.reminder.cases.handlers import HoldCase
from services.reminder.contacts.rules import Contact
from services.reminder.episodes.rules import Outcome
from services.reminder.holds.rules import Hold, HoldKind
from services.reminder.letters import handlers as letters
from services.reminder.letters.handlers import CloseBatch
from services.reminder.next_steps.rules import Case
from services.reminder.policies import handlers as policies
from services.reminder.policies.handlers import OptOut, PublishPolicy
from services.reminder.policies.rules import PolicyDocument
from services.reminder.receivables import handlers as receivables
from services.reminder.simulations import handlers as simulations
from services.reminder.simulations.handlers import Simulate
from services.reminder.simulations.rules import Tally
from services.reminder.strategies import handlers as strategies
from services.reminder.strategies.handlers import PublishStrategy
from shared.clock import real_now
from shared.db import reading, transaction
from shared.events.credit import ContactPerson, PostalAddress
from tests.reminder.books import ADA, Customer, Invoice, without_email
from tests.reminder.couriers import hire
from tests.reminder.desk import Desk
from tests.service_client import post

CHANNELS = ("email", "sms", "chat", "webhook")
BEGINS = date(2026, 3, 20)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland", "Asia/Kolkata")
HAMBURG = PostalAddress(lines=("Hafenstraße 12",), city="Hamburg", postal_code="20457")

MANY_WAYS = """
name: many-ways
title: Every channel there is
fits:
  segments: [mixed]
catch_up:
  gap_days: 2
steps:
  - {name: soon, days_from_due: -5, channel: sms, fallback: email, tone: friendly, template: due-soon}
  - {name: ask, days_from_due: 1, channel: email, tone: friendly, template: first-reminder}
  - {name: tell-the-team, days_from_due: 3, channels: [chat, webhook], tone: friendly}
  - {name: text, days_from_due: 5, channel: sms, tone: friendly, template: second-reminder}
  - name: large-ones
    days_from_due: 8
    conditions: {amount_at_least: {EUR: 200}}
    channels: [email, sms]
    tone: firm
    template: firm-reminder
    actions: [fee]
  - {name: ring, days_after_previous: 3, channel: call, fallback: email, tone: firm, template: second-reminder}
  - name: on-paper
    days_from_due: 15
    channels: [email, letter]
    tone: formal
    template: final-notice
    actions: [formal_notice]
  - {name: refer, days_from_due: 25, actions: [agency_referral]}
"""
WITH_PERSONS = """
name: with-persons
title: Somebody has to say yes
fits:
  segments: [asked]
steps:
  - {name: ask, days_from_due: 1, channel: email, tone: friendly, template: first-reminder}
  - {name: firm, days_from_due: 9, channel: email, tone: firm, template: firm-reminder, approval: true}
"""
LEAVES_OUT = """
name: leaves-out
title: Missed steps are left out
fits:
  segments: [left-out]
catch_up: {mode: skip_to_current, gap_days: 3}
steps:
  - {name: one, days_from_due: 1, channel: email, tone: friendly, template: first-reminder}
  - {name: two, days_from_due: 5, channel: email, tone: friendly, template: second-reminder}
  - {name: three, days_from_due: 9, channel: email, tone: firm, template: firm-reminder}
  - {name: four, days_from_due: 20, channel: letter, fallback: email, tone: formal, template: final-notice}
"""
STRICT = PolicyDocument(
    contacts_max=2,
    within_days=6,
    min_gap_days=2,
    weekdays=("monday", "tuesday", "wednesday", "thursday", "friday"),
    rest_on_public_holidays=True,
    channels={"sms": {"opens": "10:00", "closes": "16:00", "contacts_max": 1, "within_days": 10}},  # pyright: ignore[reportArgumentType]
)


class Town(Desk):
    """A desk whose letters somebody posts as soon as they wait."""

    async def tick(self) -> None:
        await super().tick()
        while await self._post():
            await super().tick()

    async def _post(self) -> bool:
        posted = False
        for entity_id in ("default", "south"):
            async with reading(self.database) as tx:
                waiting = await letters.waiting(tx, entity_id)
            if waiting:
                asked = list({contact.account for contact in waiting})
                balances = await receivables.ask_balances(self.resources.invoice, asked)
                async with transaction(self.database) as tx:
                    close = CloseBatch(entity_id, "left", waiting, balances, "anna", real_now())
                    batch = await letters.close_batch(tx, close)
                if batch.status == "closed":
                    async with transaction(self.database) as tx:
                        await letters.post_batch(tx, batch.id, (), "anna", real_now())
                posted = True
        return posted


@pytest.fixture
def town(desk: Desk) -> Town:
    made = Town(**{each.name: getattr(desk, each.name) for each in fields(desk)})
    hire(made, *CHANNELS)
    return made


class Listener(Tally):
    """A tally that also keeps every contact."""

    def __init__(self, strategy: str) -> None:
        super().__init__(strategy)
        self.heard: list[Contact] = []

    def concluded(self, contact: Contact, now: datetime) -> None:
        self.heard.append(contact)
        super().concluded(contact, now)

    def decided(self, before: Case, outcome: Outcome, now: datetime) -> None:
        super().decided(before, outcome, now)


def wanted(strategy: str = "default", **more: Any) -> Simulate:
    given: dict[str, Any] = {
        "strategy": strategy,
        "sides": (None,),
        "days": 30,
        "policy": None,
        "past": None,
        "payments": "none",
        "approvals": "none",
        "running": "keep",
    }
    return Simulate(**{**given, **more})


async def foretell(desk: Desk, command: Simulate) -> Listener:
    """The simulation of the first side, with every contact of it."""
    async with reading(desk.database) as tx:
        job = await simulations.prepare(tx, command)
        listener = Listener(job.strategy)
        await simulations.simulate(tx, job, tallies=[listener])
    return listener


def lines(contacts: list[Contact]) -> Counter[tuple[Any, ...]]:
    return Counter(
        (
            str(each.customer_id)[:8],
            each.entity_id,
            each.due_at.isoformat(),
            each.sent_at.isoformat() if each.sent_at else None,
            f"{each.strategy} {each.strategy_version}",
            each.episode,
            each.step,
            each.channel,
            each.status,
            each.reason,
            each.recipient,
        )
        for each in contacts
    )


async def came(desk: Desk, begins: datetime) -> list[Contact]:
    """What really ended since then."""
    async with reading(desk.database) as tx:
        rows = await tx.fetch(
            "select id, status from contact where due_at >= $1 and status not in ('planned', 'sending')", begins
        )
        by_status: dict[Any, list[UUID]] = {}
        for row in rows:
            by_status.setdefault(row["status"], []).append(row["id"])
        return [c for status, ids in by_status.items() for c in await cases.contacts.in_status(tx, ids, status)]


async def publish(desk: Desk, document: str, version: int = 0) -> None:
    name = document.split("name: ")[1].split("\n")[0]
    async with transaction(desk.database) as tx:
        await strategies.publish_strategy(tx, PublishStrategy(name, document, version))


async def strict_policy(desk: Desk) -> None:
    async with transaction(desk.database) as tx:
        await policies.publish_policy(tx, PublishPolicy(STRICT, 0, "anna"))


async def populate(desk: Desk, count: int) -> list[Customer]:
    """Customers of every kind, each with some invoices: late for long, late since yesterday, due soon, not due yet.
    Some are subsidiaries whose messages another one takes."""
    made, invoices = [], []
    for n in range(count):
        person = ADA.model_copy(update={"phone": "+4930123"}) if n % 3 else ADA
        if n % 11 == 5:
            person = without_email(person)
        made.append(
            Customer.new(
                time_zone=ZONES[n % len(ZONES)],
                country=("DE", "US", "NZ", None)[n % 4] or "IN",
                segment=("standard", "mixed", "asked", "left-out")[n // 2 % 4],
                contacts=(ContactPerson(**person.model_dump()),),
                address=HAMBURG if n % 5 else None,
                parent_id=made[n - n % 9].id if n % 9 > 5 else None,
                contact_parent=n % 9 > 5,
            )
        )
        late = (3, 12, -2, 1, 40, -9, -20, 75)[n % 8]
        for each in range(n % 3 + 1):
            due_on = BEGINS - timedelta(days=late) + timedelta(days=9 * each)
            entity = "south" if n % 7 == 3 and each == 1 else "default"
            issued_on = due_on - timedelta(days=30 if each % 2 == 0 else 4)
            invoices.append(
                Invoice(made[-1].id, f"R-{n}-{each}", 4_000 + 9_000 * each, issued_on, due_on, entity_id=entity)
            )
    desk.invoice_service.invoices += invoices
    await desk.hear(*(customer.onboard() for customer in made))
    await desk.hear(*(invoice.issue() for invoice in invoices))
    disputed = [invoice for n, invoice in enumerate(invoices) if n % 17 == 4]
    await desk.hear(*(invoice.dispute() for invoice in disputed))
    resting = [invoice for n, invoice in enumerate(disputed) if n % 2]
    await desk.hear(*(invoice.reject_dispute(BEGINS + timedelta(days=9)) for invoice in resting))
    return made


async def hold_some(desk: Desk, customers: list[Customer]) -> None:
    """Pauses, promises, conversations, replies and placements; and channels that are not wanted."""
    for n, customer in enumerate(customers):
        path = f"/v1/cases/{customer.id}"
        if n % 13 == 2:
            until = (BEGINS + timedelta(days=6 + n % 5)).isoformat()
            answer = await post(desk.http, f"{path}/pauses", {"until": until, "reason": "customer_asked"})
            assert answer.status_code == 201, answer.text
        if n % 13 == 7:
            on = (BEGINS + timedelta(days=4)).isoformat()
            amount = {"amount": "20.00", "currency": "EUR"}
            answer = await post(desk.http, f"{path}/promises", {"amount": amount, "on": on})
            assert answer.status_code in (201, 409), (
                answer.text
            )  # Where nothing is collected there is nothing to promise.
        async with transaction(desk.database) as tx:
            kind = {3: HoldKind.CONVERSATION, 9: HoldKind.REPLIED, 11: HoldKind.PLACED}.get(n % 13)
            if kind:
                until = BEGINS + timedelta(days=5) if kind is HoldKind.CONVERSATION else None
                await cases.hold_case(tx, HoldCase(customer.id, "default", Hold(kind, until, f"h-{n}", "by hand")))
            if n % 10 == 4:
                await policies.opt_out(tx, OptOut(customer.id, "sms" if n % 20 == 4 else "email", None, "said", "anna"))


async def test_thirty_days_foretold_are_the_thirty_days_that_come(town: Town) -> None:
    for document in (MANY_WAYS, WITH_PERSONS, LEAVES_OUT):
        await publish(town, document)
    await strict_policy(town)
    await town.set_clock(datetime(2026, 3, 16, 6, tzinfo=UTC))
    customers = await populate(town, 120)
    await town.until(BEGINS, 12)
    await hold_some(town, customers)
    begins = await town.now()

    told = await foretell(town, wanted("many-ways"))
    await town.until(BEGINS + timedelta(days=30), 23)

    expected = lines([each for each in told.heard if each.due_at < begins + timedelta(days=30, hours=11)])
    happened = lines(await came(town, begins))
    assert expected - happened == Counter()
    assert happened - expected == Counter()
    assert {each.channel for each in told.heard if each.status == "sent"} == {
        "email",
        "sms",
        "letter",
        "call",
        "chat",
        "webhook",
    }
    assert {each.reason for each in told.heard if each.status == "suppressed"} > {"contact_cap", "opted_out"}


async def simulate(desk: Desk, strategy: str = "default", **body: Any) -> Any:
    answer = await desk.http.post(f"/v1/strategies/{strategy}/simulations", json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_two_versions_stand_side_by_side_with_their_figures_and_nothing_is_touched(town: Town) -> None:
    await town.set_clock(datetime(2026, 3, 20, 6, tzinfo=UTC))
    customer = await town.onboard(segment="small", address=HAMBURG)
    await town.issue(customer, date(2026, 3, 19))
    events = len(await town.published())
    one_letter = """
name: default
title: Two steps
steps:
  - {name: ask, days_from_due: 1, channel: email, tone: friendly, template: first-reminder}
  - {name: on-paper, days_from_due: 8, channel: letter, tone: formal, template: final-notice, actions: [formal_notice]}
"""
    answer = await simulate(town, days=10, document=one_letter, compare_with=1, prices={"email": "0.002"})

    tried, beside = answer["simulated"], answer["compared"]
    assert answer["days"] == [f"2026-03-{day}" for day in range(20, 31)]
    assert (answer["book_accounts"], answer["book_items"]) == (1, 1)
    assert [(s["step"], s["channel"], s["by_day"]) for s in tried["series"]] == [
        ("ask", "email", [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        ("on-paper", "letter", [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]),
    ]
    assert tried["contacts_by_day"] == [1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]
    assert tried["cost"] == {"amount": "1.10", "currency": "EUR"}
    assert (tried["version"], tried["is_published"], tried["reached_legal"]) == (2, False, 1)
    assert [s["step"] for s in beside["series"]] == ["first-reminder", "second-reminder"]
    assert (beside["version"], beside["is_published"], beside["accounts"]) == (1, True, 1)
    assert any("Nobody pays" in said for said in answer["assumptions"])
    assert await town.contacts() == []
    assert len(await town.published()) == events


async def test_contacts_cost_what_the_contact_policy_says_unless_the_question_says_otherwise(town: Town) -> None:
    await town.set_clock(datetime(2026, 3, 20, 6, tzinfo=UTC))
    customer = await town.onboard()
    await town.issue(customer, date(2026, 3, 19))

    async def cost(**asked: Any) -> Any:
        return (await simulate(town, days=1, **asked))["simulated"]["cost"]

    assert await cost() == {"amount": "0.00", "currency": "EUR"}
    priced = {"prices": {"email": "0.25"}, "prices_currency": "CHF"}
    answer = await town.http.put("/v1/contact-policy", json=priced, headers={"if-match": '"0"'})
    assert (answer.status_code, answer.json()["prices"]) == (200, {"email": "0.25"})
    assert await cost() == {"amount": "0.25", "currency": "CHF"}
    assert await cost(prices={"email": "0.10"}) == {"amount": "0.10", "currency": "CHF"}
    assert await cost(currency="EUR") == {"amount": "0.00", "currency": "EUR"}, "prices in francs say nothing of euros"
    assert await cost(policy={"prices": {"email": "0.5"}}) == {"amount": "0.50", "currency": "EUR"}
    for wrong in ({"fax": "1"}, {"email": "-1"}, {"email": "0.00001"}):
        answer = await town.http.put("/v1/contact-policy", json={"prices": wrong}, headers={"if-match": '"1"'})
        assert answer.status_code == 422, wrong


async def test_a_past_month_under_the_strategy_that_ran_is_what_went_out_in_it(town: Town) -> None:
    await publish(town, MANY_WAYS)
    await town.set_clock(datetime(2026, 2, 1, tzinfo=UTC))
    begins, paid_on, ends = date(2026, 2, 10), date(2026, 2, 20), date(2026, 3, 8)
    reachable = {"address": HAMBURG, "contacts": (ADA.model_copy(update={"phone": "+4930123"}),)}
    customers = [
        await town.onboard(time_zone=zone, segment=("mixed", "standard")[n % 2], **reachable)
        for n, zone in enumerate(ZONES)
    ]
    invoices = [
        await town.issue(customer, date(2026, 1, 20) + timedelta(days=9 * each + n), f"R-{n}-{each}", paid_on=paid_on)
        for n, customer in enumerate(customers)
        for each in range(3)
    ]
    await town.until(date(2026, 2, 8), 23)
    async with transaction(town.database) as tx:
        hold = Hold(HoldKind.CONVERSATION, date(2026, 2, 14), "h-1", "by hand")
        await cases.hold_case(tx, HoldCase(customers[3].id, "default", hold))
    await town.until(paid_on, 0)
    for invoice in invoices[::4]:
        await town.hear(*invoice.pay())
    await town.until(ends, 23)
    await town.until(date(2026, 3, 10))

    async with reading(town.database) as tx:
        job = await simulations.prepare(tx, wanted("many-ways", past=(begins, ends)))
        assert "Customers paid when they did" in " ".join(simulations.rules.assumptions(job))
    async with transaction(town.database) as tx:  # The log is read by a cursor.
        listener = Listener(job.strategy)
        tx.now = job.begins
        await simulations.simulate(tx, job, tallies=[listener])
    heard = [each for each in listener.heard if each.status == "sent"]
    happened = [c for c in await came(town, job.begins) if c.status == "sent" and c.due_at < job.ends]
    assert lines(heard) == lines(happened)
    assert len(heard) > 9
