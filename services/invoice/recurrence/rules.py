"""Rules that repeat (RFC 5545, RRULE) and the periods that their occurrences begin."""

from __future__ import annotations

import re
from calendar import isleap
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

from shared.calendar import ONE_DAY, add_months, month_end
from shared.errors import Refused

Frequency = Literal["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]

INTERVAL_MAX: dict[Frequency, int] = {"DAILY": 366, "WEEKLY": 104, "MONTHLY": 60, "YEARLY": 10}
SEARCH_DAYS: dict[Frequency, int] = {"DAILY": 1_100, "WEEKLY": 2_200, "MONTHLY": 15_000, "YEARLY": 16_500}
"""How far a rule is followed to its next occurrence before it is said to have none."""
UNIT_DAYS: dict[Frequency, int] = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 28, "YEARLY": 365}

_RULE_PARTS = ("FREQ", "INTERVAL", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYYEARDAY", "BYSETPOS", "WKST")
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class RuleRefused(Refused):
    slug = "recurrence-rule"
    title = "The recurrence rule cannot be followed"


@dataclass(frozen=True, slots=True)
class Days:
    """From the first to the last day, both included."""

    first: date
    last: date

    @property
    def count(self) -> int:
        return (self.last - self.first).days + 1

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule with every part that RFC 5545 takes from the start date written out.

    It is followed here, a day, week, month or year of its frequency at a time, rather than by dateutil, which looks for
    the next day of a rule that has none up to the year 9999. The tests hold the two beside each other.
    """

    frequency: Frequency
    interval: int
    start: date
    months: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()
    year_days: frozenset[int] = frozenset()
    weekdays: frozenset[tuple[int, int]] = frozenset()
    """(which of them, weekday from Monday 0); which is 0 for every one, -1 for the last of the month or year."""
    positions: tuple[int, ...] = ()
    week_start: int = 0

    def last_until(self, day: date) -> date | None:
        """The latest occurrence on or before a day, also before the start."""
        nearest = self._place(day)
        for place in range(nearest, nearest - self._places, -1):
            found = [each for each in self._occurrences(place) if each <= day]
            if found:
                return found[-1]
        return None

    def first_after(self, day: date) -> date | None:
        """The earliest occurrence after a day."""
        nearest = self._place(day)
        for place in range(nearest, nearest + self._places):
            for each in self._occurrences(place):
                if each > day:
                    return each
        return None

    @property
    def _places(self) -> int:
        return SEARCH_DAYS[self.frequency] // (UNIT_DAYS[self.frequency] * self.interval) + 2

    def _place(self, day: date) -> int:
        """The interval that a day lies in, counted from the one of the start."""
        if self.frequency == "DAILY":
            return (day - self.start).days // self.interval
        if self.frequency == "WEEKLY":
            return (day - self._first_week()).days // (7 * self.interval)
        if self.frequency == "MONTHLY":
            return ((day.year - self.start.year) * 12 + day.month - self.start.month) // self.interval
        return (day.year - self.start.year) // self.interval

    def _first_week(self) -> date:
        return self.start - timedelta((self.start.weekday() - self.week_start) % 7)

    def _occurrences(self, place: int) -> list[date]:
        first = self._begins(place)
        if first is None:
            return []
        if self.frequency == "DAILY":
            days = 1
        elif self.frequency == "WEEKLY":
            days = 7
        elif self.frequency == "MONTHLY":
            days = month_end(first).day
        else:
            days = 366 if isleap(first.year) else 365
        found = [day for n in range(days) if self._takes(day := first + timedelta(n))]
        if not self.positions:
            return found
        picked = {found[at] for p in self.positions if -len(found) <= (at := p - 1 if p > 0 else p) < len(found)}
        return sorted(picked)

    def _begins(self, place: int) -> date | None:
        units = place * self.interval
        try:
            if self.frequency == "DAILY":
                return self.start + timedelta(units)
            if self.frequency == "WEEKLY":
                return self._first_week() + timedelta(7 * units)
            if self.frequency == "MONTHLY":
                return add_months(self.start.replace(day=1), units)
            return date(self.start.year + units, 1, 1)
        except (ValueError, OverflowError):
            return None

    def _takes(self, day: date) -> bool:
        if self.months and day.month not in self.months:
            return False
        if self.month_days and not {day.day, day.day - month_end(day).day - 1} & self.month_days:
            return False
        of_year, length = day.timetuple().tm_yday, 366 if isleap(day.year) else 365
        if self.year_days and not {of_year, of_year - length - 1} & self.year_days:
            return False
        if not self.weekdays:
            return True
        if self.frequency == "YEARLY" and not self.months:
            from_first, from_last = (of_year - 1) // 7 + 1, -((length - of_year) // 7 + 1)
        else:
            from_first, from_last = (day.day - 1) // 7 + 1, -((month_end(day).day - day.day) // 7 + 1)
        return bool({(which, day.weekday()) for which in (0, from_first, from_last)} & self.weekdays)


@lru_cache(maxsize=1_024)
def read_rule(text: str, starts_on: date) -> Rule:
    """Read an RRULE such as `FREQ=MONTHLY;BYMONTHDAY=1`. Raises RuleRefused.

    Days are the smallest step; the end is said by `ends_on` or `count`, not in the rule. A monthly rule that begins on
    the 29th to 31st means the last day of shorter months, where RFC 5545 would leave those months out, and so does a
    yearly one that begins on 29 February.
    """
    parts = _rule_parts(text)
    frequency = parts.get("FREQ", "")
    if frequency not in INTERVAL_MAX:
        raise _refused(f"FREQ is one of {', '.join(INTERVAL_MAX)}; nothing is invoiced more than once a day")
    rule = Rule(
        frequency,
        _numbers(parts, "INTERVAL", 1, INTERVAL_MAX[frequency], "1")[0],
        starts_on,
        months=frozenset(_numbers(parts, "BYMONTH", 1, 12)),
        month_days=frozenset(_numbers(parts, "BYMONTHDAY", -31, 31)),
        year_days=frozenset(_numbers(parts, "BYYEARDAY", -366, 366)),
        weekdays=_weekdays(parts.get("BYDAY", ""), frequency),
        positions=tuple(_numbers(parts, "BYSETPOS", -366, 366)),
        week_start=_weekday(parts.get("WKST", "MO")),
    )
    rule = _from_start(rule)
    if rule.first_after(starts_on - ONE_DAY) is None:
        years = SEARCH_DAYS[rule.frequency] // 365
        raise _refused(f"the rule does not meet a single day within {years} years of its start")
    return rule


def _rule_parts(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise _refused(f"{part!r} is no part of a rule; parts are written NAME=value with semicolons between")
        if name in ("COUNT", "UNTIL"):
            raise _refused(f"say the end as ends_on or count beside the rule, not as {name} in it")
        if name not in _RULE_PARTS:
            raise _refused(f"{name} is not taken; a rule has {', '.join(_RULE_PARTS)}")
        if name in parts:
            raise _refused(f"{name} stands twice")
        parts[name] = value
    return parts


def _numbers(parts: dict[str, str], name: str, least: int, most: int, otherwise: str = "") -> list[int]:
    """The whole numbers of a part; zero is none of them."""
    text = parts.get(name, otherwise)
    written = text.split(",") if text else []
    numbers = [int(each) for each in written if re.fullmatch(r"[+-]?[0-9]{1,3}", each, re.ASCII)]
    if len(numbers) < len(written) or not all(number and least <= number <= most for number in numbers):
        raise _refused(f"{name} takes whole numbers from {least} to {most}, not {text}")
    if name == "INTERVAL" and len(numbers) != 1:
        raise _refused("INTERVAL is one number")
    return numbers


def _weekdays(text: str, frequency: str) -> frozenset[tuple[int, int]]:
    found: set[tuple[int, int]] = set()
    for each in text.split(",") if text else []:
        which = each[:-2]
        if which and (frequency not in ("MONTHLY", "YEARLY") or not re.fullmatch(r"[+-]?[0-9]{1,2}", which, re.ASCII)):
            raise _refused(f"BYDAY={each} is not understood; 1MO or -1FR go with MONTHLY and YEARLY only")
        if which and not int(which):
            raise _refused(f"BYDAY={each}: there is no weekday number 0")
        found.add((int(which or "0"), _weekday(each[-2:])))
    return frozenset(found)


def _weekday(text: str) -> int:
    if text not in _WEEKDAYS:
        raise _refused(f"{text!r} is not a weekday; they are {', '.join(_WEEKDAYS)}")
    return _WEEKDAYS.index(text)


def _from_start(rule: Rule) -> Rule:
    """The rule with what follows from its start written out."""
    if rule.month_days or rule.year_days or rule.weekdays:
        return rule
    day = rule.start.day
    if rule.frequency == "WEEKLY":
        return replace(rule, weekdays=frozenset({(0, rule.start.weekday())}))
    if rule.frequency == "DAILY":
        return rule
    months = rule.months or (frozenset({rule.start.month}) if rule.frequency == "YEARLY" else rule.months)
    if day > 28 and not rule.positions and (rule.frequency == "MONTHLY" or len(months) == 1):
        return replace(rule, months=months, month_days=frozenset(range(28, day + 1)), positions=(-1,))
    return replace(rule, months=months, month_days=frozenset({day}))


def _refused(detail: str) -> RuleRefused:
    return RuleRefused(detail, field="/rrule")


def whole_period(rule: Rule, day: date) -> Days:
    """The period that a day lies in. Before the first occurrence ever, the days up to it are one."""
    start, after = rule.last_until(day), rule.first_after(day)
    return Days(start or rule.start, after - ONE_DAY if after else date.max)


def ends_after(rrule_text: str, starts_on: date, count: int) -> date:
    """The last day of so many periods, the first of which may be a part of one."""
    rule = read_rule(rrule_text, starts_on)
    day = starts_on
    for _ in range(count):
        day = whole_period(rule, day).last + ONE_DAY
    return day - ONE_DAY
