"""The contact policy: how often, on what days and at what hours a customer may be contacted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.reminder.contacts.rules import retry_seconds
from services.reminder.policies import rules
from services.reminder.policies.rules import (
    POLICY,
    ChannelLimit,
    Policy,
    PolicyDocument,
    Refusal,
    Touch,
    free_at,
    free_on,
    is_open,
    next_opening,
)
from shared.events.credit import PostalAddress
from tests.reminder.facts import account

MONDAY = date(2026, 3, 2)
MAIL = ("email",)
CALL = ("call",)


def at(offset: int, hour: float = 9) -> datetime:
    """Days after the Monday, UTC."""
    return datetime(2026, 3, 2, tzinfo=UTC) + timedelta(days=offset, hours=hour)


def touches(*offsets: int, channel: str = "email", kind: Any = "contact") -> list[Touch]:
    return [Touch(at(offset), channel, kind) for offset in offsets]


def free(channels: tuple[str, ...], known: list[Touch], today: int, policy: Policy = POLICY) -> tuple[int, str | None]:
    day, refusal = free_on(channels, known, account(), MONDAY + timedelta(days=today), policy)
    return (day - MONDAY).days, refusal


@pytest.mark.parametrize(
    ("contacted", "today", "expected"),
    [
        ((), 0, (0, None)),
        ((0, 1), 2, (2, None)),
        ((0, 1, 2), 3, (7, "contact_cap")),
        ((0, 1, 2), 6, (7, "contact_cap")),
        ((0, 1, 2), 7, (7, None)),
        ((0, 0, 0), 6, (7, "contact_cap")),
        ((-7, 0, 1), 2, (2, None)),
        ((-6, -1, 0), 0, (1, "contact_cap")),
        ((0, 1, 2, 3), 3, (8, "contact_cap")),
    ],
)
def test_at_most_three_contacts_in_any_seven_days(
    contacted: tuple[int, ...], today: int, expected: tuple[int, str | None]
) -> None:
    assert free(MAIL, touches(*contacted), today) == expected


@pytest.mark.parametrize(("gap", "today", "free_again"), [(1, 0, 1), (1, 1, 1), (3, 0, 3), (3, 2, 3), (3, 3, 3)])
def test_between_two_contacts_lie_the_days_of_the_gap(gap: int, today: int, free_again: int) -> None:
    policy = replace(POLICY, min_gap_days=gap)
    refusal = "min_gap" if free_again > today else None
    assert free(MAIL, touches(0), today, policy) == (free_again, refusal)


@pytest.mark.parametrize(
    ("mails", "today", "expected"), [((0,), 1, (1, None)), ((0, 1), 4, (14, "channel_cap")), ((0, 1), 14, (14, None))]
)
def test_a_channel_has_a_cap_of_its_own(mails: tuple[int, ...], today: int, expected: tuple[int, str | None]) -> None:
    policy = replace(POLICY, channels={"email": ChannelLimit(2, 14)})
    assert free(MAIL, touches(*mails), today, policy) == expected
    assert free(("sms",), touches(*mails), today, policy) == (today, None)


def test_a_step_on_two_channels_takes_two_of_the_contacts_there_are() -> None:
    both = ("email", "sms")
    assert free(both, touches(0), 1) == (1, None)
    assert free(both, touches(0, 1), 2) == (7, "contact_cap")
    assert free((*both, "letter", "call"), [], 0) == (0, None), "a step larger than the cap goes out alone"
    assert free((*both, "letter", "call"), touches(0), 3) == (7, "contact_cap")


@pytest.mark.parametrize(("waits_for", "today", "refusal"), [(3, 0, None), (2, 0, "min_gap"), (1, 0, "min_gap")])
def test_a_contact_that_still_waits_for_a_later_day_counts_for_the_days_before_it(
    waits_for: int, today: int, refusal: str | None
) -> None:
    assert free(MAIL, touches(waits_for), today, replace(POLICY, min_gap_days=3))[1] == refusal


def test_several_companies_steps_at_once_use_no_more_channels_than_one_step_or_the_cap() -> None:
    for cap, at_once, refusal in ((1, 2, "contact_cap"), (1, 3, None), (3, 2, None)):
        policy = replace(POLICY, contacts_max=cap)
        assert free_on(("email", "sms", "call"), (), account(), MONDAY, policy, at_once)[1] == refusal


def test_what_stays_in_the_house_is_neither_counted_nor_restricted() -> None:
    assert free(("chat", "webhook"), touches(0, 0, 0, 0), 0) == (0, None)
    assert free(("chat", "email"), touches(0, 1), 2) == (2, None)


@pytest.mark.parametrize(
    ("silence", "today", "expected"), [(0, 1, (1, None)), (3, 3, (4, "conversation")), (3, 4, (4, None))]
)
def test_after_a_conversation_there_are_days_of_silence(
    silence: int, today: int, expected: tuple[int, str | None]
) -> None:
    spoken = touches(0, channel="call", kind="conversation")
    assert free(MAIL, spoken, today, replace(POLICY, silence_days=silence)) == expected


def test_other_services_messages_count_for_spacing_where_the_policy_says_so_and_never_for_the_cap() -> None:
    invoices = touches(0, 0, 0, 0, kind="other")
    assert free(MAIL, invoices, 0) == (0, None)
    assert free(MAIL, invoices, 0, replace(POLICY, counts_other_messages=True)) == (1, "min_gap")


REG_F = replace(POLICY, contacts_max=100, reg_f=True, opens=time(6), closes=time(23), min_gap_days=0)


@pytest.mark.parametrize(("calls", "today", "expected"), [(6, 1, (1, None)), (7, 1, (7, "reg_f")), (7, 7, (7, None))])
def test_reg_f_lets_no_eighth_call_go_out_in_seven_days(
    calls: int, today: int, expected: tuple[int, str | None]
) -> None:
    """12 CFR 1006.14(b)(2)(i)(A)."""
    assert free(CALL, touches(*[0] * calls, channel="call", kind="call"), today, REG_F) == expected
    assert free(MAIL, touches(*[0] * calls, channel="call", kind="call"), today, REG_F) == (today, None)


@pytest.mark.parametrize(("today", "expected"), [(0, (7, "reg_f")), (6, (7, "reg_f")), (7, (7, None))])
def test_reg_f_counts_the_day_of_a_conversation_as_the_first_of_seven(
    today: int, expected: tuple[int, str | None]
) -> None:
    """12 CFR 1006.14(b)(2)(i)(B)."""
    assert free(CALL, touches(0, channel="call", kind="conversation"), today, REG_F) == expected


@pytest.mark.parametrize(("hour", "may"), [(7.99, False), (8, True), (20.99, True), (21, False)])
def test_reg_f_calls_are_made_between_eight_and_nine_at_the_customers(hour: float, may: bool) -> None:
    """12 CFR 1006.6(b)(1)(i)."""
    assert is_open(CALL, account(), at(0, hour), REG_F) is may
    assert is_open(MAIL, account(), at(0, hour), REG_F)


def test_the_contact_window_is_open_from_nine_until_six_where_the_customer_is() -> None:
    tokyo, midnight = account(time_zone="Asia/Tokyo"), at(0, 0)
    assert is_open(MAIL, tokyo, midnight)
    assert not is_open(MAIL, tokyo, midnight - timedelta(seconds=1))
    assert is_open(MAIL, tokyo, midnight + timedelta(hours=9, seconds=-1))
    assert not is_open(MAIL, tokyo, midnight + timedelta(hours=9))
    assert next_opening(MAIL, tokyo, midnight) == midnight
    assert next_opening(MAIL, tokyo, midnight + timedelta(seconds=1)) == midnight + timedelta(days=1)


def test_on_weekdays_left_out_nothing_goes_out() -> None:
    workdays = replace(POLICY, weekdays=frozenset(range(5)))
    assert is_open(MAIL, account(), at(4), workdays)
    assert not is_open(MAIL, account(), at(5), workdays)
    assert next_opening(MAIL, account(), at(4, 10), workdays) == at(7)
    assert free_at(MAIL, [], account(), at(5, 10), workdays) == at(7)


@pytest.mark.parametrize(
    ("country", "region", "day", "rests"),
    [
        ("DE", None, date(2026, 1, 6), False),
        ("DE", "BY", date(2026, 1, 6), True),
        ("DE", "Bayern", date(2026, 1, 6), True),
        ("DE", "Bavaria", date(2026, 10, 3), True),
        ("DE", "nowhere", date(2026, 12, 25), True),
        ("US", None, date(2026, 12, 26), False),
        ("XX", None, date(2026, 12, 25), False),
        (None, None, date(2026, 12, 25), False),
    ],
)
def test_public_holidays_are_those_of_the_customers_country_and_region(
    country: str | None, region: str | None, day: date, rests: bool
) -> None:
    where = replace(account(), country=country, address=PostalAddress(lines=("x",), city="y", region=region))
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    assert is_open(MAIL, where, noon, replace(POLICY, rests_on_holidays=True)) is not rests
    assert is_open(MAIL, where, noon)


@given(
    wanted=st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["email", "sms", "call"])), min_size=1, max_size=40),
    cap=st.integers(1, 4),
    mails=st.integers(1, 3),
    gap=st.integers(1, 3),
    silence=st.integers(0, 4),
)
def test_whoever_asks_first_never_exceeds_a_cap_nor_falls_short_of_a_gap(
    wanted: list[tuple[int, str]], cap: int, mails: int, gap: int, silence: int
) -> None:
    policy = replace(
        POLICY,
        contacts_max=cap,
        min_gap_days=gap,
        silence_days=silence,
        weekdays=frozenset(range(5)),
        channels={"email": ChannelLimit(mails, 14)},
    )
    sent = touches(10, channel="call", kind="conversation")
    made: list[tuple[datetime, str]] = []
    for offset, channel in sorted(wanted):
        now = at(offset, 10)
        if free_at((channel,), [t for t in sent if t.at <= now], account(), now, policy) == now:
            sent.append(Touch(now, channel))
            made.append((now, channel))
    days = sorted(touch.at.date() for touch in sent if touch.kind == "contact")
    spoken = at(10).date()
    for first in days:
        assert sum(1 for on in days if 0 <= (on - first).days < 7) <= cap
    ours = sorted(on.date() for on, _ in made)
    assert all((later - earlier).days >= gap for earlier, later in pairwise(ours))
    assert all(on.weekday() < 5 for on, _ in made)
    assert not any(0 < (on.date() - spoken).days <= silence for on, _ in made)
    mailed = [on.date() for on, channel in made if channel == "email"]
    assert all(sum(1 for on in mailed if 0 <= (on - first).days < 14) <= mails for first in mailed)


@given(
    minutes=st.integers(0, 525_000),
    zone=st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "Europe/Berlin"]),
)
def test_the_moment_that_is_free_is_never_in_quiet_hours(minutes: int, zone: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    policy = replace(POLICY, weekdays=frozenset(range(5)), rests_on_holidays=True)
    where = account(time_zone=zone)
    moment = free_at(MAIL, touches(0, 1, 2), where, now, policy)
    assert moment >= now
    assert is_open(MAIL, where, moment, policy)


def test_the_document_of_nobody_is_the_policy_there_always_was() -> None:
    assert rules.read(PolicyDocument().model_dump_json()) == POLICY


@pytest.mark.parametrize(
    "wrong",
    [
        {"opens": "18:00", "closes": "09:00"},
        {"contacts_max": 0},
        {"weekdays": []},
        {"channels": {"fax": {}}},
        {"channels": {"email": {"opens": "19:00", "closes": "20:00"}}},
        {"channels": {"email": {"opens": "12:00", "closes": "11:00"}}},
        {"presets": ["reg_z"]},
        {"colour": "red"},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PolicyDocument.model_validate(wrong)


def test_retries_come_at_longer_and_longer_intervals_up_to_five_minutes() -> None:
    assert [retry_seconds(n) for n in (1, 2, 3, 9, 10, 500)] == [1, 2, 4, 256, 300, 300]


def test_every_refusal_of_the_policy_has_a_name_among_the_suppressions() -> None:
    assert {refusal.value for refusal in Refusal} == {"contact_cap", "channel_cap", "min_gap", "conversation", "reg_f"}
