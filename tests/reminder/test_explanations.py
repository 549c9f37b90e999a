"""Why a customer is contacted and why not: a sentence for everything, and what is foretold is what then happens."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import get_args
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.reminder.conditions.rules import Conditions, Facts
from services.reminder.contacts.rules import SUPPRESSED_BECAUSE, Suppression
from services.reminder.episodes import rules as episodes
from services.reminder.explanations import rules
from services.reminder.holds.rules import Hold, HoldKind
from services.reminder.next_steps.rules import Reason
from services.reminder.outlooks.rules import Outlook, look_ahead
from services.reminder.policies.rules import POLICY, Policy, Refusal, Touch
from services.reminder.receivables.rules import Account, Unwanted
from services.reminder.sayings import rules as sayings
from services.reminder.strategies.rules import Action, Channel, Published, parse
from shared.money import Money
from tests.reminder import facts
from tests.reminder.facts import CUSTOMER, DEFAULT, DUE, account, at, days_after_due, eur, item, open_case, planned
from tests.reminder.test_case_properties import ZONES, Course, happenings, policies

DOCUMENT = """\
name: default
title: A bit of everything
catch_up: {mode: %s, gap_days: 3}
steps:
  - {name: soon, days_from_due: -3, channel: email, tone: friendly, template: due-soon}
  - {name: ask, days_from_due: 1, channels: [email, sms], tone: friendly, template: first-reminder}
  - {name: many, days_after_previous: 3, channel: sms, tone: firm, template: second-reminder,
     conditions: {invoices_at_least: 2}}
  - {name: charge, days_from_due: 8, actions: [fee]}
  - {name: ring, days_from_due: 12, channel: call, tone: firm, approval: true}
  - {name: end, days_from_due: 20, channels: [letter], fallback: email, tone: formal, template: final-notice}
