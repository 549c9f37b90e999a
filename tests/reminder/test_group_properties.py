"""What holds for companies whose messages one of them takes, with two sellers, public holidays, payments that nobody
has heard of and holds that begin between planning and sending: tried on many courses of events, hour by hour."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count, pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import holidays
from hypothesis import given, settings
from hypothesis import strategies as st

from services.reminder.cases import rules
from services.reminder.contacts.rules import Contact, with_their_first
from services.reminder.episodes import rules as episodes
from services.reminder.holds.rules import Hold, HoldKind
from services.reminder.next_steps.rules import Case
from services.reminder.policies.rules import ChannelLimit, Policy, Touch
from services.reminder.receivables.rules import Account, Balance, BalanceItem, Item, Key
from services.reminder.reminders import rules as reminders
from services.reminder.reminders.rules import Send, Wait
from services.reminder.strategies.rules import TO_CUSTOMER
from tests.reminder.facts import ADA, account, eur
from tests.reminder.test_case_properties import MODES

FIRST = date(2026, 4, 20)
DAYS = 40
"""With two public holidays of Germany, on a Friday and a Thursday, and one of Berlin."""
ZONE = "Europe/Berlin"
KEYS: tuple[Key, ...] = tuple((UUID(int=n), entity) for n in (1, 2, 3) for entity in ("default", "south"))
STRATEGY = MODES["one_by_one"]
GERMAN = holidays.country_holidays("DE", years=2026)

policies = st.builds(
    Policy,
    contacts_max=st.integers(1, 4),
    min_gap_days=st.integers(1, 3),
    weekdays=st.sampled_from([frozenset(range(7)), frozenset(range(5)), frozenset({3, 4})]),
    rests_on_holidays=st.just(True),
    channels=st.sampled_from([{}, {"email": ChannelLimit(1, 5)}, {"sms": ChannelLimit(2, 10)}]),
)
happenings = st.lists(
    st.tuples(
        st.integers(0, DAYS * 24),
        st.sampled_from(KEYS),
        st.sampled_from(["owes", "owes more", "pays unheard", "is heard", "pauses", "held while it waits"]),
    ),
    max_size=25,
)


@dataclass
class Companies:
    """Three companies and two sellers. `owed` is what is true, `heard` what the engine knows."""

    policy: Policy
    owed: dict[Key, list[Item]] = field(default_factory=lambda: {key: [] for key in KEYS})
    heard: dict[Key, tuple[Item, ...]] = field(default_factory=lambda: dict.fromkeys(KEYS, ()))
    cases: dict[Key, Case] = field(default_factory=dict)
    planned: list[Contact] = field(default_factory=list)
    sent: list[tuple[datetime, Contact]] = field(default_factory=list)
    climbs: dict[Key, list[tuple[int, int]]] = field(default_factory=lambda: {key: [] for key in KEYS})
    hold_next: set[Key] = field(default_factory=set)
    ids: count[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        for n, key in enumerate(KEYS):
            self.cases[key] = episodes.new_case(UUID(int=100 + n), key[0], STRATEGY, key[1])

    def account(self, key: Key, now: datetime) -> Account:
        items = (replace(i, overdue_since=i.due_on + DAY if i.due_on < now.date() else None) for i in self.heard[key])
        person = ADA.model_copy(update={"phone": "+4930123456"})
        of = account(*items, time_zone=ZONE, person=person)
        return replace(of, id=key[0], entity_id=key[1], phone=person.phone)

    def happen(self, key: Key, what: str, now: datetime) -> None:
        today = now.date()
        if what.startswith("owes"):
            due_on = today + timedelta(days=-4 if what == "owes" else 6)
            number = f"R-{next(self.ids)}"
            item = Item(number, due_on - timedelta(days=30), due_on, eur(100), eur(0), eur(100), None)
            self.owed[key].append(item)
        elif what == "pays unheard":
            self.owed[key].clear()
            return
        elif what == "held while it waits":
            self.hold_next.add(key)
        held = Hold(HoldKind.PAUSED, today + timedelta(days=4), "x", "") if what == "pauses" else None
        self.heard[key] = tuple(self.owed[key])
        self.follow(key, now, held)

    def follow(self, key: Key, now: datetime, held: Hold | None = None) -> None:
        followed = episodes.follow(self.cases[key], self.account(key, now), STRATEGY, now, held, policy=self.policy)
        self._keep(key, followed.case)

    def plan(self, now: datetime) -> None:
        """As one transaction does: everything that is due, reminders first."""
        due = [key for key in KEYS if (at := self.cases[key].check_at) and at <= now]
        touches = [Touch(at, c.channel) for c, at in self._deliveries().values() if c.channel in TO_CUSTOMER]
        beside: list[Contact] = []
        for key in sorted(due, key=lambda key: rules.turn(self.cases[key])):
            args = self.cases[key], self.account(key, now), STRATEGY, touches, self._id, now, self.policy, beside
            outcome = rules.escalate(*args)
            assert outcome.case != self.cases[key], "a look that changes nothing would be repeated for ever"
            self._keep(key, outcome.case)
            beside += [contact for contact in outcome.contacts if contact.status == "planned"]
        self.planned += with_their_first(beside)

    def send(self, now: datetime) -> None:
        ready = [contact for contact in self.planned if contact.due_at <= now]
        for contact in ready:
            key = contact.account
            if key in self.hold_next:
                self.hold_next.discard(key)
                self.follow(key, now, Hold(HoldKind.CONVERSATION, now.date() + timedelta(days=2), "y", ""))
            of, balance = self.account(key, now), self._balance(key, now)
            verdict = reminders.confirm(contact, self.cases[key], of, balance, now, self.policy)
            self.planned.remove(contact)
            if isinstance(verdict, Wait):
                self.planned.append(contact.waiting(verdict.until))
                continue
            if isinstance(verdict, Send):
                assert {item.number for item in verdict.items} <= {item.number for item in self.owed[key]}
                assert verdict.items, "nothing goes out to who owes nothing collectable at the last look"
                assert not any(hold.rests_on(now.astimezone(ZoneInfo(ZONE)).date()) for hold in self.cases[key].holds)
                self.sent.append((now, contact))
                ended = contact.sent(now)
            else:
                ended = contact.suppressed(verdict)
            self._keep(key, rules.conclude(self.cases[key], ended, of, STRATEGY, now, self.policy).case)

    def _keep(self, key: Key, case: Case) -> None:
        self.cases[key] = case
        self.climbs[key].append((case.episode, case.level))

    def _deliveries(self) -> dict[UUID, tuple[Contact, datetime]]:
        under_way = {contact.delivery: (contact, contact.due_at) for contact in self.planned}
        return {**under_way, **{contact.delivery: (contact, at) for at, contact in self.sent}}

    def _balance(self, key: Key, now: datetime) -> Balance:
        owed = (
            BalanceItem(i.number, i.issued_on, i.due_on, (now.date() - i.due_on).days, i.collectable)
            for i in self.owed[key]
        )
        return Balance("Northwind Trading", tuple(owed), "https://pay.example/pay/1")

    def _id(self) -> UUID:
        return UUID(int=1_000 + next(self.ids))


DAY = timedelta(days=1)


@settings(max_examples=25, deadline=None)
@given(policies, st.sampled_from([3, 5, 11]), happenings)
def test_whatever_happens_to_a_group_its_head_is_contacted_neither_twice_nor_too_often_nor_on_holidays(
    policy: Policy, stride: int, happens: list[tuple[int, Key, str]]
) -> None:
    companies = Companies(policy)
    for key in KEYS[::2]:
        companies.happen(key, "owes", at(0))
    waiting = sorted(happens, key=lambda happening: happening[0])
    for hour in range(0, DAYS * 24, stride):
        now = at(hour)
        while waiting and waiting[0][0] <= hour:
            _, key, what = waiting.pop(0)
            companies.happen(key, what, now)
        for key in KEYS:
            companies.follow(key, now)
        companies.plan(now)
        if hour % 2:  # Else it waits for the next look: the invoice service is away.
            companies.send(now)
    _holds_for(companies, policy)


def at(hour: int) -> datetime:
    return datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) + timedelta(hours=hour)


def _holds_for(companies: Companies, policy: Policy) -> None:
    told = Counter((*c.account, c.episode, c.step, c.channel) for _, c in companies.sent)
    assert not told or max(told.values()) == 1, told
    for climbs in companies.climbs.values():
        for (episode, level), (later_episode, later_level) in pairwise(climbs):
            assert later_episode > episode or level <= later_level <= level + 1, "one rung at a time"

    messages: dict[tuple[UUID, str, date], str] = {}
    for moment, contact in companies.sent:
        here = moment.astimezone(ZoneInfo(ZONE))
        assert here.date().weekday() in policy.weekdays
        assert here.date() not in GERMAN
        if contact.channel in TO_CUSTOMER:
            assert policy.opens <= here.time() < policy.closes
            messages[contact.delivery, contact.channel, here.date()] = contact.channel
    days = Counter(day for _, _, day in messages)
    steps = 2  # A step has at most so many channels.
    for day in days:
        within = sum(n for on, n in days.items() if 0 <= (on - day).days < policy.within_days)
        assert within <= max(policy.contacts_max, steps)
        assert all((on - day).days >= policy.min_gap_days for on in days if on > day)
