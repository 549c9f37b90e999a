"""The chart that tells a drift from scatter: its limits, what a payment is held against, and what no chart may do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from random import Random
from statistics import mean, variance
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.credit.control_charts.rules import (
    DESIGN,
    UNKNOWN,
    Design,
    Norm,
    Point,
    Sums,
    average,
    draw,
    drifts,
    drifts_on,
    norm_of,
)

START = date(2026, 1, 5)
PUNCTUAL = Norm(mean_days=0.0, within=25.0, between=25.0)


def paid(*days: int, every: int = 7) -> list[Point]:
    """One payment a week, each so many days beyond terms."""
    return [
        Point(UUID(int=number), START + timedelta(every * number - late), START + timedelta(every * number))
        for number, late in enumerate(days)
    ]


def unpaid(due_on: date, today: date) -> Point:
    return Point(uuid4(), due_on, today, still_open=True)


def test_the_limit_is_that_of_the_worked_example_of_the_nist_handbook() -> None:
    """NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.4: 50 on average, s = 2.0539, lambda = 0.3, k = 3."""
    limit = Design(smoothing=0.3, limit=3).limit_smoothed

    assert round(50 + limit * 2.0539, 4) == pytest.approx(52.5884, abs=0.0005)


@pytest.mark.parametrize(
    ("did", "smoothed", "does"),
    [(False, 0.8, False), (False, 0.81, True), (True, 0.41, True), (True, 0.4, False), (True, 0.8, True)],
)
def test_a_drift_begins_beyond_the_limit_and_ends_at_half_of_it(did: bool, smoothed: float, does: bool) -> None:
    assert drifts(did, smoothed, 0.8) is does


def runs(shift: float, count: int) -> list[int]:
    """Payments up to the first alarm, of customers whose habits are known."""
    dice, lengths = Random(7), list[int]()
    for _ in range(count):
        smoothed, length = 0.0, 0
        while smoothed <= DESIGN.limit_smoothed:
            length += 1
            smoothed = average(smoothed, dice.gauss(shift, 1))
        lengths.append(length)
    return lengths


def test_the_design_alarms_wrongly_once_in_150_payments_and_finds_a_shift_of_one_spread_after_7() -> None:
    assert mean(runs(0, 400)) == pytest.approx(150, rel=0.15)
    assert mean(runs(1, 400)) == pytest.approx(7, rel=0.15)


def test_who_pays_as_ever_does_not_drift_and_who_pays_two_weeks_later_does_after_a_few_payments() -> None:
    usual = [2, -1, 4, 0, 3, -2, 1, 2, 0, 3, -1, 2]

    assert not draw(paid(*usual), (), PUNCTUAL).is_drifting
    slower = draw(paid(*usual, 14, 16, 13), (), PUNCTUAL)

    assert slower.is_drifting
    last = slower.plotted[-1]
    assert last.smoothed_days > last.limit_days > last.expected_days
    assert slower.baseline.own_payments == 13, "what is beyond the limit is not what the next is held against"


def test_a_single_late_payment_is_no_drift() -> None:
    assert not draw(paid(*[1, 0, 2, -1, 1, 0, 2, 1], 60, 0, 1), (), PUNCTUAL).is_drifting


def test_few_payments_are_held_against_the_segment_and_many_against_themselves() -> None:
    norm = Norm(mean_days=0.0, within=36.0, between=12.0)

    weights = [draw(paid(*[20] * count), (), norm).baseline for count in (0, 1, 3)]

    assert [round(each.own_weight, 2) for each in weights] == [0.0, 0.25, 0.5]
    assert [each.expected_days for each in weights] == [0.0, 5.0, 10.0]


def test_twelve_late_payments_in_a_row_are_how_the_customer_pays_now() -> None:
    usual, late = [0] * 10, [20] * 16

    moved = [draw(paid(*usual, *late[:count]), (), PUNCTUAL) for count in range(1, 16)]

    assert moved[5].is_drifting
    at = next(number for number, chart in enumerate(moved) if chart.new_level_on)
    assert not moved[at].is_drifting
    assert moved[at].baseline.expected_days == pytest.approx(20, abs=2)
    assert not moved[-1].is_drifting


def test_what_is_open_counts_once_it_is_later_than_usual_and_is_at_least_that_late() -> None:
    usual = paid(*[10, 12, 8, 11, 9, 10, 12, 9])
    today = START + timedelta(100)

    def chart(late_days: int, invoices: int) -> bool:
        open_ones = [unpaid(today - timedelta(late_days), today) for _ in range(invoices)]
        return draw(usual, open_ones, PUNCTUAL).is_drifting

    assert not chart(10, 3), "it always pays about ten days late"
    assert chart(40, 3)
    assert len(draw(usual, [unpaid(today - timedelta(3), today)], PUNCTUAL).plotted) == len(usual)


def test_the_day_on_which_open_invoices_become_a_drift_is_known_beforehand_to_the_day() -> None:
    usual, due_on = paid(*[1, 0, 2, -1, 1, 0]), START + timedelta(60)
    today = due_on - timedelta(5)
    open_ones = [unpaid(due_on, today), unpaid(due_on + timedelta(3), today)]

    day = drifts_on(usual, open_ones, PUNCTUAL)

    assert day
    as_of = [
        draw(usual, [replace(point, seen_on=each) for point in open_ones], PUNCTUAL).is_drifting
        for each in (day - timedelta(1), day, day + timedelta(1))
    ]
    assert as_of == [False, True, True]
    assert drifts_on(usual, (), PUNCTUAL) is None
    assert drifts_on(usual, [unpaid(due_on, today)], Norm(0.0, 25.0, 25.0), replace(DESIGN, limit=9)) is None


POINTS = st.lists(st.integers(-30, 120), min_size=1, max_size=25)


@settings(max_examples=40, deadline=None)
@given(POINTS, st.randoms(use_true_random=False))
def test_the_order_in_which_payments_are_heard_of_changes_nothing(days: list[int], dice: Random) -> None:
    points = paid(*days, every=2)
    shuffled = dice.sample(points, len(points))

    assert draw(shuffled, ()) == draw(points, ())


@settings(max_examples=40, deadline=None)
@given(POINTS, POINTS)
def test_what_comes_later_does_not_change_what_was_drawn_before(days: list[int], more: list[int]) -> None:
    before, after = draw(paid(*days), ()), draw(paid(*days, *more), ())

    assert after.plotted[: len(before.plotted)] == before.plotted


def test_a_norm_is_the_mean_and_the_variance_within_and_between_customers() -> None:
    """With as many payments each, the estimators are those of an analysis of variance."""
    customers = [[0, 2, 4, 2], [10, 14, 12, 12], [-6, -2, -4, -4], [20, 22, 18, 20], [5, 5, 7, 7]]
    sums = Sums(
        customers=len(customers),
        payments=sum(map(len, customers)),
        days=sum(map(sum, customers)),
        squares_within=sum(variance(days) * 3 for days in customers),
        squares_of_sums=sum(sum(days) ** 2 / 4 for days in customers),
        payments_squared=sum(len(days) ** 2 for days in customers),
    )

    norm = norm_of(sums)

    assert norm
    assert norm.mean_days == mean(mean(days) for days in customers)
    assert norm.within == 9.0, "never less than three days squared"
    assert norm.between == pytest.approx(variance([mean(days) for days in customers]) - 9.0 / 4)
    assert norm_of(replace(sums, customers=4)) is None
    assert norm_of(Sums()) is None


def test_nothing_known_of_the_segment_is_due_dates_kept_more_or_less() -> None:
    assert draw(paid(3), ()).baseline.norm == UNKNOWN
