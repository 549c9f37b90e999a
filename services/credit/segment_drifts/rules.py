"""How a segment pays as a whole: what is usual in it, and whether all of it together pays later from week to week."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import sqrt
from uuid import UUID, uuid5

from services.credit.control_charts.rules import DESIGN, Design, Norm, Sums, average, drifts, norm_of
from shared.calendar import add_months
from shared.events.credit import (
    DriftWeek,
    SegmentDriftDetected,
    SegmentDriftEnded,
    SegmentDriftState,
)
from shared.events.event import Event

SEGMENTS_KEY = UUID("7a0e6a1c-58c2-5d1e-9d0b-2f7c4f1be602")
"""Stands for the customer in events of segments, which belong to none."""
EVERYBODY = "*"
"""Stands for a segment where the whole book is meant."""
MONTHS = 24
WEEKS_SHOWN = 26
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class CustomerWeek:
    """What one customer paid in a week, beside what it paid in the two years before: numbers, and sums of days beyond
    terms."""

    earlier_payments: int
    earlier_days: int
    payments: int
    days: int


@dataclass(frozen=True, slots=True)
class Week:
    """A segment's week up to `week_on`, a Monday, that day not included. `deviation` is about a standard normal figure
    while everybody pays as ever."""

    week_on: date
    payments: int
    deviation: float


@dataclass(frozen=True, slots=True)
class SegmentDrift:
    """Where a segment's chart stands; `since` is the Monday on which the running drift was found."""

    segment: str
    version: int = 0
    since: date | None = None
    smoothed: float = 0.0


def first_monday(today: date) -> datetime:
    """The start of the next week: of the one that then ended everything is known."""
    return datetime.combine(today + timedelta(days=7 - today.weekday()), time(), UTC)


def window(monday: date) -> tuple[date, date]:
    """The first day of which payments still count, and the first of the week that ends before this Monday."""
    return add_months(monday, -MONTHS), monday - _WEEK


def norms(sums: Mapping[str, Sums]) -> dict[str, Norm]:
    """What is usual in each segment, and under EVERYBODY in the whole book; those with too little to say are left out
    and go by the book."""
    known = {segment: norm_of(each) for segment, each in sums.items()}
    return {segment: norm for segment, norm in known.items() if norm}


def norm_for(segment: str, known: Mapping[str, Norm]) -> Norm | None:
    return known.get(segment) or known.get(EVERYBODY)


def deviation(customers: Iterable[CustomerWeek], norm: Norm) -> float:
    """How much later than expected all payments of a week were together, over the spread of that sum.

    Expected is each customer's own mean before the week, mixed with its segment's; the doubt about that mean is the
    same in all payments of the customer's week and does not average out.
    """
    later = variance = 0.0
    for each in customers:
        known = each.earlier_payments + norm.k
        expected = (each.earlier_days + norm.k * norm.mean_days) / known
        later += each.days - each.payments * expected
        variance += norm.within * (each.payments + each.payments**2 / known)
    return later / sqrt(variance) if variance else 0.0


def follow(before: SegmentDrift, week: Week, design: Design = DESIGN) -> SegmentDrift:
    """Draw one more week. A new version where a drift begins or ends."""
    smoothed = average(before.smoothed, week.deviation, design)
    goes_on = drifts(before.since is not None, smoothed, design.limit_smoothed)
    return SegmentDrift(
        segment=before.segment,
        version=before.version + (goes_on != (before.since is not None)),
        since=(before.since or week.week_on) if goes_on else None,
        smoothed=smoothed,
    )


def told(before: SegmentDrift, after: SegmentDrift, weeks: Sequence[Week], today: date) -> list[Event]:
    """The event of a drift that began or ended; nothing while it goes on. `weeks` go from the oldest to the newest."""
    if after.version == before.version:
        return []
    about = {
        "customer_id": SEGMENTS_KEY,
        "effective_on": weeks[-1].week_on,
        "booked_on": today,
        "drift": SegmentDriftState(
            id=uuid5(SEGMENTS_KEY, after.segment),
            version=after.version,
            segment=after.segment,
            status="drifting" if after.since else "steady",
            since=after.since,
            smoothed=f"{after.smoothed:.2f}",
            limit=f"{DESIGN.limit_smoothed:.2f}",
        ),
    }
    if after.since is None:
        return [SegmentDriftEnded(**about)]
    shown = tuple(
        DriftWeek(from_day=week.week_on - _WEEK, payments=week.payments, deviation=f"{week.deviation:.2f}")
        for week in weeks[-WEEKS_SHOWN:]
    )
    return [SegmentDriftDetected(**about, weeks=shown)]