"""
MODES = {mode: Published(parse(DOCUMENT % mode), 1, DOCUMENT % mode) for mode in ("one_by_one", "skip_to_current")}


def test_every_silence_decision_and_action_of_the_engine_has_its_sentence() -> None:
    assert set(SUPPRESSED_BECAUSE) == set(Suppression)
    assert set(sayings.CAME_OUT) == set(Reason)
    assert set(sayings.RESTS_BECAUSE) == set(HoldKind)
    assert set(sayings.DOES) == set(sayings.DID) == set(get_args(Action))
    assert set(sayings.BY) == set(get_args(Channel))
    assert {str(kind) for kind in HoldKind} <= {str(reason) for reason in Reason}
    said = [*SUPPRESSED_BECAUSE.values(), *sayings.RESTS_BECAUSE.values(), *sayings.CAME_OUT.values()]
    assert all(len(sentence) > 10 for sentence in said)


def explained(
    case: rules.Case,
    owed: Account,
    now: datetime,
    *contacts: rules.Contact,
    policy: Policy = POLICY,
    touches: tuple[Touch, ...] = (),
    strategy: Published = DEFAULT,
) -> rules.Explanation:
    outlook = look_ahead(case, owed, strategy, touches, now, policy)
    return rules.explain(case, owed, strategy, contacts, touches, outlook, now, policy)


@pytest.mark.parametrize("kind", list(HoldKind))
@pytest.mark.parametrize("until", [None, DUE + timedelta(days=9)])
def test_whatever_the_case_rests_for_is_named_with_its_day_and_words(kind: HoldKind, until: date | None) -> None:
    owed, now = account(item()), days_after_due(2)
    hold = Hold(kind, until, "x", "as agreed on the phone")
    case = episodes.hold(open_case(owed, now), owed, DEFAULT, hold, now).case
    found = explained(case, owed, now)
    through = " through 11 March 2026" if until else ""
    assert (
        found.silence == f"Nothing goes out{through}, because {sayings.RESTS_BECAUSE[kind]} (as agreed on the phone)."
    )
    assert found.next.startswith("On 12 March 2026" if until else "This changes only when something happens")


@pytest.mark.parametrize("suppression", list(Suppression))
def test_every_message_that_was_held_back_says_why(suppression: Suppression) -> None:
    owed = account(item())
    case, contact = planned(open_case(owed, days_after_due(1, hour=0)), owed, days_after_due(1))
    suppressed = contact.suppressed(suppression)
    case = facts.rules.conclude(case, suppressed, owed, DEFAULT, days_after_due(1)).case
    found = explained(case, owed, days_after_due(1, hour=10), suppressed)
    assert found.last_suppression is not None
    assert SUPPRESSED_BECAUSE[suppression] in found.last_suppression


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason not in set(map(str, HoldKind))])
def test_every_outcome_can_be_said(reason: Reason) -> None:
    outlook = Outlook("nothing", reason=reason)
    owed = account(item())
    found = rules.explain(open_case(owed, days_after_due(1)), owed, DEFAULT, (), (), outlook, days_after_due(1))
    assert found.next
    assert sayings.CAME_OUT[reason]


COUNTS = [
    (Policy(contacts_max=2), (0, 1), "contacted twice"),
    (Policy(contacts_max=2), (0, 1), "(on 3 March 2026 and 4 March 2026)"),
    (Policy(min_gap_days=3), (1,), "leaves 3 days between two messages, and the customer had one (on 4 March 2026)"),
]


@pytest.mark.parametrize(("policy", "days", "said"), COUNTS)
def test_what_the_contact_policy_will_refuse_is_foretold_with_the_days_it_counts(
    policy: Policy, days: tuple[int, ...], said: str
) -> None:
    owed, now = account(item()), days_after_due(3, hour=8)
    touches = tuple(Touch(days_after_due(1 + n), "email") for n in days)
    found = explained(open_case(owed, now), owed, now, policy=policy, touches=touches)
    assert said.replace("twice", "2 times") in found.next
    assert "the step 'first-reminder' is held back" in found.next


@pytest.mark.parametrize("refusal", list(Refusal))
def test_every_refusal_of_the_policy_is_counted_out(refusal: Refusal) -> None:
    from services.reminder.outlooks.rules import counted
    from services.reminder.policies.rules import ChannelLimit

    policy = Policy(contacts_max=1, silence_days=3, channels={"call": ChannelLimit(1)}, reg_f=True)
    touches = [Touch(at(DUE), "call", "conversation"), Touch(at(DUE), "call", "call")]
    found = counted(Suppression(str(refusal)), ["call"], touches, account(), DUE, policy)
    assert found is not None
    assert set(found.on) == {DUE}


AMOUNT = Conditions.model_validate({"amount_at_least": {"EUR": "100"}})


@pytest.mark.parametrize(
    ("conditions", "minor", "said"),
    [
        (AMOUNT, 9_999, "it is for 100.00 EUR and more, and 99.99 EUR may be asked for, 0.01 EUR less"),
        (AMOUNT, 10_000, None),
        (AMOUNT, 10_001, None),
        (Conditions(invoices_at_least=2), 1, "it is for 2 invoices and more, and there are 1"),
        (Conditions(invoices_at_least=1), 1, None),
        (Conditions(risk_classes=("D", "E")), 1, "it is for risk class D or E, and the customer's is C"),
        (Conditions(broken_promises_at_least=2), 1, "it is for 2 broken promises and more, and there are 1"),
        (Conditions(broken_promises_at_least=1), 1, None),
    ],
)
def test_a_condition_that_fails_says_by_how_much(conditions: Conditions, minor: int, said: str | None) -> None:
    known = Facts(CUSTOMER, risk_class="C", collectable=(eur(minor),), invoices=1, broken_promises=1)
    assert sayings.unmet(conditions, known) == ((said,) if said else ())
    assert conditions.hold(known) is (said is None)


def test_one_of_several_currencies_is_enough() -> None:
    conditions = Conditions.model_validate({"amount_at_least": {"EUR": 100, "USD": 120}})
    assert sayings.unmet(conditions, Facts(CUSTOMER, collectable=(Money(12_000, "USD"),))) == ()
    assert len(sayings.unmet(conditions, Facts(CUSTOMER, collectable=(Money(11_999, "USD"),)))) == 2


def test_a_customer_who_wants_no_mails_is_told_of_as_such() -> None:
    owed, now = replace(account(item()), unwanted=(Unwanted("email"),)), days_after_due(1, hour=8)
    found = explained(open_case(owed, now), owed, now)
    assert "'first-reminder' is passed over, because the customer does not want to be contacted this way" in found.next


def test_the_next_moment_is_said_in_both_zones_where_they_differ() -> None:
    owed, now = account(item(), time_zone="America/Los_Angeles"), days_after_due(1, hour=12)
    assert "09:00 (America/Los_Angeles; 17:00 UTC)" in explained(open_case(owed, now), owed, now).next
    far = account(item(), time_zone="Pacific/Kiritimati")
    said = explained(open_case(far, now), far, now).next
    assert "On 4 March 2026 at 09:00 (Pacific/Kiritimati; 3 March 2026, 19:00 UTC)" in said


class Standing(Course):
    """A course that nothing more happens to from some moment on."""

    frozen: datetime | None = None

    def account(self, now: datetime) -> Account:
        return super().account(self.frozen or now)

    def live_on(self, now: datetime) -> tuple[str, datetime, str] | None:
        """What happens first: (what, when, which step)."""
        self.frozen, sent = now, len(self.sent)
        for _ in range(200):
            if self.case.check_at is None:
                return None
            now, before = max(now, self.case.check_at), self.case
            self.decide_once(now)
            if len(self.sent) > sent:
                return "message", self.sent[sent][0], self.sent[sent][1].step
            if self.case.awaiting and not before.awaiting:
                return "approval", now, self.case.awaiting
            if self.case.step != before.step and self.case.step:
                return "actions", now, self.case.step
            if self.case.blocked_step and not before.blocked_step:
                return "unreachable", now, self.case.blocked_step
        raise AssertionError("it never comes to rest")

    def decide_once(self, now: datetime) -> None:
        args = (self.case, self.account(now), self.strategy, self.touches, uuid4, now, self.policy)
        outcome = facts.rules.escalate(*args)
        self.case = outcome.case
        for contact in outcome.contacts:
            if contact.status == "planned":
                self._send(contact, now)

    @property
    def touches(self) -> list[Touch]:
        return [Touch(at, contact.channel) for at, contact in self.sent if contact.channel != "chat"]


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(sorted(MODES)), policies, st.sampled_from(ZONES), st.integers(-5, 40), st.data())
def test_what_is_foretold_is_what_then_happens(
    mode: str, policy: Policy, zone: str, until: int, data: st.DataObject
) -> None:
    course = Standing(MODES[mode], policy, zone)
    happens = data.draw(happenings)
    for hour in range(-6 * 24, until * 24, 7):
        now = days_after_due(0, hour=0) + timedelta(hours=hour)
        held = None
        for day, what in happens:
            if day == hour // 24 and hour % 24 < 7:
                course.owed = {"paid": False, "again": True}.get(what, course.owed)
                course.fates += [what] if what in ("refused", "doubtful") else []
                held = Hold(HoldKind.PAUSED, now.date() + timedelta(days=4), "x", "") if what == "held" else held
        course.follow(now, held)
        course.look(now)
    course.fates = []
    now = days_after_due(until, hour=data.draw(st.integers(0, 23)))
    course.follow(now)
    outlook = look_ahead(course.case, course.account(now), course.strategy, course.touches, now, policy)
    foretold = (outlook.does, outlook.at, outlook.step.name) if outlook.at and outlook.step else None
    assert course.live_on(now) == foretold


def test_a_course_that_is_looked_at_twice_is_foretold_the_same() -> None:
    owed, now = account(item()), days_after_due(1, hour=0)
    case = open_case(owed, now)
    assert look_ahead(case, owed, DEFAULT, (), now, POLICY) == look_ahead(case, owed, DEFAULT, (), now, POLICY)
