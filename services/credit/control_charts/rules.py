"""Control charts of how late customers pay: has the level gone up, or is it the usual scatter?

The chart is the exponentially weighted moving average of D. C. Montgomery, *Introduction to Statistical Quality
Control*, section 9.2 (also NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.4), upwards only. What a payment is
held against is the customer's own earlier ones, mixed with its segment's by credibility (H. Bühlmann's Z = n / (n + k),
k the variance within customers over that between them; S. Klugman, H. Panjer, G. Willmot, *Loss Models*, "Greatest
accuracy credibility theory"). Days are days beyond terms: after due, early payments below zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import ceil, floor, sqrt
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Design:
    """How the chart is set up; lengths in spreads (standard deviations) where nothing else is said.

    With a smoothing of 0.2 and a limit of 2.4 a customer whose habits do not change gives a false alarm once in about
    150 payments, and one who begins to pay one spread later is found after about 7.
    """

    smoothing: float = 0.2
    limit: float = 2.4
    clipped_at: float = 3.0
    """A single payment counts as no further off than this, so that one alone is no drift."""
    own_payments_min: int = 4
    """The first payments of a customer say how it pays; the next are held against them."""
    segment_counts_as: int = 6
    """The segment's spread weighs as much as this many payments of the customer's own."""
    spread_days_min: float = 3.0
    """Weekends and bank days make that much scatter in the most punctual customer."""
    new_level_after: int = 12
    """So many payments in a row beyond the limit are no drift any more: they are how the customer pays now."""

    @property
    def limit_smoothed(self) -> float:
        """The limit for the average, L sqrt(s / (2 - s)), s being the smoothing: that of an average long under way. A
        narrower one for the first points would alarm at a single late payment."""
        return self.limit * sqrt(self.smoothing / (2 - self.smoothing))


DESIGN = Design()


@dataclass(frozen=True, slots=True)
class Sums:
    """Payments of one segment, summed up: how many customers n and payments N, the sum of days, the squares of days
    about each customer's own mean, the sum over customers of (sum of days)^2 / payments, and of payments^2."""

    customers: int = 0
    payments: int = 0
    days: float = 0.0
    squares_within: float = 0.0
    squares_of_sums: float = 0.0
    payments_squared: float = 0.0


@dataclass(frozen=True, slots=True)
class Norm:
    """How late a segment pays: the mean in days, the variance of a customer's payments about its own mean, and that of
    the customers' means."""

    mean_days: float
    within: float
    between: float

    @property
    def k(self) -> float:
        """So many payments of its own count as much as all that is known of the segment."""
        return self.within / self.between


UNKNOWN = Norm(mean_days=0.0, within=64.0, between=100.0)
"""Where there is too little to know a segment by: due dates are kept, give or take eight days, and customers differ."""
PAYMENTS_MIN, CUSTOMERS_MIN = 20, 5
BETWEEN_MIN = 1.0


def norm_of(sums: Sums, design: Design = DESIGN) -> Norm | None:
    """The unbiased estimators of the Bühlmann-Straub model; None where there are too few payments or customers."""
    if sums.payments < PAYMENTS_MIN or sums.customers < CUSTOMERS_MIN or sums.payments == sums.customers:
        return None
    mean = sums.days / sums.payments
    within = max(sums.squares_within / (sums.payments - sums.customers), design.spread_days_min**2)
    spread = sums.squares_of_sums - sums.days**2 / sums.payments - (sums.customers - 1) * within
    between = spread / (sums.payments - sums.payments_squared / sums.payments)
    return Norm(mean, within, max(between, BETWEEN_MIN))


@dataclass(frozen=True, slots=True)
class Point:
    """One invoice: how many days beyond terms it was paid on `seen_on`, or already is on that day while it is still
    open, in which case it will be at least as many."""

    invoice_id: UUID
    due_date: date
    seen_on: date
    still_open: bool = False

    @property
    def days(self) -> int:
        return (self.seen_on - self.due_date).days


