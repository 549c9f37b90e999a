"""Which days a recurring invoice bills, and to what they come: dateutil and plain sums beside it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from services.invoice.billing_days.rules import Pause, PriceChange, Recurring, bills, settled_status
from services.invoice.drafting.rules import LineIn
from services.invoice.recurrence.rules import Days, RuleRefused, ends_after, read_rule, whole_period
from services.invoice.recurring import rules
from services.invoice.recurring.rules import part_minor
from shared.calendar import ONE_DAY

DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))


def days_of(text: str, starts_on: str, count: int = 4) -> list[str]:
    rule, day, found = read_rule(text, date.fromisoformat(starts_on)), date.fromisoformat(starts_on), []
    for _ in range(count):
        whole = whole_period(rule, day)
        found.append(whole.first.isoformat())
        day = whole.last + ONE_DAY
    return found


@pytest.mark.parametrize(
    ("text", "starts_on", "first_days"),
    [
        ("FREQ=MONTHLY;BYMONTHDAY=1", "2024-01-15", ["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2024-01-31", ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"]),
        ("FREQ=MONTHLY", "2023-01-30", ["2023-01-30", "2023-02-28", "2023-03-30", "2023-04-30"]),
        ("RRULE:FREQ=MONTHLY;INTERVAL=3", "2024-01-10", ["2024-01-10", "2024-04-10", "2024-07-10", "2024-10-10"]),
        ("FREQ=YEARLY", "2024-02-29", ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "2024-01-03", ["2024-01-01", "2024-01-15", "2024-01-29", "2024-02-12"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", "2024-01-26", ["2024-01-26", "2024-02-23", "2024-03-29", "2024-04-26"]),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            "2024-02-29",
            ["2024-02-29", "2024-03-29", "2024-04-30", "2024-05-31"],
        ),
    ],
)
def test_periods_begin_with_the_occurrences_of_the_rule(text: str, starts_on: str, first_days: list[str]) -> None:
    assert days_of(text, starts_on) == first_days


@pytest.mark.parametrize(
    "text",
    [
        *(
            "FREQ=SECONDLY",
            "FREQ=HOURLY",
            "FREQ=DAILY;BYHOUR=1,2",
            "FREQ=MONTHLY;UNTIL=20250101",
            "monthly",
            "",
            "FREQ=",
        ),
        *("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;INTERVAL=7;BYDAY=TU", "FREQ=MONTHLY;BYSETPOS=9"),
        *("FREQ=MONTHLY;INTERVAL=0", "FREQ=MONTHLY;INTERVAL=61", "FREQ=MONTHLY;BYMONTHDAY=0", "FREQ=WEEKLY;BYDAY=1MO"),
        *("FREQ=MONTHLY;BYDAY=XX", "FREQ=MONTHLY;FREQ=DAILY", "FREQ=MONTHLY;INTERVAL=1,2", "FREQ=MONTHLY;BYMONTH=13"),
    ],
)
def test_a_rule_that_leads_nowhere_or_too_often_is_refused(text: str) -> None:
    with pytest.raises(RuleRefused) as refused:
        read_rule(text, date(2024, 1, 1))
    assert refused.value.field == "/rrule"


RULES = st.sampled_from(
    [
        *("FREQ=DAILY;INTERVAL=10", "FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=WEEKLY;INTERVAL=3;BYDAY=SU;WKST=SU"),
        *("FREQ=MONTHLY;BYMONTHDAY=15", "FREQ=MONTHLY;BYMONTHDAY=1,-1", "FREQ=MONTHLY;INTERVAL=2;BYDAY=2TU"),
        *("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "FREQ=YEARLY;BYMONTH=1,7;BYMONTHDAY=1"),
        *("FREQ=YEARLY;BYDAY=20MO", "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "FREQ=YEARLY;BYYEARDAY=1,-1,100"),
        *("FREQ=YEARLY;BYMONTH=5", "FREQ=WEEKLY", "FREQ=DAILY", "FREQ=MONTHLY;BYMONTH=1,4;BYMONTHDAY=31"),
    ]
)


@given(RULES, st.dates(date(2020, 1, 1), date(2026, 12, 28)).filter(lambda day: day.day < 29))
def test_occurrences_are_those_that_dateutil_finds(text: str, starts_on: date) -> None:
    follow = rrulestr(text, dtstart=datetime.combine(starts_on, datetime.min.time()))
    expected = [each.date() for each in follow.xafter(datetime.combine(starts_on, datetime.min.time()), 8, inc=True)]
    try:
        rule, found = read_rule(text, starts_on), []
    except RuleRefused:
        pytest.fail(f"{text} has occurrences")
    day = starts_on - ONE_DAY
    while len(found) < 8 and (after := rule.first_after(day)):
        found.append(after)
        day = after
    assert found == expected


@given(RULES, DAYS, st.integers(0, 4_000))
def test_every_day_lies_in_the_one_period_around_it(text: str, starts_on: date, later: int) -> None:
    rule, day = read_rule(text, starts_on), starts_on + timedelta(later)
    whole = whole_period(rule, day)
    assert day in whole
    assert whole_period(rule, whole.first) == whole_period(rule, whole.last) == whole
    assert whole_period(rule, whole.last + ONE_DAY).first == whole.last + ONE_DAY


# --- parts ---


@given(st.integers(-(10**9), 10**12), st.integers(1, 400), st.data())
def test_the_parts_of_a_period_add_up_to_it(whole_minor: int, length: int, data: st.DataObject) -> None:
    whole = Days(date(2024, 1, 1), date(2024, 1, 1) + timedelta(length - 1))
    cuts = sorted(data.draw(st.sets(st.integers(1, length), max_size=6)) | {length})
    parts, first = [], 0
    for cut in cuts:
        part = Days(whole.first + timedelta(first), whole.first + timedelta(cut - 1))
        parts.append(part_minor(whole_minor, whole, part))
        first = cut
    assert sum(parts) == whole_minor
    for minor in parts:
        assert abs(minor) <= abs(whole_minor) + 1


def test_a_part_is_rounded_half_even_at_its_two_ends() -> None:
    april = Days(date(2024, 4, 1), date(2024, 4, 30))
    parts = [Days(date(2024, 4, 1), date(2024, 4, 10)), Days(date(2024, 4, 11), date(2024, 4, 30))]
    assert [part_minor(10_000, april, part) for part in parts] == [3_333, 6_667]
    half = [Days(date(2024, 4, 1), date(2024, 4, 15)), Days(date(2024, 4, 16), date(2024, 4, 30))]
    assert [part_minor(25, april, part) for part in half] == [12, 13], "12.5 goes to the even 12, the rest is 13"


def recurring(**changes: Any) -> Recurring:
    about: dict[str, Any] = {
        "id": uuid4(),
        "version": 1,
        "entity_id": "default",
        "customer_id": uuid4(),
        "status": "active",
        "name": None,
        "rrule": "FREQ=MONTHLY;BYMONTHDAY=1",
        "starts_on": date(2024, 1, 1),
        "ends_on": date(2024, 12, 31),
        "timing": "advance",
        "proration": "days",
        "catch_up": "period_date",
        "pauses": (),
        "lines": (
            LineIn.model_validate({"description": "Rent", "unit_price": {"amount": "99.99", "currency": "EUR"}}),
        ),
        "price_changes": (),
        "payment_terms": None,
        "reference": None,
        "delivery_channel": "email",
        "billed_through": None,
        "next_bill_on": None,
        "created_at": datetime(2024, 1, 1, tzinfo=UTC),
    }
    return settled_status(Recurring(**{**about, **changes}))


@given(
    st.sampled_from(["advance", "arrears"]),
    st.lists(st.tuples(st.integers(0, 360), st.integers(1, 80)), max_size=4),
    st.integers(0, 40),
    st.integers(0, 365),
)
def test_every_day_is_billed_once_or_lies_in_a_pause(
    timing: str, windows: list[tuple[int, int]], start: int, length: int
) -> None:
    first = date(2024, 1, 1) + timedelta(start)
    last = first + timedelta(length)
    pauses = tuple(
        Pause.model_validate({"from": first + timedelta(at), "until": first + timedelta(at + days)})
        for at, days in windows
    )
    found = bills(recurring(timing=timing, pauses=pauses, starts_on=first, ends_on=last), 500)

    billed = [run.first + timedelta(n) for bill in found for run in bill.runs for n in range(run.count)]
    wanted = [first + timedelta(n) for n in range(length + 1)]
    paused = [day for day in wanted if any(p.first <= day < (p.until or date.max) for p in pauses)]
    assert billed == sorted(set(wanted) - set(paused))
    assert [bill.bill_on for bill in found] == sorted(bill.bill_on for bill in found)
    for bill in found:
        assert bill.bill_on == bill.days.first if timing == "advance" else bill.bill_on > bill.days.last


@given(st.integers(1, 31), st.integers(0, 11))
def test_two_agreements_that_follow_each_other_cost_what_one_costs(day: int, month: int) -> None:
    handover = date(2024, 1, 1) + timedelta(month * 30 + day)
    one = recurring()
    before, after = recurring(ends_on=handover - ONE_DAY), recurring(starts_on=handover)
    assert _total(before) + _total(after) == _total(one) == 12 * 9_999


def _total(one: Recurring) -> int:
    return sum(rules.priced(one, bill, "en").net_minor for bill in bills(one, 50))


def test_percentages_build_on_each_other_and_lines_begin_anew() -> None:
    changes = [
        {"from": "2024-02-01", "percentage": "10"},
        {"from": "2024-03-01", "percentage": "-10"},
        {"from": "2024-04-01", "lines": [{"description": "Rent", "unit_price": {"amount": "5.00", "currency": "EUR"}}]},
        {"from": "2024-05-01", "percentage": "0.5"},
    ]
    one = recurring(price_changes=tuple(map(PriceChange.model_validate, changes)))
    assert [rules.priced(one, bill, "en").net_minor for bill in bills(one, 5)] == [9_999, 10_999, 9_899, 500, 502]


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "Rent March 2024"), ("de", "Rent März 2024"), ("fr-CA", "Rent mars 2024"), ("xx", "Rent March 2024")],
)
def test_a_month_is_said_in_the_customers_language(language: str, said: str) -> None:
    march = Days(date(2024, 3, 1), date(2024, 3, 31))
    assert rules.describe("Rent {month}", march, language) == said


def test_a_count_of_periods_begins_with_the_first_part() -> None:
    assert ends_after("FREQ=MONTHLY;BYMONTHDAY=1", date(2024, 1, 20), 3) == date(2024, 3, 31)
