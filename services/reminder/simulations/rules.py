"""What simulations are asked and what comes of them: figures by day, step and channel, and what was assumed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal, NamedTuple

from services.reminder.contacts.rules import Contact
from services.reminder.episodes.rules import Outcome
from services.reminder.next_steps.rules import Case
from services.reminder.policies.rules import PolicyDocument
from services.reminder.receivables.rules import Key
from services.reminder.strategies.rules import Channel
from shared.calendar import ONE_DAY
from shared.errors import Conflict, DomainError, Refused
from shared.events.reminder import CaseClosed, CaseEscalated, CaseOpened
from shared.money import Money, exponent

Payments = Literal["none", "as_before"]
Approvals = Literal["none", "at_once"]
Running = Literal["keep", "move"]

DAYS_MAX = 120
PRICES: Mapping[str, Decimal] = {"letter": Decimal("1.10"), "sms": Decimal("0.08")}
"""What a contact costs where the caller does not say; a mail costs nothing to speak of, nor does a call, since people's
time is not counted."""
AGENCY = frozenset({"agency_referral", "agency_placement"})
LEGAL = frozenset({"formal_notice"})


class SimulationRunning(Conflict):
    slug = "simulation-running"
    title = "Another simulation runs"


class SimulationFailed(DomainError):
    status = 500
    slug = "simulation-failed"
    title = "The simulation came to no end"


class PeriodRefused(Refused):
    slug = "simulation-period-refused"
    title = "This period cannot be simulated"


@dataclass(frozen=True, slots=True)
class Side:
    """One of the versions that are compared: what stands for the strategy's newest version. `version` is the one that
    a document would get if it were published now."""

    document: str
    version: int
    is_published: bool


@dataclass(frozen=True, slots=True)
class Job:
    """A simulation as its processes get it. `policy` is the document of the contact policy; None: the built-in one.
    A past one goes by what is kept of that time."""

    strategy: str
    sides: tuple[Side, ...]
    policy: str | None
    begins: datetime
    ends: datetime
    payments: Payments = "none"
    approvals: Approvals = "none"
    running: Running = "keep"
    past: bool = False

    @property
    def days(self) -> tuple[date, ...]:
        first, last = self.begins.date(), (self.ends - timedelta(microseconds=1)).date()
        return tuple(first + n * ONE_DAY for n in range((last - first).days + 1))


class Sent(NamedTuple):
    """What contacts are counted by."""

    day: date
    strategy: str
    step: str
    channel: str


class Kept(NamedTuple):
    """What suppressions are counted by."""

    day: date
    strategy: str
    step: str
    reason: str


class Did(NamedTuple):
    """What the actions of steps, tasks, and episodes that begin and end are counted by."""

    day: date
    strategy: str
    what: str


@dataclass(slots=True)
class Tally:
    """What a simulation, or a part of its accounts, comes to. Days are the business days (UTC), as contacts bear them.
    `accounts` are those of the book, `concerned` those that the strategy did anything about."""

    strategy: str
    contacts: Counter[Sent] = field(default_factory=Counter)
    suppressed: Counter[Kept] = field(default_factory=Counter)
    actions: Counter[Did] = field(default_factory=Counter)
    tasks: Counter[Did] = field(default_factory=Counter)
    episodes: Counter[Did] = field(default_factory=Counter)
    accounts: int = 0
    items: int = 0
    concerned: int = 0
    contacted: int = 0
    reached_agency: int = 0
    reached_legal: int = 0
    open_at_end: int = 0
    awaiting_at_end: int = 0
    _concerned: set[Key] = field(default_factory=set)
    _contacted: set[Key] = field(default_factory=set)

    def concluded(self, contact: Contact, now: datetime) -> None:
        if contact.strategy == self.strategy:
            self._concerned.add(contact.account)
        if contact.status == "suppressed":
            self.suppressed[Kept(now.date(), contact.strategy, contact.step, contact.reason or "")] += 1
            return
        self.contacts[Sent(now.date(), contact.strategy, contact.step, contact.channel)] += 1
        if contact.strategy == self.strategy:
            self._contacted.add(contact.account)

    def decided(self, before: Case, outcome: Outcome, now: datetime) -> None:
        strategy = outcome.case.strategy
        for event in outcome.events:
            if isinstance(event, CaseEscalated):
                for action in event.actions:
                    self.actions[Did(now.date(), strategy, action)] += 1
                if strategy == self.strategy:
                    self.reached_agency += not AGENCY.isdisjoint(event.actions)
                    self.reached_legal += not LEGAL.isdisjoint(event.actions)
            elif isinstance(event, CaseOpened | CaseClosed):
                what = "opened" if isinstance(event, CaseOpened) else "closed"
                self.episodes[Did(now.date(), strategy, what)] += 1
        for task in outcome.tasks:
            self.tasks[Did(now.date(), strategy, task.kind)] += 1
        if outcome.events and strategy == self.strategy:
            self._concerned.add(before.key)

    def over(self, cases: Mapping[Key, Case], items: int) -> None:
        """A customer's course has come to its end."""
        self.accounts += len(cases)
        self.items += items
        self.concerned += len(self._concerned)
        self.contacted += len(self._contacted)
        self._concerned.clear()
        self._contacted.clear()
        ours = [case for case in cases.values() if case.is_open and case.strategy == self.strategy]
        self.open_at_end += len(ours)
        self.awaiting_at_end += sum(case.awaiting is not None for case in ours)

    def add(self, other: Tally) -> None:
        """Another part of the accounts."""
        for name in ("contacts", "suppressed", "actions", "tasks", "episodes"):
            getattr(self, name).update(getattr(other, name))
        for name in (
            "accounts",
            "items",
            "concerned",
            "contacted",
            "reached_agency",
            "reached_legal",
            "open_at_end",
            "awaiting_at_end",
        ):
            setattr(self, name, getattr(self, name) + getattr(other, name))


