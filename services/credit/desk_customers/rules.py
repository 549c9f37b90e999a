"""What the pages of customers show: rows of the list, and the charts of a credit file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from services.credit.control_charts.rules import Chart, Plotted
from services.credit.exposure.rules import Breakdown
from services.credit.vetting.rules import Kept, Passed
from shared.money import Money
from shared.words import day_words

Tone = Literal["open", "part", "bad", "reserved", "total"]


@dataclass(frozen=True, slots=True)
class Search:
    """What the list is narrowed by; what is empty narrows nothing. `risk_class` "none" is who was never assessed."""

    text: str = ""
    risk_class: str = ""
    segment: str = ""
    currency: str = ""
    held: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    id: UUID
    name: str
    external_id: str
    status: str
    segment: str
    limit: Money
    held: tuple[str, ...]
    risk_class: str | None
    score: int | None


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of the exposure chart; `width` is in percent of the chart."""

    label: str
    amount: Money
    width: float
    tone: Tone


@dataclass(frozen=True, slots=True)
class Bars:
    """What counts against the limit and its parts on one scale; `limit_at` is where the limit is, in percent."""

    bars: tuple[Bar, ...]
    limit_at: float


def bars_of(exposure: Breakdown, limit: Money) -> Bars:
    """Open and reserved amounts and what other currencies come to add up to the total; overdue, disputed and on plan
    are parts of what is open and may overlap, so that each has a bar of its own."""
    own = next((each for each in exposure.components if each.open.currency == limit.currency), None)
    others = exposure.total - own.open - own.reserved if own else exposure.total
    wanted: list[tuple[str, Money, Tone]] = [("Counts against the limit", exposure.total, "total")]
    if own:
        wanted.append(("Open on invoices", own.open, "open"))
        wanted.append(("of it overdue", own.overdue, "bad"))
        wanted.append(("of it disputed", own.disputed, "part"))
        wanted.append(("of it on a plan", own.on_plan, "part"))
        wanted.append(("Reserved for orders", own.reserved, "reserved"))
    if others.minor:
        wanted.append(("In other currencies", others, "open"))
    scale = max(limit.minor, exposure.total.minor, 1)
    return Bars(
        tuple(Bar(label, money, _width(money.minor, scale), tone) for label, money, tone in wanted),
        _width(limit.minor, scale),
    )


def _width(minor: int, scale: int) -> float:
    return round(max(minor, 0) * 100 / scale, 2)


@dataclass(frozen=True, slots=True)
class Dot:
    """A payment on the drift chart, its place in percent from left and top."""

    x: float
    y: float
    smoothed_y: float
    limit_y: float
    beyond: bool
    still_open: bool
    says: str


@dataclass(frozen=True, slots=True)
class Curve:
    """`zero_y` is where payments on the due date are; `top_days` and `bottom_days` what the edges stand for."""

    dots: tuple[Dot, ...]
    zero_y: float
    top_days: int
    bottom_days: int


SHOWN_POINTS = 60


def curve_of(chart: Chart) -> Curve | None:
    """The last payments, the oldest on the left; None where there is none."""
    plotted = chart.plotted[-SHOWN_POINTS:]
    if not plotted:
        return None
    levels = [
        level
        for each in plotted
        for level in (each.point.days, each.limit_days, each.smoothed_days, each.expected_days)
    ]
    top, bottom = int(max(*levels, 0)) + 2, int(min(*levels, 0)) - 2

    def height(days: float) -> float:
        return round((top - days) * 100 / (top - bottom), 2)

    def dot(place: int, each: Plotted) -> Dot:
        point = each.point
        when = f"{point.days} days beyond terms on {day_words(point.seen_on)}, {round(each.expected_days)} expected"
        return Dot(
            x=round((place + 0.5) * 100 / len(plotted), 2),
            y=height(point.days),
            smoothed_y=height(each.smoothed_days),
            limit_y=height(each.limit_days),
            beyond=each.smoothed > each.limit,
            still_open=point.still_open,
            says=f"{when}, still open" if point.still_open else when,
        )

    return Curve(tuple(dot(place, each) for place, each in enumerate(plotted)), height(0), top, bottom)


@dataclass(frozen=True, slots=True)
class InputRow:
    """`passed` says why it does not count; `soon` that it counts no longer in a month."""

    kept: Kept
    passed: Passed | None
    soon: bool


def input_rows(found: Sequence[Kept], passed: Mapping[UUID, Passed], today: date) -> list[InputRow]:
    return [
        InputRow(
            each,
            passed.get(each.input.id),
            each.input.id not in passed and (each.input.expires_on - today).days <= 30,
        )
        for each in found
    ]