@dataclass(frozen=True, slots=True)
class Plotted:
    """A point on the chart: what was expected of it, give or take `spread_days`, the average up to it in spreads above
    what is expected, and the limit for that."""

    point: Point
    expected_days: float
    spread_days: float
    smoothed: float
    limit: float

    @property
    def smoothed_days(self) -> float:
        return self.expected_days + self.smoothed * self.spread_days

    @property
    def limit_days(self) -> float:
        return self.expected_days + self.limit * self.spread_days


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the next payment is held against: `own_payments` with their mean and squares about it, and what they and the
    segment say together."""

    own_payments: int
    own_mean: float
    squares: float
    norm: Norm
    design: Design

    @property
    def own_weight(self) -> float:
        return self.own_payments / (self.own_payments + self.norm.k)

    @property
    def expected_days(self) -> float:
        return self.own_weight * self.own_mean + (1 - self.own_weight) * self.norm.mean_days

    @property
    def spread_days(self) -> float:
        """Of one payment about `expected_days`, the doubt about that included."""
        weight, own = self.design.segment_counts_as, max(self.own_payments - 1, 0)
        variance = (self.squares + weight * self.norm.within) / (own + weight)
        floored = max(variance, self.design.spread_days_min**2)
        return sqrt(floored * (1 + 1 / (self.own_payments + self.norm.k)))

    def with_payment(self, days: int) -> Baseline:
        payments = self.own_payments + 1
        mean = self.own_mean + (days - self.own_mean) / payments
        squares = self.squares + (days - self.own_mean) * (days - mean)
        return replace(self, own_payments=payments, own_mean=mean, squares=squares)


@dataclass(frozen=True, slots=True)
class Chart:
    """All points in order, the baseline for the next one, whether the average is beyond the limit and has not come back
    to half of it since, and when the baseline last began anew at another level."""

    plotted: tuple[Plotted, ...]
    baseline: Baseline
    is_drifting: bool
    new_level_on: date | None

    @property
    def last(self) -> Plotted | None:
        return self.plotted[-1] if self.plotted else None


@dataclass(slots=True)
class _Pen:
    """Where the chart stands while it is drawn; `beyond` are the payments since it went over the limit."""

    baseline: Baseline
    smoothed: float = 0.0
    is_drifting: bool = False
    beyond: list[int] | None = None
    new_level_on: date | None = None

    def draw(self, point: Point) -> Plotted | None:
        baseline, design = self.baseline, self.baseline.design
        expected, spread = baseline.expected_days, baseline.spread_days
        if point.still_open and point.days <= expected:
            return None  # It may still be paid no later than usual, so it says nothing yet.
        if point.still_open or baseline.own_payments >= design.own_payments_min:
            self.smoothed = average(self.smoothed, (point.days - expected) / spread, design)
        drawn = Plotted(point, expected, spread, self.smoothed, design.limit_smoothed)
        self.is_drifting = drifts(self.is_drifting, drawn.smoothed, drawn.limit)
        if not point.still_open:
            self._learn(point)
        return drawn

    def _learn(self, point: Point) -> None:
        """What is beyond the limit never becomes what the next is held against, unless it stays there."""
        if not self.is_drifting:
            self.beyond = None
            self.baseline = self.baseline.with_payment(point.days)
            return
        self.beyond = [*(self.beyond or ()), point.days]
        if len(self.beyond) >= self.baseline.design.new_level_after:
            baseline = replace(self.baseline, own_payments=0, own_mean=0.0, squares=0.0)
            for days in self.beyond:
                baseline = baseline.with_payment(days)
            self.baseline, self.new_level_on = baseline, point.seen_on
            self.smoothed, self.is_drifting, self.beyond = 0.0, False, None


def drifts(did: bool, smoothed: float, limit: float) -> bool:
    """A drift begins beyond the limit and goes on until the average is back at half of it, so that it is told once."""
    return smoothed > limit or (did and smoothed > limit / 2)


def average(smoothed: float, off: float, design: Design = DESIGN) -> float:
    """The next value of the average, never below zero: who pays earlier for a while has no credit to use up first."""
    clipped = max(min(off, design.clipped_at), -design.clipped_at)
    return max(design.smoothing * clipped + (1 - design.smoothing) * smoothed, 0.0)


def draw(
    paid: Iterable[Point], still_open: Sequence[Point], norm: Norm | None = None, design: Design = DESIGN
) -> Chart:
    """The chart of a customer: its payments in the order in which they were seen, then what is open and later than
    usual already. Any order of the same points gives the same chart."""
    pen, drawn = _of_payments(paid, norm, design)
    drawn += [pen.draw(point) for point in sorted(still_open, key=_by_due_date)]
    return Chart(tuple(each for each in drawn if each), pen.baseline, pen.is_drifting, pen.new_level_on)


def _of_payments(paid: Iterable[Point], norm: Norm | None, design: Design) -> tuple[_Pen, list[Plotted | None]]:
    pen = _Pen(Baseline(0, 0.0, 0.0, norm or UNKNOWN, design))
    return pen, [pen.draw(point) for point in sorted(paid, key=lambda p: (p.seen_on, p.due_date, p.invoice_id))]


def _by_due_date(point: Point) -> tuple[date, UUID]:
    return point.due_date, point.invoice_id


OPEN_MAX = 50
"""Of so many open invoices, the oldest, the day is found on which they alone would be a drift."""


def drifts_on(
    paid: Iterable[Point], still_open: Sequence[Point], norm: Norm | None = None, design: Design = DESIGN
) -> date | None:
    """The first day on which open invoices, due or not yet due, take a chart over its limit if nothing more is paid;
    not before the day after that on which they are seen. None where they never do, or where it is over already."""
    pen, _ = _of_payments(paid, norm, design)
    oldest = sorted(still_open, key=_by_due_date)[:OPEN_MAX]
    if pen.is_drifting or not oldest:
        return None
    expected, spread = pen.baseline.expected_days, pen.baseline.spread_days
    first = max(oldest[0].seen_on, oldest[0].due_date + timedelta(days=floor(expected)))
    last = oldest[-1].due_date + timedelta(days=ceil(expected + design.clipped_at * spread))
    for offset in range(1, (last - first).days + 1):
        later = replace(pen)
        day = first + timedelta(days=offset)
        for point in oldest:
            later.draw(replace(point, seen_on=day))
        if later.is_drifting:
            return day
    return None
