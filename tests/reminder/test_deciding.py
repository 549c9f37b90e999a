"""A case is followed by the few invoices that decide, and comes out as if all of them had been looked at."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from services.reminder.episodes import rules as episodes
from services.reminder.next_steps import rules as next_steps
from services.reminder.receivables import handlers as receivables
from shared.db import reading
from shared.events.event import Event
from tests.reminder.books import Customer, Invoice
from tests.reminder.desk import Desk
from tests.reminder.facts import CASE, DEFAULT

TODAY = date(2026, 3, 10)
ZONES = ("UTC", "Pacific/Kiritimati", "America/Los_Angeles")


def news_of(customer: Customer, number: int, chance: random.Random) -> list[Event]:
    """An invoice around today in some state: overdue or not, disputed, on a plan, in its fresh days, paid."""
    due_on = TODAY + timedelta(days=chance.choice((-120, -40, -8, -2, -1, 0, 1, 6, 7, 8, 8, 20)))
    issued_on = due_on - timedelta(days=chance.choice((2, 7, 8, 30)))
    invoice = Invoice(customer.id, f"R-{number}", chance.randint(1, 9) * 100, issued_on, due_on)
    events = [invoice.issue()]
    if due_on < TODAY and chance.random() < 0.9:
        events.append(invoice.become_overdue())
    fate = chance.choice(("owed", "owed", "paid", "disputed", "on a plan", "resting", "resting"))
    if fate == "paid":
        return [*events, *invoice.pay()]
    if fate == "on a plan":
        return [*events, invoice.agree_plan()]
    if fate in ("disputed", "resting"):
        events.append(invoice.dispute())
    if fate == "resting":
        again_on = TODAY + timedelta(days=chance.choice((-30, -2, -1, 0, 1, 2, 5, 30)))
        events.append(invoice.reject_dispute(collect_again_on=again_on))
    return events


async def test_what_decides_is_read_without_what_does_not(desk: Desk) -> None:
    chance = random.Random(7)
    customers = [Customer.new(time_zone=chance.choice(ZONES)) for _ in range(250)]
    await desk.hear(*(customer.onboard() for customer in customers))
    for customer in customers:
        await desk.hear(*(e for n in range(chance.randint(0, 9)) for e in news_of(customer, n, chance)))

    decided = set()
    for hour in (0, 11, 23):
        await desk.set_clock(datetime(2026, 3, 10, hour, tzinfo=UTC))
        async with reading(desk.database) as tx:
            keys = [(customer.id, "default") for customer in customers]
            whole, few = await receivables.accounts(tx, keys), await receivables.deciding(tx, keys)
        for key, account in whole.items():
            fresh = episodes.new_case(CASE, account.id, DEFAULT)
            climbed_on = TODAY - timedelta(days=chance.randint(0, 9))
            level = chance.randint(0, 6)
            running = replace(fresh, status="open", episode=1, level=level, climbed_on=climbed_on)
            for case in (fresh, replace(fresh, noticed=(TODAY + timedelta(days=7),)), running):
                now = tx.now
                right = episodes.follow(case, account, DEFAULT, now)
                found = episodes.follow(case, few[key], DEFAULT, now)
                assert (found.case, found.reason) == (right.case, right.reason)
                assert found.reason is next_steps.Reason.OPENED or found.events == right.events
                decided.add((right.reason, right.case.closed_because, right.case.check_at is not None))
    assert len(decided) >= 7, decided


async def test_an_opened_case_tells_what_everything_overdue_comes_to(desk: Desk) -> None:
    customer = await desk.onboard()
    late = [await desk.issue(customer, date(2026, 2, 1), f"R-{n}", 1_000) for n in range(3)]
    await desk.set_clock(datetime(2026, 2, 2, tzinfo=UTC))
    await desk.hear(*(invoice.become_overdue() for invoice in late))
    (opened,) = [event["data"] for event in await desk.published() if event["type"] == "case.opened"]
    assert opened["case"]["collectable"] == [{"amount": "30.00", "currency": "EUR"}]
