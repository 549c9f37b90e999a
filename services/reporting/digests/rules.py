"""A week of some accounts in words: what is owed, overdue, promised and disputed, and what has changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from uuid import UUID

from services.reporting.notices.rules import Content, Section
from shared.calendar import ONE_DAY
from shared.errors import NotFound, Refused
from shared.events.event import Event
from shared.events.invoice import (
    InvoiceDisputed,
    InvoiceDisputeResolved,
    InvoiceIssued,
    InvoiceOverdue,
    InvoiceWrittenOff,
    PaymentReceived,
    PaymentReversed,
)
from shared.events.reminder import PromiseBroken, PromiseKept, PromiseMade, ReminderSent
from shared.money import Money
from shared.words import day_words, money_words

Kind = TypeVar("Kind", bound=Event)

ACCOUNTS_MAX = 200
"""In one mail; it says how many more there are."""
NEWS = (
    InvoiceIssued,
    PaymentReceived,
    PaymentReversed,
    InvoiceOverdue,
    InvoiceDisputed,
    InvoiceDisputeResolved,
    InvoiceWrittenOff,
    PromiseMade,
    PromiseKept,
    PromiseBroken,
    ReminderSent,
)


class DigestNotFound(NotFound):
    slug = "digest-not-found"
    title = "There is no such digest"

    def __init__(self, digest_id: UUID) -> None:
        super().__init__(f"No digest has the id {digest_id}.")


class WhoseAccounts(Refused):
    slug = "whose-accounts"
    title = "A digest is of some accounts"


@dataclass(frozen=True, slots=True)
class Accounts:
    """Which customers: those to whom everything that is given applies."""

    collector: str | None = None
    segment: str | None = None
    country: str | None = None
    customer_ids: tuple[UUID, ...] = ()

    def check(self) -> None:
        """Raises WhoseAccounts when nothing is given: that would be everybody."""
        if not (self.collector or self.segment or self.country or self.customer_ids):
            raise WhoseAccounts("name a collector, a segment, a country or customers", field="/accounts")


@dataclass(frozen=True, slots=True)
class Digest:
    """`weekday` as in ISO 8601, Monday is 1; `hour` is of UTC."""

    id: UUID
    version: int
    name: str
    recipients: tuple[str, ...]
    accounts: Accounts
    weekday: int
    hour: int
    active: bool
    created_by: str
    created_at: datetime
    next_due_at: datetime
    made_on: date | None = None

    def since(self, today: date) -> date:
        """The first day that the next one tells of: where the last one stopped, a week ago at first."""
        return self.made_on or today - timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Account:
    """How a customer stands, one amount a currency, and what has happened."""

    customer_id: UUID
    name: str
    owed: tuple[Money, ...]
    overdue: tuple[Money, ...]
    promised: tuple[tuple[Money, date], ...]
    disputed: tuple[Money, ...]
    news: tuple[str, ...]

    @property
    def is_quiet(self) -> bool:
        return not (self.owed or self.promised or self.news)


def next_due_at(after: datetime, weekday: int, hour: int) -> datetime:
    """The first moment after another that is on the weekday and hour."""
    day = after.astimezone(UTC).date()
    day += timedelta(days=(weekday - day.isoweekday()) % 7)
    due = datetime.combine(day, time(hour, tzinfo=UTC))
    return due if due > after else due + timedelta(days=7)


def news_of(events: Sequence[Event]) -> tuple[str, ...]:
    """What happened with one customer, most of it added up."""
    lines = [
        _sum_line(events, InvoiceIssued, "invoice issued", "invoices issued", lambda e: e.invoice.total),
        _sum_line(events, PaymentReceived, "payment came in", "payments came in", lambda e: e.payment.amount),
        _sum_line(
            events, InvoiceOverdue, "invoice became overdue", "invoices became overdue", lambda e: e.invoice.balance
        ),
        _sum_line(events, ReminderSent, "reminder sent", "reminders sent", None),
    ]
    return (*filter(None, lines), *filter(None, map(_line, events)))


def _sum_line(
    events: Sequence[Event],
    kind: type[Kind],
    one: str,
    many: str,
    amount_of: Callable[[Kind], Money] | None,
) -> str | None:
    found = [event for event in events if isinstance(event, kind)]
    if not found:
        return None
    said = f"{len(found)} {one if len(found) == 1 else many}"
    return f"{said}, {_sums(map(amount_of, found))}" if amount_of else said


def _line(event: Event) -> str | None:
    """What is told one by one."""
    match event:
        case PaymentReversed():
            return "A payment was taken back"
        case InvoiceDisputed():
            return f"Disputes {event.invoice.number}, {money_words(event.amount)}: {event.reason}"
        case InvoiceDisputeResolved():
            return f"The dispute of {event.invoice.number} ended: {event.outcome}"
        case InvoiceWrittenOff():
            return f"{event.invoice.number} was written off, {money_words(-event.change)}"
        case PromiseMade():
            return f"Promises {money_words(event.promise.amount)} for {day_words(event.promise.promised_on)}"
        case PromiseKept():
            return f"Kept its promise of {money_words(event.promise.amount)}"
        case PromiseBroken():
            return f"Broke its promise of {money_words(event.promise.amount)}"
    return None


def content_of(digest: Digest, accounts: Sequence[Account], more: int, today: date, address: str) -> Content:
    """The mail: totals first, then the accounts, those with most overdue first."""
    since, until = digest.since(today), today - ONE_DAY
    facts = [
        (name, said)
        for name, said in (
            ("Owed", _sums(money for account in accounts for money in account.owed)),
            ("Overdue", _sums(money for account in accounts for money in account.overdue)),
            ("Promised", _sums(money for account in accounts for money, _ in account.promised)),
            ("In dispute", _sums(money for account in accounts for money in account.disputed)),
        )
        if said
    ]
    sections = [Section(account.name, _standing(account), account.news) for account in ranked(accounts)]
    if more:
        sections.append(Section(f"And {more} more accounts", "", ()))
    return Content(
        kind="dueward.digest.made.v1",
        title=f"{digest.name}: your accounts, {day_words(until)}",
        intro=f"This is how your accounts stand, and what happened from {day_words(since)} to {day_words(until)}.",
        facts=tuple(facts),
        sections=tuple(sections),
        link=f"{address.rstrip('/')}/",
    )


def ranked(accounts: Iterable[Account]) -> list[Account]:
    """Most overdue first, amounts of all currencies taken alike: it is an order to read in, not a figure."""
    return sorted(accounts, key=lambda a: (-sum(m.minor for m in a.overdue), -sum(m.minor for m in a.owed), a.name))


def _standing(account: Account) -> str:
    parts = [f"{_sums(account.owed)} owed" if account.owed else "nothing owed"]
    if account.overdue:
        parts.append(f"{_sums(account.overdue)} overdue")
    parts += [f"{money_words(money)} promised for {day_words(on)}" for money, on in account.promised]
    if account.disputed:
        parts.append(f"{_sums(account.disputed)} in dispute")
    return ", ".join(parts)


def _sums(amounts: Iterable[Money]) -> str:
    """€1,200.00 and $30.00; empty for nothing."""
    minor: dict[str, int] = defaultdict(int)
    for money in amounts:
        minor[money.currency] += money.minor
    return " and ".join(money_words(Money(minor[currency], currency)) for currency in sorted(minor))
