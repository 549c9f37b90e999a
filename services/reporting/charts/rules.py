"""The geometry of charts, worked out before they are drawn.

Everything is in percent of the chart's box, so that one drawing fits a phone and a wall.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import ceil, floor, log10
from typing import NamedTuple

from babel.numbers import format_compact_decimal

from shared.money import exponent

BUCKET_LABELS = (
    ("current", "Not yet due"),
    ("d1_30", "1–30 days late"),
    ("d31_60", "31–60 days late"),
    ("d61_90", "61–90 days late"),
    ("d91_plus", "91+ days late"),
)


def percent(part: int, whole: int) -> float:
    """For widths and labels, not for figures that are handed on."""
    return round(part * 100 / whole, 2) if whole else 0.0


def month_words(day: date) -> str:
    """Jun ’13."""
    return f"{day:%b ’%y}"


class Bar(NamedTuple):
    """A bucket as a bar. `length` is percent of the longest bar, `share` percent of the whole; `held` is the part of
    the bar that is disputed or waits for a plan's dates, in percent of the longest too."""

    key: str
    label: str
    minor: int
    share: float
    length: float
    disputed_minor: int
    on_plan_minor: int
    held: float


def bars(split: Sequence[int], disputed: Sequence[int], on_plan: Sequence[int]) -> list[Bar]:
    whole, longest = sum(split), max(split, default=0)
    return [
        Bar(key, label, minor, percent(minor, whole), percent(minor, longest), of, on, percent(of + on, longest))
        for (key, label), minor, of, on in zip(BUCKET_LABELS, split, disputed, on_plan, strict=True)
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


class Column(NamedTuple):
    """A column of a chart in percent from the left and the top, and the ends of its range where it has one."""

    x: float
    width: float
    y: float
    height: float
    low_y: float | None = None
    high_y: float | None = None

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 2)


@dataclass(frozen=True, slots=True)
class ColumnChart:
    columns: Sequence[Column]
    y_ticks: Sequence[tuple[str, float]]


def column_chart(
    values: Sequence[int], currency: str, ranges: Sequence[tuple[int, int] | None] | None = None
) -> ColumnChart | None:
    """Columns side by side from zero upwards, minor units; what is negative has no height. None without anything to
    draw."""
    spans = ranges or [None] * len(values)
    scale = 10 ** exponent(currency)
    highest = max((max(value, span[1] if span else 0) for value, span in zip(values, spans, strict=True)), default=0)
    if highest <= 0:
        return None
    step, top = _scale(highest / scale)
    each = 100 / len(values)

    def down(minor: int) -> float:
        return round(100 - max(minor, 0) * 100 / scale / top, 2)

    return ColumnChart(
        columns=[
            Column(
                round(index * each + each * 0.16, 2),
                round(each * 0.68, 2),
                down(value),
                round(100 - down(value), 2),
                down(span[0]) if span else None,
                down(span[1]) if span else None,
            )
            for index, (value, span) in enumerate(zip(values, spans, strict=True))
        ],
        y_ticks=[(compact(tick), round(100 - tick * 100 / top, 2)) for tick in _ticks(step, top)],
    )


def compact(value: float) -> str:
    """1.2M, 50K: for axes."""
    return format_compact_decimal(value, locale="en", fraction_digits=1).replace(".0", "")


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
