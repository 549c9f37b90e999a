"""Business dates: local days and times, ageing buckets, months, and business days by country.

Nothing here reads the clock: a moment or a day is always an argument.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

if TYPE_CHECKING:
    from holidays import HolidayBase

ONE_DAY = timedelta(days=1)

Bucket = Literal["current", "d1_30", "d31_60", "d61_90", "d91_plus"]
BUCKETS: tuple[Bucket, ...] = get_args(Bucket)

_SATURDAY = 5


@lru_cache(maxsize=4_096)
def local_date(now: datetime, time_zone: str) -> date:
    """The calendar day of an aware moment in an IANA zone. Raises ZoneInfoNotFoundError for an unknown zone."""
    return _aware(now).astimezone(ZoneInfo(time_zone)).date()


@lru_cache(maxsize=4_096)
def at_local_time(day: date, at: time, time_zone: str) -> datetime:
    """The UTC moment of a wall-clock time in a zone.

    A time the spring change skips is taken as if the clock had not moved yet (02:30 becomes 03:30), one that the
    autumn change repeats is its first occurrence.
    """
    return datetime.combine(day, at.replace(tzinfo=None, fold=0), ZoneInfo(time_zone)).astimezone(UTC)


def days_overdue(due: date, on: date) -> int:
    """Days past due at the end of `on`; 0 or less means not due yet."""
    return (on - due).days


def ageing_bucket(due: date, on: date) -> Bucket:
    """Where an open item due on `due` stands at the end of `on`: the due date itself is still current."""
    days = days_overdue(due, on)
    if days <= 0:
        return "current"
    if days <= 30:
        return "d1_30"
    if days <= 60:
        return "d31_60"
    return "d61_90" if days <= 90 else "d91_plus"


def month_start(day: date) -> date:
    return day.replace(day=1)


def month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def add_months(day: date, months: int) -> date:
    """The same day of another month, or that month's last: 31 January and a month is 28 or 29 February."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def is_business_day(day: date, country: str) -> bool:
    """Neither a weekend nor a public holiday of the country (ISO 3166 alpha-2, with that country's own weekend).

    A country without a known calendar has weekends on Saturday and Sunday, and no holidays.
    """
    known = _holidays(country)
    return day.weekday() < _SATURDAY if known is None else known.is_working_day(day)


def next_business_day(day: date, country: str) -> date:
    """The day itself when it is a business day, else the first one after it."""
    while not is_business_day(day, country):
        day += ONE_DAY
    return day


@cache
def _holidays(country: str) -> HolidayBase | None:
    import holidays  # Here, because it is needed rarely and takes long to load.

    try:
        return holidays.country_holidays(country)
    except NotImplementedError:
        return None


def _aware(now: datetime) -> datetime:
    if now.tzinfo is None:
        raise ValueError("a moment without time zone has no local date")
    return now


def known_time_zone(name: str) -> str:
    """An IANA zone. Raises ValueError."""
    if name not in _time_zones():
        raise ValueError(f"unknown time zone {name!r}, an IANA name such as Europe/Berlin is wanted")
    return name


@cache
def _time_zones() -> frozenset[str]:
    # `localtime` and `Factory` stand in the zone files of some machines and name no place.
    return frozenset(available_timezones()) - {"localtime", "Factory", "posixrules"}
