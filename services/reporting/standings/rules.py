"""The days before which standings are kept."""

from __future__ import annotations

from datetime import date

from shared.calendar import add_months, month_start


def next_standing_day(day: date) -> date:
    """The first 1st, 8th, 15th or 22nd of a month behind a day: often enough that few days lie between, and on the
    first of every month, which is when customers have theirs."""
    if day.day < 22:
        return day.replace(day=7 * -(-day.day // 7) + 1)
    return month_start(add_months(day, 1))
