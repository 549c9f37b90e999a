"""What would happen to a customer until some day: the engine's own rules, run ahead on a state in memory.

Nothing here decides anything itself. The rules of `episodes`, `cases` and `reminders` follow, escalate, confirm and
conclude, as the service does when the day comes; this only knows when the next moment with something to decide is, and
what the caller takes for granted: what is paid and when, and that a message which leaves arrives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from services.reminder.cases import rules as cases
from services.reminder.contacts.rules import Contact, Suppression
from services.reminder.episodes import rules as episodes
from services.reminder.episodes.rules import Outcome
from services.reminder.holds.rules import Hold, HoldKind
from services.reminder.next_steps import rules as next_steps
from services.reminder.next_steps.rules import Case, Reason
from services.reminder.policies.rules import Policy, Touch
from services.reminder.promises import rules as promises
from services.reminder.promises.rules import Promise
from services.reminder.receivables.rules import Account, Balance, BalanceItem, Item, Key
from services.reminder.reminders import rules as reminders
from services.reminder.reminders.rules import Send, Wait
from services.reminder.strategies.rules import TO_CUSTOMER, Published, choose
from shared.calendar import ONE_DAY, at_local_time, local_date

ENDED_AT_MIDNIGHT = (HoldKind.PROMISED, HoldKind.PAUSED)
"""Their features look at them when their last day is over, where the customer is."""
ROUNDS_MAX = 100
"""At one moment: far more than a strategy has steps to skip."""


class Said(NamedTuple):
    """What is sent once at most: a step by a channel in an episode."""

    customer_id: UUID
    entity_id: str
    episode: str
    step: str
    channel: str


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that becomes known of an account: an invoice as it stands from then on, one that is not owed any more,
    a hold that begins or ends."""

    at: datetime
    key: Key
    item: Item | None = None
    paid: str | None = None
    held: Hold | None = None
    released: tuple[HoldKind, str] | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """A customer at the beginning, or all whose messages one company takes. `touches` are what reached it of late,
    `planned` what was about to, `said` what may not be said again; `facts` are what becomes known on the way, in their
    order."""

    accounts: Mapping[Key, Account]
    cases: Mapping[Key, Case]
    touches: Sequence[Touch] = ()
    planned: Sequence[Contact] = ()
    said: Iterable[Said] = ()
    promises: Mapping[str, Promise] = field(default_factory=dict)
    facts: Sequence[Fact] = ()


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Under what the course is run: the strategies, by name the newest and those that cases keep; the contact policy;
    whether steps that wait for a person are approved at once."""

    newest: Mapping[str, Published]
    pinned: Mapping[tuple[str, int], Published]
    policy: Policy
    begins: datetime
    ends: datetime
    approvals: Literal["none", "at_once"] = "none"


class Diary(Protocol):
    """Who wants to know what happens."""

    def concluded(self, contact: Contact, now: datetime) -> None:
        """A message went out, or did not: its status and reason say which."""
        ...

    def decided(self, before: Case, outcome: Outcome, now: datetime) -> None: ...


def run(course: Course, assumed: Assumptions, diary: Diary) -> Mapping[Key, Case]:
    """From moment to moment with something to decide, until before `ends`. Returns the cases as they are then."""
    running = _Running(course, assumed, diary)
    running.act(assumed.begins)
    last = None
    while (at := running.next_moment()) is not None and at < assumed.ends:
        if last is not None and at <= last:
            raise RuntimeError(f"the cases {running.keys} never come to rest at {at}")
        running.learn(at)
        running.act(at)
        last = at
    return running.cases


def facts_ahead(account: Account, begins: datetime, ends: datetime, pays_days_late: int | None) -> list[Fact]:
    """Of the open invoices: overdue from the midnight after the due date (UTC); paid, where the account pays so many
    days after due, as long as that day is still to come. One that is later already is not expected to be paid."""
    found = []
    for item in account.items:
        paid_at = None
        if pays_days_late is not None:
            paid_at = midnight(item.due_on + timedelta(days=pays_days_late))
            if begins < paid_at < ends and item.collectable == item.balance:
                found.append(Fact(paid_at, account.key, paid=item.number))
            else:
                paid_at = None
        overdue_at = max(midnight(item.due_on + ONE_DAY), begins)
        if item.overdue_since is None and overdue_at < ends and (paid_at is None or overdue_at < paid_at):
            overdue = replace(item, overdue_since=item.due_on + ONE_DAY)
            found.append(Fact(overdue_at, account.key, item=overdue))
    return found


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


class _Running:
    """A course under way."""

    def __init__(self, course: Course, assumed: Assumptions, diary: Diary) -> None:
        self.assumed = assumed
        self.policy = assumed.policy
        self.diary = diary
        self.accounts = dict(course.accounts)
        self.cases = dict(course.cases)
        self.touches = list(course.touches)
        self.promises = course.promises
        self.said = set(course.said)
        self.facts = sorted(course.facts, key=lambda fact: fact.at)
        self.known = 0
        self.planned = list(course.planned)
        self.sent: dict[UUID, Touch] = {}
        self.beside: list[Contact] = []
        """What was planned at this very moment."""
        self.keys = sorted(self.cases)
        self.ids = count(1)

    def next_moment(self) -> datetime | None:
        moments = [case.check_at for case in self.cases.values() if case.check_at]
        if self.known < len(self.facts):
            moments.append(self.facts[self.known].at)
        moments += [contact.due_at for contact in self.planned]
        moments += [self._over_at(key, hold) for key, hold in self._passing_holds()]
        return min(moments, default=None)

    def learn(self, now: datetime) -> None:
        """What becomes known by now, and what the cases make of it."""
        news: dict[Key, list[Fact]] = {}
        while self.known < len(self.facts) and self.facts[self.known].at <= now:
            fact = self.facts[self.known]
            news.setdefault(fact.key, []).append(fact)
            self.known += 1
        for key, facts in news.items():
            self._follow(key, facts, now)

    def act(self, now: datetime) -> None:
        """Take the steps that are due, send what they plan, and end holds, until there is nothing left to do now."""
        for _ in range(ROUNDS_MAX):
            due = [key for key in self.keys if (at := self.cases[key].check_at) is not None and at <= now]
            due.sort(key=lambda key: cases.turn(self.cases[key]))
            self.beside.clear()
            for key in due:
                self._escalate(key, now)
            ready = [contact for contact in self.planned if contact.due_at <= now]
            for contact in ready:
                self._send(contact, now)
            over = [(key, hold) for key, hold in self._passing_holds() if self._over_at(key, hold) <= now]
            for key, hold in over:
                self._end_hold(key, hold, now)
            if not (due or ready or over):
                return
        raise RuntimeError(f"the cases {self.keys} never come to rest at {now}")

    def _follow(self, key: Key, facts: Sequence[Fact], now: datetime) -> None:
        account = self.accounts[key]
        changed = {fact.item.number: fact.item for fact in facts if fact.item}
        paid = {fact.paid for fact in facts if fact.paid}
        if changed or paid:
            items = {item.number: item for item in account.items} | changed
            left = (item for number, item in items.items() if number not in paid)
            account = replace(account, items=tuple(sorted(left, key=lambda item: (item.due_on, item.number))))
            self.accounts[key] = account
            case, strategy = self.cases[key], self._strategy(key, now)
            ended = ("settled",) if paid else ()
            self._keep(key, episodes.follow(case, account, strategy, now, None, ended, self.policy), now)
        for fact in facts:
            case, strategy = self.cases[key], self._strategy(key, now)
            if fact.held:
                self._keep(key, episodes.hold(case, account, strategy, fact.held, now, self.policy), now)
            elif fact.released:
                self._keep(key, episodes.release(case, account, strategy, *fact.released, now, self.policy), now)

    def _escalate(self, key: Key, now: datetime) -> None:
        case, account, strategy = self.cases[key], self.accounts[key], self._strategy(key, now)
        touches, beside = self._touches(), self.beside
        outcome = cases.escalate(case, account, strategy, touches, self._new_id, now, self.policy, beside)
        if outcome.reason is Reason.AWAITS_APPROVAL and outcome.case.awaiting and self.assumed.approvals == "at_once":
            self._keep(key, outcome, now)
            case = outcome.case
            outcome = cases.approve(case, account, strategy, outcome.case.awaiting, now, self.policy)
        self._keep(key, outcome, now)
        for contact in outcome.contacts:
            self._plan(key, contact, account, strategy, now)

    def _plan(self, key: Key, contact: Contact, account: Account, strategy: Published, now: datetime) -> None:
        if contact.status == "suppressed":
            self.diary.concluded(contact, now)
        elif _said(contact) in self.said:  # It stands in the books as sent: the case goes on as if it were sent now.
            self.diary.concluded(contact.decided_against(Suppression.ALREADY_REMINDED), now)
            case, sent = self.cases[key], contact.sent(now)
            self._keep(key, cases.conclude(case, sent, account, strategy, now, self.policy), now)
        else:
            self.said.add(_said(contact))
            self.planned.append(contact)
            self.beside.append(contact)

    def _send(self, contact: Contact, now: datetime) -> None:
        key = contact.account
        case, account = self.cases[key], self.accounts[key]
        if contact.status == "sending":  # It was on its way when the course began.
            verdict = Send(())
        else:
            balance = balance_of(account, now.date(), contact.about_due_date)
            verdict = reminders.confirm(contact, case, account, balance, now, self.policy)
        self.planned.remove(contact)
        if isinstance(verdict, Wait):
            self.planned.append(contact.waiting(verdict.until))
            return
        if isinstance(verdict, Send):
            ended = contact.sent(now)
            if contact.channel in TO_CUSTOMER:
                self.sent[contact.delivery] = Touch(now, contact.channel)
        else:
            ended = contact.suppressed(verdict)
            self.said.discard(_said(contact))
        self.diary.concluded(ended, now)
        self._keep(key, cases.conclude(case, ended, account, self._strategy(key, now), now, self.policy), now)

    def _end_hold(self, key: Key, hold: Hold, now: datetime) -> None:
        account, strategy = self.accounts[key], self._strategy(key, now)
        promise = self.promises.get(hold.source) if hold.kind is HoldKind.PROMISED else None
        if promise and promise.is_open:
            judged = promises.judge(promise, account.items, local_date(now, account.time_zone), 0)
            if judged.status == "broken":
                self._keep(key, episodes.hasten(self.cases[key], account, strategy, now, self.policy), now)
        released = episodes.release(self.cases[key], account, strategy, hold.kind, hold.source, now, self.policy)
        self._keep(key, released, now)

    def _keep(self, key: Key, outcome: Outcome, now: datetime) -> None:
        before, self.cases[key] = self.cases[key], outcome.case
        self.diary.decided(before, outcome, now)

    def _strategy(self, key: Key, now: datetime) -> Published:
        """An open case keeps its version; a new episode would run on what fits the account."""
        case, assumed = self.cases[key], self.assumed
        if case.is_open:
            return assumed.pinned[case.runs_on]
        account = self.accounts[key]
        facts = next_steps.facts(case, account, local_date(now, account.time_zone))
        return choose(assumed.newest, facts).strategy

    def _touches(self) -> list[Touch]:
        """What is planned at this moment is counted by itself."""
        now = {contact.id for contact in self.beside}
        about_to = {
            each.delivery: Touch(each.due_at, each.channel)
            for each in self.planned
            if each.channel in TO_CUSTOMER and each.id not in now
        }
        return [*self.touches, *self.sent.values(), *about_to.values()]

    def _new_id(self) -> UUID:
        """Of a contact that nobody will ever get: any, in the order they are made."""
        return UUID(int=next(self.ids))

    def _passing_holds(self) -> list[tuple[Key, Hold]]:
        held = [(key, case.holds) for key, case in self.cases.items() if case.holds]
        return [(key, hold) for key, holds in held for hold in holds if hold.until and hold.kind in ENDED_AT_MIDNIGHT]

    def _over_at(self, key: Key, hold: Hold) -> datetime:
        assert hold.until is not None
        return at_local_time(hold.until + ONE_DAY, time(), self.accounts[key].time_zone)


def balance_of(account: Account, today: date, due_on: date | None) -> Balance:
    """What the invoice service would answer just before a message leaves, as far as it matters: what is past due, and
    what is due on the day that the message is about."""
    return Balance(
        seller="",
        items=tuple(
            BalanceItem(item.number, item.issued_on, item.due_on, (today - item.due_on).days, item.collectable)
            for item in account.items
            if item.due_on < today or item.due_on == due_on
        ),
        pay_link="",
    )


def _said(contact: Contact) -> Said:
    return Said(contact.customer_id, contact.entity_id, contact.episode, contact.step, contact.channel)
