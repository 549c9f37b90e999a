"""Champion against challenger: how many accounts of each side pay in time, and what may be chance."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reminder.trials.rules import Arm, Difference, Share, Trial, compare, cured_within, difference, wilson
from shared.money import Money

START = date(2026, 3, 2)
EUR_100 = Money(10_000, "EUR")


def trial(
    cured_after: int | None = None,
    arm: Arm = "champion",
    *,
    because: str = "settled",
    contacts: int = 2,
    escalated: bool = False,
) -> Trial:
    """An episode that began on 2 March and ended so many days later; one that runs for None."""
    ended_on = None if cured_after is None else START + timedelta(days=cured_after)
    return Trial(arm, START, (EUR_100,), contacts, escalated, ended_on, because if ended_on else None)


def share(cured: int, cases: int, days: int = 30) -> Share:
    return Share(days, cases, cured, cured / cases, *wilson(cured, cases))


@pytest.mark.parametrize(("after", "within"), [(0, True), (6, True), (7, True), (8, False), (None, False)])
def test_an_account_is_cured_within_a_window_up_to_its_last_day(after: int | None, within: bool) -> None:
    assert trial(after).cured_within(7) is within


@pytest.mark.parametrize("because", ["disputed", "on_plan", "written_off", "voided"])
def test_only_a_settled_account_is_cured(because: str) -> None:
    assert not trial(3, because=because).cured_within(7)


@pytest.mark.parametrize(("days_later", "cases"), [(7, 0), (8, 1), (9, 1)])
def test_an_account_counts_in_a_window_once_the_window_is_over(days_later: int, cases: int) -> None:
    """Else those who paid at once would count, and those who still may would not."""
    assert cured_within([trial(1)], 7, START + timedelta(days=days_later)).cases == cases


@pytest.mark.parametrize(
    ("cured", "cases", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_of_a_share_is_wilsons(cured: int, cases: int, low: float, high: float) -> None:
    """Table I of R. G. Newcombe, Statistics in Medicine 17 (1998), 857-872, method 3."""
    assert wilson(cured, cases) == pytest.approx((low, high), abs=0.00005)


def test_the_interval_of_a_difference_is_newcombes() -> None:
    """Table II of R. G. Newcombe, Statistics in Medicine 17 (1998), 873-890, case (a), method 10: 56/70 less 48/80."""
    told = difference(share(48, 80), share(56, 70))
    assert told.difference == pytest.approx(0.2)
    assert (told.low, told.high) == pytest.approx((0.0524, 0.3339), abs=0.00005)
    assert told.z == pytest.approx(2.650, abs=0.001)
    assert told.p_value == pytest.approx(0.00805, abs=0.00005)
    assert told.verdict == "challenger_better"
    assert difference(share(56, 70), share(48, 80)).verdict == "champion_better"
    assert difference(share(50, 100), share(52, 100)).verdict == "may_be_chance"


@pytest.mark.parametrize(
    ("champion", "challenger", "said"),
    [
        ((4, 100), (50, 100), False),
        ((5, 100), (50, 100), True),
        ((6, 100), (50, 100), True),
        ((96, 100), (50, 100), False),
        ((95, 100), (50, 100), True),
        ((50, 100), (4, 8), False),
        ((50, 100), (5, 10), True),
    ],
)
def test_nothing_is_said_of_too_few_cases(champion: tuple[int, int], challenger: tuple[int, int], said: bool) -> None:
    told = difference(share(*champion), share(*challenger))
    assert (told.verdict != "too_few_cases") is said
    if not said:
        assert told == Difference(30, "too_few_cases")


def test_nothing_is_said_of_a_trial_that_has_just_begun() -> None:
    told = compare([], START)
    assert [d.verdict for d in told.differences] == ["too_few_cases"] * 4
    assert (told.champion.cases, told.champion.contacts_per_case, told.champion.shares[0].share) == (0, None, None)


def test_both_sides_in_figures() -> None:
    trials = [
        trial(3, contacts=1),
        trial(10, contacts=2),
        trial(None, contacts=6, escalated=True),
        trial(5, because="disputed", contacts=1),
        trial(20, "challenger", contacts=3),
    ]
    told = compare(trials, START + timedelta(days=61))
    assert [(s.days, s.cases, s.cured) for s in told.champion.shares] == [(7, 4, 1), (14, 4, 2), (30, 4, 2), (60, 4, 2)]
    side = told.champion
    assert (side.cases, side.open, side.cured, side.escalations) == (4, 1, 2, 1)
    assert (side.median_days_to_cure, side.contacts_per_case) == (6.5, 2.5)
    assert (side.collected, side.owed) == ((Money(20_000, "EUR"),), (Money(40_000, "EUR"),))
    assert told.challenger.shares[2].share == 1.0


@given(st.integers(5, 200), st.integers(5, 200), st.integers(5, 200), st.integers(5, 200))
def test_the_interval_holds_the_difference_and_swapping_the_sides_turns_it_around(
    a: int, b: int, c: int, d: int
) -> None:
    one, other = share(a, a + b), share(c, c + d)
    told, turned = difference(one, other), difference(other, one)
    assert told.low is not None
    assert told.high is not None
    assert told.difference is not None
    assert -1 <= told.low <= told.difference <= told.high <= 1
    assert turned.low == pytest.approx(-told.high)
    assert turned.p_value == pytest.approx(told.p_value)
