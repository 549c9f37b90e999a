"""What simulations take for granted: who pays when, what people approve, what contacts cost, which days there are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Literal

import pytest

from services.reminder.courses.rules import Assumptions, Course, facts_ahead, midnight, run
from services.reminder.holds.rules import Hold, HoldKind
from services.reminder.policies.rules import POLICY
from services.reminder.receivables.rules import Account
from services.reminder.simulations import rules
from services.reminder.simulations.rules import Job, Tally
from services.reminder.strategies.rules import Published, parse
from shared.money import Money
from tests.reminder.facts import DEFAULT, DUE, account, eur, item, open_case

BEGINS = datetime(DUE.year, DUE.month, DUE.day, 6, tzinfo=UTC) + timedelta(days=1)
ENDS = midnight(DUE + timedelta(days=31))

ASKS = """
name: default
title: With approval
steps:
  - {name: ask, days_from_due: 1, channel: email, tone: friendly, template: first-reminder}
  - {name: firm, days_from_due: 7, channel: email, tone: firm, template: firm-reminder, approval: true}
"""


def assumed(strategy: Published = DEFAULT, approvals: Literal["none", "at_once"] = "none") -> Assumptions:
    newest, pinned = {strategy.name: strategy}, {(strategy.name, strategy.version): strategy}
    return Assumptions(newest, pinned, POLICY, BEGINS, ENDS, approvals)


def steps(course: Course, under: Assumptions) -> list[tuple[int, str]]:
    """(days after due, step) of everything that goes out."""
    tally = Tally("default")
    run(course, under, tally)
    return [((sent.day - DUE).days, sent.step) for sent in sorted(tally.contacts)]


def course(owed: Account, pays_days_late: int | None = None, **more: object) -> Course:
    facts = facts_ahead(owed, BEGINS, ENDS, pays_days_late)
    return Course({owed.key: owed}, {owed.key: replace(open_case(owed, BEGINS), **more)}, facts=facts)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("pays_days_late", "expected"),
    [
        (None, [(1, "first-reminder"), (7, "second-reminder"), (15, "firm-reminder"), (30, "urgent-reminder")]),
        (1, [(1, "first-reminder"), (7, "second-reminder"), (15, "firm-reminder"), (30, "urgent-reminder")]),  # Passed.
        (2, [(1, "first-reminder")]),
        (7, [(1, "first-reminder")]),  # It comes at the beginning of the day of the second reminder.
        (8, [(1, "first-reminder"), (7, "second-reminder")]),
        (60, [(1, "first-reminder"), (7, "second-reminder"), (15, "firm-reminder"), (30, "urgent-reminder")]),
    ],
)
def test_an_account_pays_as_late_as_it_did_and_hears_no_more(
    pays_days_late: int | None, expected: list[tuple[int, str]]
) -> None:
    assert steps(course(account(item()), pays_days_late), assumed()) == expected


def test_what_is_disputed_is_not_expected_to_be_paid() -> None:
    owed = account(item(), item("R-2", disputed=True))
    assert [fact.paid for fact in facts_ahead(owed, BEGINS, ENDS, 5)] == ["R-1"]


@pytest.mark.parametrize(("due_in_days", "overdue_in_days"), [(-1, 0), (0, 1), (5, 6), (28, 29), (29, None)])
def test_an_invoice_is_overdue_on_the_midnight_after_its_due_date(
    due_in_days: int, overdue_in_days: int | None
) -> None:
    due_on = BEGINS.date() + timedelta(days=due_in_days)
    owed, ends = account(item(due_on=due_on, overdue=False)), midnight(BEGINS.date()) + timedelta(days=30)
    found = facts_ahead(owed, BEGINS, ends, None)
    days = [(fact.at.date() - BEGINS.date()).days for fact in found]
    assert days == ([] if overdue_in_days is None else [overdue_in_days])
    assert all(fact.at >= BEGINS for fact in found)


def test_steps_that_wait_for_a_person_wait_or_are_approved_at_once() -> None:
    strategy = Published(parse(ASKS), 1, ASKS)
    assert steps(course(account(item())), assumed(strategy)) == [(1, "ask")]
    assert steps(course(account(item())), assumed(strategy, "at_once")) == [(1, "ask"), (7, "firm")]


def test_a_pause_ends_on_its_day_and_an_endless_hold_goes_on() -> None:
    pause = Hold(HoldKind.PAUSED, DUE + timedelta(days=9), "p", "")
    assert steps(course(account(item()), holds=(pause,)), assumed())[0] == (10, "first-reminder")
    assert steps(course(account(item()), holds=(replace(pause, until=None),)), assumed()) == []


@pytest.mark.parametrize(
    ("contacts", "prices", "cost"),
    [
        ({}, {}, "0.00"),
        ({"email": 1_000}, {"letter": "1.10"}, "0.00"),
        ({"letter": 3, "sms": 2}, {"letter": "1.10", "sms": "0.08"}, "3.46"),
        ({"sms": 1}, {"sms": "0.125"}, "0.12"),  # Half to even.
        ({"sms": 3}, {"sms": "0.125"}, "0.38"),
    ],
)
def test_contacts_cost_what_their_channels_do_rounded_once(
    contacts: dict[str, int], prices: dict[str, str], cost: str
) -> None:
    given = {channel: Decimal(price) for channel, price in prices.items()}
    assert rules.cost(contacts, given, "EUR") == Money.parse(cost, "EUR")


def test_the_days_are_the_rest_of_today_and_all_days_until_the_end() -> None:
    job = Job("default", (), None, datetime(2026, 3, 30, 23, 59, tzinfo=UTC), midnight(date(2026, 4, 2)))
    assert job.days == (date(2026, 3, 30), date(2026, 3, 31), date(2026, 4, 1))


def test_a_partly_disputed_invoice_is_asked_for_in_part() -> None:
    part = replace(item(), collectable=eur(4_000), disputed=eur(6_000))
    assert steps(course(account(part)), assumed())[0] == (1, "first-reminder")
