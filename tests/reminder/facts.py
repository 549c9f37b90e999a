"""Cases, accounts and balances for tests of the rules: one customer, today, and what is owed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from services.reminder.cases import rules
from services.reminder.contacts.rules import Contact
from services.reminder.episodes import rules as episodes
from services.reminder.next_steps.rules import Case
from services.reminder.policies.rules import Touch
from services.reminder.receivables.rules import Account, Balance, BalanceItem, Item
from services.reminder.strategies.rules import Published, parse
from shared.events.credit import ContactPerson
from shared.money import Money

CUSTOMER = UUID(int=1)
CASE = UUID(int=2)
CONTACT = UUID(int=3)
DOCUMENT = Path("services/reminder/strategies/default.yaml").read_text()
DEFAULT = Published(parse(DOCUMENT), 1, DOCUMENT)
ADA = ContactPerson(role="billing", name="Ada Lang", email="ada@acme.example")
DUE = date(2026, 3, 2)


def at(day: date, hour: int = 9, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def days_after_due(days: int, hour: int = 9, minute: int = 0) -> datetime:
    return at(DUE + timedelta(days=days), hour, minute)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def item(
    number: str = "R-1",
    due_on: date = DUE,
    *,
    overdue: bool = True,
    disputed: bool = False,
    issued_on: date | None = None,
) -> Item:
    return Item(
        number=number,
        issued_on=issued_on or due_on - timedelta(days=30),
        due_on=due_on,
        balance=eur(10_000),
        disputed=eur(10_000 if disputed else 0),
        collectable=eur(0 if disputed else 10_000),
        overdue_since=due_on + timedelta(days=1) if overdue else None,
    )


def account(*items: Item, time_zone: str = "UTC", person: ContactPerson | None = ADA) -> Account:
    return Account(
        id=CUSTOMER,
        external_id="C-1",
        name="Acme GmbH",
        country="DE",
        language="en",
        time_zone=time_zone,
        segment="standard",
        person=person,
        items=tuple(sorted(items, key=lambda item: item.due_on)),
    )


def new_case() -> Case:
    return episodes.new_case(CASE, CUSTOMER, DEFAULT)


def open_case(owed: Account, now: datetime, **changes: Any) -> Case:
    """A case just opened at that moment, changed as the test wants it."""
    return replace(episodes.follow(new_case(), owed, DEFAULT, now).case, **changes)


def escalate(case: Case, owed: Account, now: datetime, *contacted_at: datetime) -> episodes.Outcome:
    touches = [Touch(each, "email") for each in contacted_at]
    return rules.escalate(case, owed, DEFAULT, touches, lambda: CONTACT, now)


def planned(case: Case, owed: Account, now: datetime) -> tuple[Case, Contact]:
    """The case with its message under way, and the message."""
    outcome = escalate(case, owed, now)
    (contact,) = outcome.contacts
    return outcome.case, contact


def balance(*items: BalanceItem) -> Balance:
    return Balance("Northwind Trading", items, "https://pay.example/pay/1")


def owed_now(number: str = "R-1", due_on: date = DUE, days_overdue: int = 1, minor: int = 10_000) -> BalanceItem:
    return BalanceItem(number, due_on - timedelta(days=30), due_on, days_overdue, eur(minor))
