"""What holds for any account, strategy, policy and course of events: tried on many of them, day by day."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from services.reminder.cases import rules
from services.reminder.contacts.rules import Contact
from services.reminder.episodes import rules as episodes
from services.reminder.holds.rules import Hold, HoldKind
from services.reminder.next_steps.rules import Case
from services.reminder.policies.rules import ChannelLimit, Policy, Touch, is_open
from services.reminder.receivables.rules import Account
from services.reminder.strategies.rules import Published, parse
from tests.reminder.facts import ADA, CASE, CUSTOMER, DUE, account, days_after_due, item

DOCUMENT = """\
name: default
title: Anything goes
catch_up: {mode: %s, gap_days: 3}
steps:
  - {name: soon, days_from_due: -3, channel: email, tone: friendly, template: due-soon}
  - {name: ask, days_from_due: 1, channels: [email, sms], tone: friendly, template: first-reminder}
  - {name: tell, days_from_due: 4, channels: [email, chat], tone: firm, template: second-reminder}
  - {name: many, days_after_previous: 3, channel: sms, tone: firm, template: second-reminder,
     conditions: {invoices_at_least: 2}}
  - {name: ring, days_from_due: 12, channel: call, tone: firm}
  - {name: end, days_from_due: 20, channels: [email, sms], fallback: call, tone: formal, template: final-notice}
"""
MODES = {mode: Published(parse(DOCUMENT % mode), 1, DOCUMENT % mode) for mode in ("one_by_one", "skip_to_current")}
ZONES = ("UTC", "America/Los_Angeles", "Pacific/Kiritimati")
DAYS = 45

policies = st.builds(
    Policy,
    contacts_max=st.integers(1, 4),
    min_gap_days=st.integers(1, 3),
    weekdays=st.sampled_from([frozenset(range(7)), frozenset(range(5)), frozenset({2})]),
    channels=st.sampled_from([{}, {"email": ChannelLimit(1, 5)}, {"sms": ChannelLimit(1, 10)}]),
)
happenings = st.lists(
    st.tuples(st.integers(-5, DAYS), st.sampled_from(["paid", "again", "held", "refused", "doubtful"])),
    max_size=12,
)


class Course:
    """An account lived through hour by hour, with whatever happens on its way."""

    def __init__(self, strategy: Published, policy: Policy, zone: str) -> None:
        self.strategy, self.policy, self.zone = strategy, policy, zone
        self.case: Case = episodes.new_case(CASE, CUSTOMER, strategy)
        self.owed = True
        self.fates: list[str] = []
        self.sent: list[tuple[datetime, Contact]] = []
        self.levels: list[tuple[int, int]] = []

    def account(self, now: datetime) -> Account:
        items = (item(overdue=now.date() > DUE), item("R-2", DUE + timedelta(days=9), overdue=False))
        person = ADA.model_copy(update={"phone": "+4930123456"})
        return replace(
            account(*(items if self.owed else items[1:]), time_zone=self.zone, person=person), phone=person.phone
        )

    def follow(self, now: datetime, held: Hold | None = None) -> None:
        self.case = episodes.follow(self.case, self.account(now), self.strategy, now, held, policy=self.policy).case
        self._note()

    def look(self, now: datetime) -> None:
        while self.case.check_at and self.case.check_at <= now:
            touches = [Touch(at, contact.channel) for at, contact in self.sent if contact.channel != "chat"]
            before = self.case
            outcome = rules.escalate(self.case, self.account(now), self.strategy, touches, uuid4, now, self.policy)
            self.case = outcome.case
            for contact in outcome.contacts:
                if contact.status == "planned":
                    self._send(contact, now)
            self._note()
            assert self.case != before, "a look that changes nothing would be repeated for ever"

    def _send(self, contact: Contact, now: datetime) -> None:
        fate = self.fates.pop(0) if self.fates and contact.channel != "call" else "sent"
        ended = contact.failed("no") if fate == "refused" else contact.unknown("?") if fate == "doubtful" else None
        if ended is None or fate == "doubtful":
            self.sent.append((now, contact))
        ended = ended or contact.sent(now)
        args = (self.case, ended, self.account(now), self.strategy, now, self.policy)
        self.case = rules.conclude(*args, address_refused=fate == "refused").case

    def _note(self) -> None:
        self.levels.append((self.case.episode, self.case.level))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(MODES)), policies, st.sampled_from(ZONES), st.sampled_from([3, 7, 13]), happenings)
def test_whatever_happens_nobody_is_contacted_twice_too_often_or_at_night(
    mode: str, policy: Policy, zone: str, stride: int, happens: list[tuple[int, str]]
) -> None:
    """The worker looks every few hours only, and so misses openings."""
    course = Course(MODES[mode], policy, zone)
    on: dict[int, list[str]] = {}
    for day, what in happens:
        on.setdefault(day, []).append(what)
    for hour in range(-6 * 24, DAYS * 24, stride):
        now = days_after_due(0, hour=0) + timedelta(hours=hour)
        held = None
        for what in on.pop(hour // 24, []):
            course.owed = {"paid": False, "again": True}.get(what, course.owed)
            course.fates += [what] if what in ("refused", "doubtful") else []
            held = Hold(HoldKind.PAUSED, now.date() + timedelta(days=4), "x", "") if what == "held" else held
        course.follow(now, held)
        course.look(now)
    _holds_for(course, policy)


def _holds_for(course: Course, policy: Policy) -> None:
    told = Counter((c.episode, c.step, c.channel) for _, c in course.sent if c.channel != "chat")
    assert not told or max(told.values()) == 1, told
    for at, contact in course.sent:
        assert is_open((contact.channel,), course.account(at), at, policy)
    for earlier, later in zip(course.levels, course.levels[1:], strict=False):
        assert later[0] > earlier[0] or later[1] >= earlier[1]
    steps: dict[date, int] = Counter()
    for at, contact in course.sent:
        if contact.channel != "chat":
            steps[rules.local_date(at, course.zone)] += 1
    most = {day: max(policy.contacts_max, 2 if count == 2 else 1) for day, count in steps.items()}
    for day in steps:
        week = [on for on in steps if 0 <= (on - day).days < policy.within_days]
        assert sum(steps[on] for on in week) <= max(most[on] for on in week)
        assert all((on - day).days >= policy.min_gap_days for on in steps if on > day)