def prices(job: Job, given: Mapping[Channel, Decimal], currency: str | None) -> tuple[Mapping[str, Decimal], str]:
    """What contacts cost by channel, and in which currency: as given, else as the contact policy says; what it says of
    another currency does not count."""
    policy = PolicyDocument.model_validate_json(job.policy) if job.policy else PolicyDocument()
    of_policy = policy.prices if currency in (None, policy.prices_currency) else {}
    return {**PRICES, **of_policy, **given}, currency or policy.prices_currency


def cost(contacts: Mapping[str, int], prices: Mapping[str, Decimal], currency: str) -> Money:
    """So many contacts by channel at the channels' prices, rounded once, half to even."""
    exact = sum((prices.get(channel, Decimal(0)) * n for channel, n in contacts.items()), Decimal(0))
    unit = Decimal(1).scaleb(-exponent(currency))
    return Money.parse(exact.quantize(unit, ROUND_HALF_EVEN), currency)


def assumptions(job: Job) -> list[str]:
    """What was taken for granted, in sentences."""
    said = [
        "Every message that leaves arrives, every channel is set up, and letters are posted on the day they are"
        " planned.",
        "Nobody answers, disputes, promises, opts out or changes an address on the way; pauses and promises that run"
        " end on their days, and other holds go on.",
        "Invoices are overdue from midnight UTC after their due date.",
    ]
    if job.past:
        said += _assumed_of_the_past()
    else:
        said.append("No new invoices are issued.")
        said.append(
            "Nobody pays anything; promises that run are broken."
            if job.payments == "none"
            else "Accounts pay each invoice as many days after due as they have paid on average so far, at the"
            " beginning of that day. Accounts that paid nothing yet pay nothing, and an invoice that is later already"
            " is not paid."
        )
    said.append(
        "Steps that wait for somebody's approval are not approved."
        if job.approvals == "none"
        else "Steps that wait for somebody's approval are approved at once."
    )
    said.append(
        "Cases that run keep the version they run on, as they do when a version is published."
        if job.running == "keep"
        else "Cases that run on this strategy are moved to the version before the first day."
    )
    return said


def _assumed_of_the_past() -> list[str]:
    return [
        "Invoices were owed whole from their issue to the day they were settled; of those still open, what is owed"
        " today. Parts paid on the way, disputes and plans that have ended since, invoices that were voided or written"
        " off, and which promises were broken are not known here.",
        "Customers paid when they did, whatever they would have been sent.",
        "Cases stand at the beginning as the event log says; what held them then and began or ended to hold them"
        " since is known from it as well.",
        "Addresses, opt-outs, risk classes, time zones and segments are those of today.",
    ]
