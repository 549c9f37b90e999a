"""How often and at what hours a customer may be contacted."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reminder.contacts.rules import free_on, is_open, next_opening, retry_seconds

MONDAY = date(2026, 3, 2)


def days(*offsets: int) -> list[date]:
    return [MONDAY + timedelta(days=offset) for offset in offsets]


@pytest.mark.parametrize(
    ("contacted", "today", "free"),
    [
        ((), 0, 0),
        ((0, 1), 2, 2),
        ((0, 1, 2), 2, 7),
        ((0, 1, 2), 6, 7),
        ((0, 1, 2), 7, 7),
        ((0, 0, 0), 6, 7),
        ((-7, 0, 1), 2, 2),
        ((-6, -1, 0), 0, 1),
        ((0, 1, 2, 3), 3, 8),
    ],
)
def test_at_most_three_contacts_in_any_seven_days(contacted: tuple[int, ...], today: int, free: int) -> None:
    assert free_on(days(*contacted), MONDAY + timedelta(days=today)) == MONDAY + timedelta(days=free)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=40))
def test_whoever_asks_before_each_contact_never_exceeds_the_cap(wanted: list[int]) -> None:
    sent: list[date] = []
    for offset in sorted(wanted):
        today = MONDAY + timedelta(days=offset)
        if free_on(sent, today) == today:
            sent.append(today)
    for first in sent:
        assert sum(1 for on in sent if 0 <= (on - first).days < 7) <= 3


def test_the_contact_window_is_open_from_nine_until_six_where_the_customer_is() -> None:
    tokyo = "Asia/Tokyo"
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    assert is_open(midnight, tokyo)
    assert not is_open(midnight - timedelta(seconds=1), tokyo)
    assert is_open(midnight + timedelta(hours=9, seconds=-1), tokyo)
    assert not is_open(midnight + timedelta(hours=9), tokyo)
    assert next_opening(midnight, tokyo) == midnight
    assert next_opening(midnight + timedelta(seconds=1), tokyo) == midnight + timedelta(days=1)


def test_retries_come_at_longer_and_longer_intervals_up_to_five_minutes() -> None:
    assert [retry_seconds(n) for n in (1, 2, 3, 9, 10, 500)] == [1, 2, 4, 256, 300, 300]
