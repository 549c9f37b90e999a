"""When a case opens and closes, which step is next, and when it is taken: each condition below, at and above."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.reminder.cases import rules
from services.reminder.contacts.rules import Suppression
from services.reminder.episodes import rules as episodes
from services.reminder.next_steps import rules as next_steps
from services.reminder.next_steps.rules import Reason
from services.reminder.reminders import rules as reminders
from services.reminder.reminders.rules import Send, Wait
from shared.events.reminder import CaseClosed, CaseEscalated, CaseOpened
from tests.reminder.facts import (
    ADA,
    DEFAULT,
    DUE,
    account,
    at,
    balance,
    days_after_due,
    escalate,
    item,
    new_case,
    open_case,
    owed_now,
    planned,
)

ONE_DAY = timedelta(days=1)


def test_a_case_opens_when_an_overdue_invoice_can_be_chased() -> None:
    outcome = episodes.follow(new_case(), account(item()), DEFAULT, days_after_due(1, hour=0))
    assert outcome.reason is Reason.OPENED
    assert (outcome.case.status, outcome.case.episode, outcome.case.level) == ("open", 1, 0)
    assert outcome.case.check_at == days_after_due(1)
    (opened,) = outcome.events
    assert isinstance(opened, CaseOpened)
    assert opened.case.oldest_due_on == DUE


@pytest.mark.parametrize("owed", [account(), account(item(overdue=False)), account(item(disputed=True))])
def test_no_case_opens_for_what_is_paid_not_due_or_disputed(owed: rules.Account) -> None:
    assert not episodes.follow(new_case(), owed, DEFAULT, days_after_due(1)).case.is_open


def test_a_case_closes_when_nothing_overdue_is_left_and_says_why() -> None:
    case = open_case(account(item()), days_after_due(1))
    settled = episodes.follow(case, account(item("R-2", overdue=False)), DEFAULT, days_after_due(3))
    disputed = episodes.follow(case, account(item(disputed=True)), DEFAULT, days_after_due(3))
    assert (settled.case.status, settled.case.closed_because) == ("closed", "settled")
    assert disputed.case.closed_because == "disputed"
    assert isinstance(settled.events[0], CaseClosed)
    assert settled.case.version == case.version + 1


def test_a_case_stays_open_while_one_overdue_invoice_is_collectable() -> None:
    case = open_case(account(item()), days_after_due(1))
    left = account(item("R-1", disputed=True), item("R-2", DUE + ONE_DAY))
    outcome = episodes.follow(case, left, DEFAULT, days_after_due(3))
    assert outcome.case.is_open
    assert outcome.events == ()


def test_the_next_episode_starts_the_ladder_anew() -> None:
    case = open_case(account(item()), days_after_due(1), level=4, step="urgent-reminder", climbed_on=DUE)
    closed = episodes.follow(case, account(), DEFAULT, days_after_due(40)).case
    again = episodes.follow(closed, account(item()), DEFAULT, days_after_due(50)).case
    assert (again.episode, again.level, again.step, again.climbed_on) == (2, 0, None, None)


@pytest.mark.parametrize(
    ("level", "climbed_after", "opens_after", "step"),
    [
        (0, None, 1, "first-reminder"),
        (1, 1, 7, "second-reminder"),
        (2, 7, 15, "firm-reminder"),
        (3, 15, 30, "urgent-reminder"),
        (4, 30, 60, "final-notice"),
    ],
)
def test_a_rung_is_climbed_on_its_day_not_before(
    level: int, climbed_after: int | None, opens_after: int, step: str
) -> None:
    climbed_on = DUE + timedelta(days=climbed_after) if climbed_after else None
    owed = account(item())
    case = open_case(owed, days_after_due(1), level=level, climbed_on=climbed_on)
    below = escalate(case, owed, days_after_due(opens_after - 1))
    assert (below.reason, below.contacts, below.case.check_at) == (Reason.TOO_EARLY, (), days_after_due(opens_after))
    for days in (opens_after, opens_after + 1):
        outcome = escalate(case, owed, days_after_due(days))
        (contact,) = outcome.contacts
        assert (outcome.reason, contact.step) == (Reason.MESSAGE_PLANNED, step)
        assert outcome.case.check_at is None


@pytest.mark.parametrize(("days", "reason"), [(90, Reason.TOO_EARLY), (91, Reason.ESCALATED), (92, Reason.ESCALATED)])
def test_agency_referral_is_a_task_from_day_91(days: int, reason: Reason) -> None:
    owed = account(item())
    case = open_case(owed, days_after_due(1), level=5, climbed_on=DUE + timedelta(days=60))
    outcome = escalate(case, owed, days_after_due(days))
    assert outcome.reason is reason
    assert outcome.contacts == ()
    if reason is Reason.ESCALATED:
        assert outcome.tasks[0].kind == "agency_referral"
        (escalated,) = outcome.events
        assert isinstance(escalated, CaseEscalated)
        assert escalated.actions == ("agency_referral",)
        after = escalate(outcome.case, owed, days_after_due(days + 1))
        assert (after.reason, after.case.check_at) == (Reason.LADDER_EXHAUSTED, None)


def test_an_old_debt_that_turns_up_late_still_begins_with_the_first_reminder() -> None:
    owed = account(item())
    case = open_case(owed, days_after_due(80, hour=0))
    days, steps = [], []
    for day in range(80, 130):
        now = days_after_due(day)
        if case.check_at != now:
            continue
        case, contact = planned(case, owed, now)
        case = rules.conclude(case, contact.sent(now), owed, DEFAULT, now).case
        days.append(day)
        steps.append(contact.step)
        if len(steps) == 5:
            break
    assert steps == [step.name for step in DEFAULT.strategy.rungs[:5]]
    assert days == [80, 85, 90, 95, 100]


def test_the_stage_goes_by_the_oldest_collectable_invoice() -> None:
    older_disputed = account(item("old", DUE - timedelta(days=20), disputed=True), item("new", DUE))
    case = open_case(older_disputed, days_after_due(1), level=1, climbed_on=DUE + ONE_DAY)
    assert escalate(case, older_disputed, days_after_due(6)).reason is Reason.TOO_EARLY
    assert escalate(case, older_disputed, days_after_due(7)).reason is Reason.MESSAGE_PLANNED


@pytest.mark.parametrize(("days", "notice"), [(-8, False), (-7, True), (-6, True), (0, True)])
def test_a_note_before_due_goes_out_from_seven_days_on(days: int, notice: bool) -> None:
    owed = account(item(overdue=False))
    case = episodes.follow(new_case(), owed, DEFAULT, days_after_due(-20)).case
    assert case.check_at == days_after_due(-7)
    outcome = escalate(case, owed, days_after_due(days))
    assert bool(outcome.contacts) is notice
    for contact in outcome.contacts:
        assert (contact.step, contact.episode) == ("due-soon", f"due-{DUE}")


def test_no_note_before_due_when_the_due_date_is_past() -> None:
    owed = account(item(overdue=False))
    assert escalate(new_case(), owed, days_after_due(1)).reason is Reason.NOTHING_COLLECTABLE


@pytest.mark.parametrize(("terms_days", "notice"), [(7, False), (8, True)])
def test_an_invoice_issued_on_the_day_of_its_note_gets_none(terms_days: int, notice: bool) -> None:
    owed = account(item(overdue=False, issued_on=DUE - timedelta(days=terms_days)))
    assert (episodes.follow(new_case(), owed, DEFAULT, days_after_due(-8)).case.check_at is not None) is notice


def test_one_note_covers_all_invoices_of_a_due_date_and_is_sent_once() -> None:
    owed = account(item("R-1", overdue=False), item("R-2", overdue=False), item("R-3", DUE + ONE_DAY, overdue=False))
    now = days_after_due(-7)
    case, contact = planned(episodes.follow(new_case(), owed, DEFAULT, now).case, owed, now)
    assert contact.invoices == ("R-1", "R-2")
    after = rules.conclude(case, contact.sent(now), owed, DEFAULT, now)
    assert after.case.noticed == (DUE,)
    assert after.events == ()
    assert after.case.check_at == days_after_due(-6), "the other due date's note is next"


def test_a_reminder_goes_before_a_note_and_only_one_of_them_a_day() -> None:
    owed = account(item("R-1"), item("R-2", DUE + timedelta(days=8), overdue=False))
    now = days_after_due(1)
    case, contact = planned(open_case(owed, days_after_due(1, hour=0)), owed, now)
    assert contact.step == "first-reminder"
    case = rules.conclude(case, contact.sent(now), owed, DEFAULT, now).case
    assert case.check_at == days_after_due(2)
    assert planned(case, owed, days_after_due(2))[1].step == "due-soon"


@pytest.mark.parametrize(
    ("hour", "minute", "reason"),
    [
        (8, 59, Reason.WINDOW_CLOSED),
        (9, 0, Reason.MESSAGE_PLANNED),
        (17, 59, Reason.MESSAGE_PLANNED),
        (18, 0, Reason.WINDOW_CLOSED),
    ],
)
def test_messages_leave_in_the_contact_window_only(hour: int, minute: int, reason: Reason) -> None:
    owed = account(item())
    case = open_case(owed, days_after_due(1, hour=0))
    outcome = escalate(case, owed, days_after_due(1, hour, minute))
    assert outcome.reason is reason
    if reason is Reason.WINDOW_CLOSED:
        assert outcome.case.check_at == days_after_due(1 if hour < 9 else 2)


@pytest.mark.parametrize(
    ("time_zone", "day", "hour"),
    [
        ("America/New_York", date(2026, 3, 6), 14),
        ("America/New_York", date(2026, 3, 9), 13),
        ("Asia/Kolkata", date(2026, 3, 9), 3),
    ],
)
def test_the_window_is_the_customers_own_also_across_clock_changes(time_zone: str, day: date, hour: int) -> None:
    owed = account(item(due_on=day - ONE_DAY), time_zone=time_zone)
    case = open_case(owed, at(day, hour=0))
    assert case.check_at == at(day, hour, 30 if time_zone == "Asia/Kolkata" else 0)
    assert escalate(case, owed, case.check_at or at(day)).reason is Reason.MESSAGE_PLANNED


def test_what_turns_up_after_the_windows_opening_waits_for_the_next() -> None:
    case = open_case(account(item()), days_after_due(1, hour=12))
    assert case.check_at == days_after_due(2)


def test_what_is_due_already_stays_due_when_more_news_comes() -> None:
    owed = account(item())
    case = open_case(owed, days_after_due(1, hour=0))
    assert case.check_at == days_after_due(1)
    late = episodes.follow(case, owed, DEFAULT, days_after_due(1, hour=9, minute=5)).case
    assert late.check_at == days_after_due(1)


@pytest.mark.parametrize(("others", "reason"), [(2, Reason.MESSAGE_PLANNED), (3, Reason.SUPPRESSED)])
def test_the_fourth_contact_in_seven_days_is_suppressed_until_one_drops_out(others: int, reason: Reason) -> None:
    owed = account(item())
    now = days_after_due(1)
    case = open_case(owed, days_after_due(1, hour=0))
    outcome = escalate(case, owed, now, *(days_after_due(-day) for day in range(others)))
    assert outcome.reason is reason
    (contact,) = outcome.contacts
    if reason is Reason.SUPPRESSED:
        assert (contact.status, contact.reason) == ("suppressed", Suppression.CONTACT_CAP)
        assert outcome.case.level == 0
        assert outcome.case.check_at == days_after_due(-2 + 7)
        assert escalate(outcome.case, owed, days_after_due(4)).reason is Reason.TOO_EARLY
        assert escalate(outcome.case, owed, days_after_due(5)).reason is Reason.MESSAGE_PLANNED


def test_a_customer_without_address_is_recorded_once_and_waits_for_one() -> None:
    silent = account(item(), person=None)
    case = open_case(silent, days_after_due(1, hour=0))
    outcome = escalate(case, silent, days_after_due(1))
    (contact,) = outcome.contacts
    assert (contact.status, contact.reason) == ("suppressed", Suppression.UNREACHABLE)
    assert outcome.tasks[0].kind == "unreachable"
    assert outcome.case.check_at is None
    assert next_steps.coming(outcome.case, silent, DEFAULT.strategy, DUE + timedelta(days=9)) is Reason.UNREACHABLE
    reachable = episodes.follow(outcome.case, account(item()), DEFAULT, days_after_due(9, hour=10)).case
    assert reachable.check_at == days_after_due(10)
    assert planned(reachable, account(item()), days_after_due(10))[1].step == "first-reminder"


def test_a_message_is_sent_about_what_the_owner_says_is_owed() -> None:
    owed = account(item("R-1"), item("R-2"))
    now = days_after_due(1)
    case, contact = planned(open_case(owed, days_after_due(1, hour=0)), owed, now)
    left = balance(owed_now("R-2"), owed_now("R-3", DUE + ONE_DAY, 0), owed_now("R-4", minor=0))
    assert reminders.confirm(contact, case, owed, left, now) == Send((owed_now("R-2"),))


def test_a_note_before_due_is_about_that_day_only() -> None:
    owed = account(item(overdue=False))
    now = days_after_due(-7)
    case, contact = planned(episodes.follow(new_case(), owed, DEFAULT, now).case, owed, now)
    left = balance(owed_now("R-1", DUE, -7), owed_now("R-2", DUE + ONE_DAY, -8), owed_now("R-3", DUE - ONE_DAY, -6))
    assert reminders.confirm(contact, case, owed, left, now) == Send((owed_now("R-1", DUE, -7),))


def test_a_message_does_not_leave_when_nothing_is_owed_any_more() -> None:
    owed = account(item())
    now = days_after_due(1)
    case, contact = planned(open_case(owed, days_after_due(1, hour=0)), owed, now)
    assert reminders.confirm(contact, case, owed, balance(), now) is Suppression.NOTHING_COLLECTABLE
    assert (
        reminders.confirm(contact, case, owed, balance(owed_now(days_overdue=0)), now)
        is Suppression.NOTHING_COLLECTABLE
    )


def test_a_message_does_not_leave_when_its_case_was_closed_or_reopened() -> None:
    owed = account(item())
    now = days_after_due(1)
    case, contact = planned(open_case(owed, days_after_due(1, hour=0)), owed, now)
    closed = episodes.follow(case, account(), DEFAULT, now).case
    again = episodes.follow(closed, owed, DEFAULT, now).case
    for later in (closed, again):
        assert reminders.confirm(contact, later, owed, balance(owed_now()), now) is Suppression.EPISODE_OVER


def test_a_message_held_up_past_the_window_waits_for_the_next_morning() -> None:
    owed = account(item())
    case, contact = planned(open_case(owed, days_after_due(1, hour=0)), owed, days_after_due(1))
    late = reminders.confirm(contact, case, owed, balance(owed_now()), days_after_due(1, hour=18))
    assert late == Wait(days_after_due(2))


def test_a_sent_message_climbs_one_rung_and_says_so() -> None:
    owed = account(item())
    now = days_after_due(40)
    case, contact = planned(open_case(owed, days_after_due(40, hour=0)), owed, now)
    outcome = rules.conclude(case, contact.sent(now), owed, DEFAULT, now)
    assert (outcome.case.level, outcome.case.step, outcome.case.pending) == (1, "first-reminder", ())
    (escalated,) = outcome.events
    assert isinstance(escalated, CaseEscalated)
    assert escalated.version == case.version + 1


def test_a_message_in_doubt_counts_as_sent_and_becomes_a_task() -> None:
    owed = account(item())
    now = days_after_due(1)
    case, contact = planned(open_case(owed, days_after_due(1, hour=0)), owed, now)
    outcome = rules.conclude(case, contact.unknown("the line went dead"), owed, DEFAULT, now)
    assert outcome.case.level == 1
    assert outcome.tasks[0].kind == "fate_unknown"


def test_a_refused_address_stops_the_case_until_there_is_another() -> None:
    owed = account(item())
    now = days_after_due(1)
    case, contact = planned(open_case(owed, days_after_due(1, hour=0)), owed, now)
    outcome = rules.conclude(case, contact.failed("550 unknown"), owed, DEFAULT, now, address_refused=True)
    assert (outcome.case.level, outcome.case.check_at) == (0, None)
    assert [task.kind for task in outcome.tasks] == ["unreachable"]
    other = account(item(), person=ADA.model_copy(update={"email": "new@acme.example"}))
    again = episodes.follow(outcome.case, other, DEFAULT, days_after_due(3, hour=0)).case
    assert again.check_at == days_after_due(3)


def test_a_suppressed_message_leaves_the_rung_for_another_day() -> None:
    owed = account(item())
    now = days_after_due(1)
    case, contact = planned(open_case(owed, days_after_due(1, hour=0)), owed, now)
    outcome = rules.conclude(case, contact.suppressed(Suppression.NOTHING_COLLECTABLE), owed, DEFAULT, now)
    assert (outcome.case.level, outcome.case.check_at, outcome.events) == (0, days_after_due(2), ())


def test_a_case_closed_while_its_message_was_under_way_does_not_climb() -> None:
    owed = account(item())
    now = days_after_due(1)
    case, contact = planned(open_case(owed, days_after_due(1, hour=0)), owed, now)
    closed = episodes.follow(case, account(), DEFAULT, now).case
    outcome = rules.conclude(closed, contact.sent(now), account(), DEFAULT, now)
    assert (outcome.case.level, outcome.events, outcome.case.pending) == (0, (), ())


def test_while_a_message_is_under_way_nothing_else_is_decided() -> None:
    owed = account(item(), item("R-2", DUE + timedelta(days=8), overdue=False))
    now = days_after_due(1)
    case, _ = planned(open_case(owed, days_after_due(1, hour=0)), owed, now)
    assert episodes.follow(case, owed, DEFAULT, now).case.check_at is None
    assert escalate(replace(case, check_at=now), owed, now).reason is Reason.UNDER_WAY
