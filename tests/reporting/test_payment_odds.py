"""When open invoices will be paid, from those that were and those that were not: by hand, at the edges, and for any."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from math import exp
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.payment_habits.rules import Habit, Model, Part, Traits, fit
from services.reporting.payment_odds import rules
from services.reporting.payment_odds.rules import Outlook, Rest, Seen, Span, curve
from tests.reporting.books import Books
from tests.reporting.client import Reporting

D = date
PLAIN: Traits = (False, "email")
TODAY = D(2021, 9, 1)
ALWAYS = -1000.0
"""Watched from so early on that it says nothing."""
EXACT = Model(0.0, {}, {}, k=1e9, spread=1.0, learned_from=100)
"""Everybody pays on the day it is due and is as well known as can be: days off the habit are days beyond terms."""


def paid(days: float, invoices: int = 1, *, first: float = ALWAYS) -> Span:
    return Span(first, first, days, True, invoices)


def still_open(days: float, invoices: int = 1, *, first: float = ALWAYS) -> Span:
    return Span(first, first, days, False, invoices)


def seen(customer: UUID, due_on: date, paid_on: date | None, invoices: int = 1) -> Seen:
    last_on = paid_on or TODAY
    return Seen(customer, PLAIN, due_on, due_on - timedelta(days=31), last_on, paid_on is not None, invoices)


@pytest.mark.parametrize(
    ("days", "share"), [(-3.5, 1), (-3, 4 / 5), (0.9, 3 / 5), (1, 2 / 5), (2, 1 / 5), (92, 0.0736)]
)
def test_the_share_still_open_of_invoices_that_were_all_paid(days: float, share: float) -> None:
    """Of four invoices a fifth that is still to come would be paid later than all: 1/5, then a tail of 90 days."""
    assert curve(map(paid, (-3, 0, 1, 2))).open_after(days) == pytest.approx(share, abs=0.0001)


def test_an_invoice_that_stays_open_counts_as_long_as_it_was_watched() -> None:
    """Five watched until 0, of which one and an imaginary one more are left: 1 - 1/6. One leaves open at 2, so at 5
    there are three and the imaginary one: 3/4 of it. The tail waits 90 days, and the 5 days that one waited beyond."""
    rest = curve([paid(0), still_open(2), paid(5), still_open(10), paid(5)])
    assert rest.open == pytest.approx([5 / 6, 5 / 6 * 2 / 4])
    assert rest.to_come(-1, 5) == pytest.approx(1 / 6 + 2 / 4)
    assert rest.to_come(5, 24) == pytest.approx(19 / 95)
    assert rest.tail_days == 95
    assert rest.open_after(100) == pytest.approx(5 / 12 * exp(-1))


@pytest.mark.parametrize(("first", "share"), [(4.9, 1 - 1 / 3), (5, 1 - 1 / 2), (5.1, 1 - 1 / 2)])
def test_an_invoice_counts_from_when_it_is_watched(first: float, share: float) -> None:
    assert curve([paid(5), still_open(9, first=first)]).open_after(5) == pytest.approx(share)


def test_invoices_that_went_alike_count_as_if_each_stood_by_itself() -> None:
    one_by_one = curve([paid(1), paid(1), still_open(3), still_open(3), paid(4)])
    assert curve([paid(1, 2), still_open(3, 2), paid(4)]) == one_by_one


def test_what_is_late_is_expected_less_soon_the_more_stays_open() -> None:
    prompt = [paid(day) for day in (-2, -1, 0, 1, 2, 30)]

    def within_a_week(*others: Span) -> float:
        return Outlook(0, 1, 1, curve([*prompt, *others]), now=28).paid_by(35)

    assert within_a_week() == pytest.approx(1 / 2, abs=0.05)
    assert within_a_week(still_open(60, 8)) == pytest.approx(1 / 10, abs=0.02)


def test_the_rest_of_an_invoice_is_seen_as_if_it_had_not_been_learned_from() -> None:
    customer = uuid4()
    model = fit([Habit(customer, PLAIN, 2, 10, 100), Habit(uuid4(), PLAIN, 2, 10, 50)])
    span = rules._span(model, {}, seen(customer, TODAY - timedelta(days=40), TODAY - timedelta(days=30)), TODAY)
    known = 2 + model.k
    plain = 10 - model.usual_days(customer, PLAIN)
    assert span.last == pytest.approx(plain * known / (known - 1) / (1 + 1 / (known - 1)) ** 0.5)


def test_a_regular_customer_has_a_narrow_range_and_a_stranger_everybodys() -> None:
    """Ten payments a day off the habit and ten five days off, 3 on average: (10·1/3 + 5) / 15, (10·5/3 + 5) / 15."""
    regular, fickle = uuid4(), uuid4()
    due = TODAY - timedelta(days=100)
    odds = rules.learn(
        EXACT,
        [
            *(seen(regular, due, due + timedelta(days=off), 5) for off in (-1, 1)),
            *(seen(fickle, due, due + timedelta(days=off), 5) for off in (-5, 5)),
        ],
        TODAY,
    )
    assert odds.spreads == {regular: pytest.approx(25 / 45), fickle: pytest.approx(65 / 45)}
    assert odds.outlook(uuid4(), PLAIN, 0).width == pytest.approx(1)


def test_a_customers_pace_worked_out_by_hand() -> None:
    """Of each invoice half a payment is to come a day, so 1.5 from 1 to 4: of four 6. What came differs by more than
    chance, and the mean of the differences is what the prior is worth: 72 / (36 + 4 - 12)."""
    rest = Rest((1, 2, 3, 4), (0.5, 0.25, 0.125, 0.0625), (0.5, 1, 1.5, 2))
    silent, busy = uuid4(), uuid4()
    lately = [(silent, Span(0, 1, 4, False, 4)), (busy, Span(0, 1, 4, True, 4)), (busy, Span(0, 4, 4, True, 4))]
    prior = 72 / 28
    assert rules._paces(rest, lately) == {
        silent: pytest.approx(prior / (6 + prior)),
        busy: pytest.approx((4 + prior) / (6 + prior)),
    }


def test_where_customers_differ_by_no_more_than_chance_all_have_one_pace() -> None:
    rest = Rest((1, 2, 3), (0.5, 0.25, 0.125), (1, 2, 3))
    assert rules._paces(rest, [(uuid4(), Span(0, 1, 2, True, 3)), (uuid4(), Span(0, 1, 2, True, 3))]) == {}


def test_a_customer_that_let_everything_go_by_is_expected_to_go_on_so() -> None:
    silent, others, due = uuid4(), [uuid4() for _ in range(8)], TODAY - timedelta(days=50)
    went = [seen(who, due - timedelta(days=n), due + timedelta(days=12 - n)) for who in others for n in range(6)]
    model = Model(6.0, {who: Part(0.0, 6) for who in (silent, *others)}, {}, k=2.0, spread=3.0, learned_from=54)
    odds = rules.learn(model, [*went, seen(silent, due, None, 12)], TODAY)
    assert odds.paces[silent] < 0.5 < 0.9 < min(odds.paces[who] for who in others)
    known = odds.outlook(silent, PLAIN, 10)
    assert known.paid_by(17) < 0.5 * replace(known, pace=1.0).paid_by(17)


@given(
    days=st.lists(st.tuples(st.floats(-50, 50), st.booleans()), max_size=30),
    usual=st.floats(-20, 40),
    pace=st.floats(0.05, 8),
    now=st.integers(-30, 200),
    later=st.integers(0, 100),
)
def test_what_is_not_paid_yet_is_paid_later_and_never_surely(
    days: list[tuple[float, bool]], usual: float, pace: float, now: int, later: int
) -> None:
    rest = curve(paid(day) if was_paid else still_open(day) for day, was_paid in days)
    outlook = Outlook(usual, 1.1, pace, rest, now)
    assert outlook.paid_by(now) == 0
    assert 0 <= outlook.paid_by(now + later) <= outlook.paid_by(now + later + 1) <= 1
    assert now < outlook.days_at(0.1) <= outlook.days_at(0.5) <= outlook.days_at(0.9)


@given(days=st.lists(st.tuples(st.integers(-50, 50), st.booleans()), min_size=1, max_size=30), share=st.floats(0.01, 1))
def test_a_share_is_reached_when_it_is_and_not_before(days: list[tuple[int, bool]], share: float) -> None:
    rest = curve(paid(day) if was_paid else still_open(day) for day, was_paid in days)
    day = rest.until(share)
    assert rest.open_after(day + 1e-6) <= share + 1e-9
    if day in rest.days:
        assert rest.open_after(day - 1e-6) >= share


async def test_what_nobody_pays_is_expected_less_week_by_week(reporting: Reporting) -> None:
    """Two customers pay about ten days late, and one of them stops: 200.00 are to come of the one, 1,100.00 of the
    other, eight days and more after it usually paid."""
    books = Books()
    true, stopped = books.onboard("True"), books.onboard("Stopped")
    for customer in (true, stopped):
        for week in range(26):
            bill = books.issue(customer, D(2021, 1, 4) + timedelta(days=7 * week), 100_00)
            paid_on = bill.due_on + timedelta(days=8 + week % 5)
            if paid_on <= (D(2021, 8, 1) if customer is true else D(2021, 5, 25)):
                books.pay(bill, paid_on)
    await reporting.hear(books)
    weeks = (await reporting.get("/v1/reports/cash-forecast", as_of="2021-08-01", accuracy_weeks=0, weeks=4))["items"]
    owed = {who: sum(item.balance for item in books.items if item.customer_id == who) for who in (true, stopped)}
    assert owed == {true: 200_00, stopped: 1_100_00}
    assert 150 < float(weeks[0]["expected"]) < 200
    assert sum(float(week["expected"]) for week in weeks) < 250
