"""What the pages show, worked out before they are drawn: words for amounts and days, and the geometry of charts.

Charts are drawn in percent of their box, so that one drawing fits a phone and a wall.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import ceil, floor, log10
from typing import NamedTuple

from babel.numbers import format_currency, format_decimal, get_currency_symbol

from shared.calendar import add_months, month_end
from shared.money import Money, exponent

BUCKET_LABELS = (
    ("current", "Not yet due"),
    ("d1_30", "1–30 days late"),
    ("d31_60", "31–60 days late"),
    ("d61_90", "61–90 days late"),
    ("d91_plus", "91+ days late"),
)

WHOLE_FROM = 10_000
"""From this many currency units on, a page leaves the decimals away; the exact amount is in the tooltip."""

TONES = ("friendly", "firm", "formal")


def day_words(day: date) -> str:
    """30 Jun 2013."""
    return f"{day.day} {day:%b %Y}"


def month_words(day: date) -> str:
    """Jun ’13."""
    return f"{day:%b ’%y}"


def day_near(day: date, other: date) -> str:
    """30 Jun, with the year only where it is not that of the other day at hand."""
    return f"{day.day} {day:%b}" if day.year == other.year else day_words(day)


def amount(minor: int, currency: str, *, whole: bool = False) -> str:
    """€1,234,567 or €1,234.50; the code in place of a symbol that is not widely read."""
    value = Money(minor, currency).decimal
    symbol = "¤\xa0" if get_currency_symbol(currency, locale="en")[-1:].isalpha() else "¤"
    if whole:
        return format_currency(value, currency, f"{symbol}#,##0", locale="en", currency_digits=False)
    return format_currency(value, currency, f"{symbol}#,##0.00", locale="en")


def signed(money: Money) -> str:
    return ("+" if money.minor > 0 else "") + amount(money.minor, money.currency).replace("-", "−")


def shows_whole(minor: int, currency: str) -> bool:
    return abs(minor) >= WHOLE_FROM * 10 ** exponent(currency)


def number(value: Decimal | int | None, places: int = 1) -> str:
    """A figure for people: 1,234.5; a dash for none."""
    if value is None:
        return "–"
    return format_decimal(value, format="#,##0" + ("." + "0" * places if places else ""), locale="en")


def percent(part: int, whole: int) -> float:
    """For widths and labels, not for figures that are handed on."""
    return round(part * 100 / whole, 2) if whole else 0.0


def days_late(days: int) -> str:
    if days <= 0:
        return "due today" if days == 0 else f"due in {-days} day{'s' if days < -1 else ''}"
    return f"{days} day{'s' if days > 1 else ''} late"


class Bar(NamedTuple):
    """One bar of a chart. `length` is percent of the longest bar, `share` percent of the whole."""

    key: str
    label: str
    minor: int
    share: float
    length: float


def bars(split: Sequence[int]) -> list[Bar]:
    whole, longest = sum(split), max(split, default=0)
    return [
        Bar(key, label, minor, percent(minor, whole), percent(minor, longest))
        for (key, label), minor in zip(BUCKET_LABELS, split, strict=True)
    ]


class Slice(NamedTuple):
    """A part of a stacked bar, in percent of its width."""

    key: str
    label: str
    start: float
    width: float
    minor: int


def stacked(split: Sequence[int], scale_minor: int) -> list[Slice]:
    """The buckets side by side; a bar of `scale_minor` would fill the width."""
    slices, at = [], 0
    for (key, label), minor in zip(BUCKET_LABELS, split, strict=True):
        if minor > 0:
            slices.append(Slice(key, label, percent(at, scale_minor), percent(minor, scale_minor), minor))
            at += minor
    return slices


class Place(NamedTuple):
    """A point of a line chart in percent from the left and the top."""

    x: float
    y: float
    value: Decimal
    on: date


@dataclass(frozen=True, slots=True)
class LineChart:
    """Lines as SVG path data in a box of 1000 by 1000, stretched to whatever shape it is shown in."""

    lines: Mapping[str, str]
    places: Mapping[str, Sequence[Place]]
    between: str
    y_ticks: Sequence[tuple[str, float]]
    x_ticks: Sequence[tuple[str, float]]


def line_chart(days: Sequence[date], series: Mapping[str, Sequence[Decimal | None]]) -> LineChart | None:
    """Draw series over the same days, evenly spaced; days without a value leave a gap, but the chart begins with the
    first value. The area between the first two series is drawn too where both have a value. None when there are fewer
    than two values to connect."""
    begin = next((i for i in range(len(days)) if any(line[i] is not None for line in series.values())), 0)
    days, series = days[begin:], {name: line[begin:] for name, line in series.items()}
    values = [value for line in series.values() for value in line if value is not None]
    if len(days) < 2 or len(values) < 2:
        return None
    step, top = _scale(float(max(values)))

    def place(index: int, value: Decimal) -> Place:
        share = float(value) / top
        return Place(round(index * 100 / (len(days) - 1), 2), round(100 - share * 100, 2), value, days[index])

    places = {
        name: [place(index, value) for index, value in enumerate(line) if value is not None]
        for name, line in series.items()
    }
    every = max(1, ceil(len(days) / 8))
    last = len(days) - 1
    return LineChart(
        lines={
            name: _path(line, [place(i, v) if v is not None else None for i, v in enumerate(line)])
            for name, line in series.items()
        },
        places=places,
        between=_between(list(places.values())),
        y_ticks=[(f"{tick:g}", round(100 - tick * 100 / top, 2)) for tick in _ticks(step, top)],
        x_ticks=[
            (month_words(day), round(index * 100 / last, 2))
            for index, day in enumerate(days)
            if (last - index) % every == 0
        ],
    )


def _scale(highest: float) -> tuple[float, float]:
    """A step of 1, 2 or 5 times a power of ten that makes at most five of them, and where the axis ends."""
    if highest <= 0:
        return 1.0, 1.0
    rough = highest / 4.5
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return step, ceil(highest / step) * step


def _ticks(step: float, top: float) -> list[float]:
    return [step * n for n in range(round(top / step) + 1)]


def _path(line: Sequence[Decimal | None], places: Sequence[Place | None]) -> str:
    parts, pen_down = [], False
    for place in places:
        if place is None:
            pen_down = False
            continue
        parts.append(f"{'L' if pen_down else 'M'}{place.x * 10:g} {place.y * 10:g}")
        pen_down = True
    return " ".join(parts)


def _between(lines: Sequence[Sequence[Place]]) -> str:
    if len(lines) < 2:
        return ""
    upper = {place.x: place for place in lines[0]}
    lower = {place.x: place for place in lines[1]}
    both = sorted(upper.keys() & lower.keys())
    if len(both) < 2:
        return ""
    there = [f"{x * 10:g} {upper[x].y * 10:g}" for x in both]
    back = [f"{x * 10:g} {lower[x].y * 10:g}" for x in reversed(both)]
    return "M" + " L".join(there + back) + " Z"


@dataclass(frozen=True, slots=True)
class Change:
    """How a figure moved since an earlier day; `worse` says in which colour to show it."""

    words: str
    since: date
    worse: bool


def change(now: Decimal | None, before: Decimal | None, since: date, *, higher_is_worse: bool = True) -> Change | None:
    if now is None or before is None:
        return None
    delta = now - before
    if abs(delta) < Decimal("0.05"):
        return Change("unchanged", since, False)
    arrow = "▲" if delta > 0 else "▼"
    return Change(f"{arrow} {number(abs(delta))}", since, (delta > 0) == higher_is_worse)


def read_day(text: str | None, today: date) -> date:
    """The day of the page's address; today where it holds none that can be read."""
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return today
    return day if date(1970, 1, 2) <= day <= date(2999, 12, 31) else today


def month_end_before(day: date) -> date:
    return month_end(add_months(day, -1))


def month_end_after(day: date) -> date:
    return month_end(day) if day != month_end(day) else month_end(day + timedelta(days=1))


def read_place(text: str | None) -> tuple[date, int] | None:
    """Where a timeline page starts, `2013-06-30.1234` (day, feed number); None where it holds none."""
    day, _, seq = (text or "").rpartition(".")
    try:
        return date.fromisoformat(day), min(int(seq), 2**63 - 1)
    except ValueError:
        return None


def step_order(step: tuple[str, str, int]) -> tuple[int, int]:
    """Friendlier first, then the more frequent; a tone not known here comes last."""
    _, tone, messages = step
    return (TONES.index(tone) if tone in TONES else len(TONES), -messages)


def words(name: str) -> str:
    """An identifier for people: `first_reminder` reads "First reminder"."""
    text = name.replace("_", " ").replace("-", " ").strip()
    return text[:1].upper() + text[1:]
