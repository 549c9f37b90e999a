"""Business dates: the day depends on the zone, the boundary day counts, months end where they end."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import calendar

days = st.dates(date(1990, 1, 1), date(2090, 12, 31))
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Pacific/Auckland", "Asia/Kolkata"])


def test_the_same_moment_is_another_day_elsewhere() -> None:
    moment = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)
    assert calendar.local_date(moment, "UTC") == date(2026, 3, 31)
    assert calendar.local_date(moment, "Europe/Berlin") == date(2026, 4, 1)
    assert calendar.local_date(moment, "America/New_York") == date(2026, 3, 31)
    assert calendar.local_date(moment, "Pacific/Auckland") == date(2026, 4, 1)


def test_a_moment_without_zone_and_an_unknown_zone_are_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        calendar.local_date(datetime(2026, 1, 1), "UTC")  # noqa: DTZ001
    with pytest.raises(ZoneInfoNotFoundError):
        calendar.local_date(datetime(2026, 1, 1, tzinfo=UTC), "Europe/Atlantis")


def test_nine_in_the_morning_is_found_in_winter_and_in_summer() -> None:
    nine = time(9)
    assert calendar.at_local_time(date(2026, 1, 15), nine, "Europe/Berlin") == datetime(2026, 1, 15, 8, tzinfo=UTC)
    assert calendar.at_local_time(date(2026, 7, 15), nine, "Europe/Berlin") == datetime(2026, 7, 15, 7, tzinfo=UTC)
    assert calendar.at_local_time(date(2026, 7, 15), nine, "Asia/Tokyo") == datetime(2026, 7, 15, 0, tzinfo=UTC)


def test_a_skipped_time_moves_on_and_a_repeated_one_is_its_first() -> None:
    skipped = calendar.at_local_time(date(2026, 3, 29), time(2, 30), "Europe/Berlin")
    assert skipped == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert skipped.astimezone(ZoneInfo("Europe/Berlin")).time() == time(3, 30)
    repeated = calendar.at_local_time(date(2026, 10, 25), time(2, 30), "Europe/Berlin")
    assert repeated == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@given(days, st.integers(4, 22), zones)
def test_a_local_time_falls_on_its_local_day(day: date, hour: int, zone: str) -> None:
    assert calendar.local_date(calendar.at_local_time(day, time(hour), zone), zone) == day


@pytest.mark.parametrize(
    ("days_late", "bucket"),
    [
        (-400, "current"), (-1, "current"), (0, "current"),
        (1, "d1_30"), (30, "d1_30"),
        (31, "d31_60"), (60, "d31_60"),
        (61, "d61_90"), (90, "d61_90"),
        (91, "d91_plus"), (4000, "d91_plus"),
    ],
)  # fmt: skip
def test_an_item_ages_the_day_after_its_bucket_ends(days_late: int, bucket: str) -> None:
    due = date(2026, 2, 1)
    on = due + timedelta(days=days_late)
    assert calendar.ageing_bucket(due, on) == bucket
    assert calendar.days_overdue(due, on) == days_late


def test_the_buckets_are_named_in_order_of_age() -> None:
    assert calendar.BUCKETS == ("current", "d1_30", "d31_60", "d61_90", "d91_plus")


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 1, 15), -1, date(2025, 12, 15)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2026, 5, 5), 0, date(2026, 5, 5)),
    ],
)
def test_a_month_later_is_the_same_day_or_the_last(day: date, months: int, expected: date) -> None:
    assert calendar.add_months(day, months) == expected


@given(days, st.integers(-600, 600))
def test_adding_months_lands_in_that_month(day: date, months: int) -> None:
    landed = calendar.add_months(day, months)
    assert (landed.year * 12 + landed.month) - (day.year * 12 + day.month) == months
    assert landed.day == min(day.day, calendar.month_end(landed).day)


@given(days)
def test_the_day_after_a_month_end_starts_the_next_month(day: date) -> None:
    end = calendar.month_end(day)
    assert calendar.month_start(day) <= day <= end
    assert calendar.month_start(end) == calendar.month_start(day)
    assert (end + timedelta(days=1)).day == 1


def test_holidays_and_weekends_are_those_of_the_country() -> None:
    boxing_day_observed = date(2026, 12, 28)
    assert calendar.is_business_day(boxing_day_observed, "DE")
    assert not calendar.is_business_day(boxing_day_observed, "GB")
    assert not calendar.is_business_day(date(2026, 5, 1), "DE")
    assert calendar.is_business_day(date(2026, 5, 1), "US")
    friday, sunday = date(2026, 6, 5), date(2026, 6, 7)
    assert calendar.is_business_day(friday, "DE")
    assert not calendar.is_business_day(sunday, "DE")
    assert not calendar.is_business_day(friday, "KW")
    assert calendar.is_business_day(sunday, "KW")


def test_a_country_without_a_known_calendar_has_only_weekends() -> None:
    assert calendar.is_business_day(date(2026, 12, 25), "ZZ")
    assert not calendar.is_business_day(date(2026, 12, 26), "ZZ")


def test_the_next_business_day_is_the_day_itself_or_the_first_after_a_run_of_free_days() -> None:
    assert calendar.next_business_day(date(2026, 12, 24), "GB") == date(2026, 12, 24)
    assert calendar.next_business_day(date(2026, 12, 25), "GB") == date(2026, 12, 29)
    assert calendar.next_business_day(date(2026, 12, 25), "DE") == date(2026, 12, 28)


def test_holidays_are_loaded_only_when_asked_for() -> None:
    program = "import sys, shared.calendar, shared.money; sys.exit('holidays' in sys.modules or 'babel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
