"""How customers pay, learned from what they paid: by hand, at the edges, and whatever order it is heard in."""

from __future__ import annotations

from datetime import date
from itertools import permutations
from random import Random
from uuid import UUID, uuid4

import pytest

from services.reporting.payment_habits import rules
from services.reporting.payment_habits.rules import Habit, Traits, fit
from tests.reporting.books import Books
from tests.reporting.client import Reporting, forget

ON_PAPER: Traits = (False, "letter")
PLAIN: Traits = (False, "email")
DISPUTED: Traits = (True, "email")


def habit(customer: UUID, *days: int, traits: Traits = PLAIN) -> Habit:
    return Habit(customer, traits, len(days), sum(days), sum(d * d for d in days))


def test_without_any_payment_everybody_pays_on_the_day_it_is_due() -> None:
    model = fit([])
    assert (model.usual_days(uuid4(), PLAIN), model.learned_from) == (0.0, 0)


def test_customers_disputes_and_channels_are_told_apart() -> None:
    """Twenty customers between 0 and 19 days late, disputes 14 days more, letters 6 more, and some noise."""
    random, customers = Random(7), [uuid4() for _ in range(20)]
    habits = [
        habit(customer, *(late + more + random.randint(-2, 2) for _ in range(12)), traits=traits)
        for late, customer in enumerate(customers)
        for traits, more in ((PLAIN, 0), (DISPUTED, 14), (ON_PAPER, 6))
    ]
    model = fit(habits)
    for late, customer in enumerate(customers):
        assert model.usual_days(customer, PLAIN) == pytest.approx(late, abs=1)
        assert model.usual_days(customer, DISPUTED) == pytest.approx(late + 14, abs=1.5)
        assert model.usual_days(customer, ON_PAPER) == pytest.approx(late + 6, abs=1)
    assert model.usual_days(uuid4(), PLAIN) == pytest.approx(9.5, abs=1)
    assert model.spread == pytest.approx(1.4, abs=0.2)


def test_one_odd_payment_of_a_new_customer_decides_less_than_ten_of_an_old_one() -> None:
    others = [habit(uuid4(), *(late + spread for spread in (-6, -3, 0, 3, 6))) for late in range(10)]
    new, old = uuid4(), uuid4()
    model = fit([*others, habit(new, 60), habit(old, *[60] * 10)])
    usual = model.usual_days(uuid4(), PLAIN)
    assert usual < model.usual_days(new, PLAIN) < model.usual_days(old, PLAIN) < 60
    assert model.width(uuid4()) > model.width(new) > model.width(old) > 1


def test_an_analysis_of_variance_worked_out_by_hand() -> None:
    """Two customers with 1, 3 and 5, 7 days: within ((1-2)²+(3-2)²+(5-6)²+(7-6)²)/2 = 2; between groups
    (2·(2-4)²+2·(6-4)²)/1 = 16, so (16 - 2) / 2 = 7."""
    within, between = rules._variances([habit(uuid4(), 1, 3), habit(uuid4(), 5, 7)], {})
    assert (within, between) == (pytest.approx(2), pytest.approx(7))


async def courses(reporting: Reporting) -> list[tuple[object, ...]]:
    rows = await reporting.database.pool.fetch("select * from payment_course order by invoice_id")
    return [tuple(row) for row in rows]


async def test_payments_count_and_credit_notes_do_not_and_what_is_taken_back_is_open_again(
    reporting: Reporting,
) -> None:
    books = Books()
    acme = books.onboard()
    paid, credited, returned, split = (books.issue(acme, date(2021, 3, day), 100_00) for day in (1, 2, 3, 4))
    books.pay(paid, date(2021, 4, 20), booked_on=date(2021, 4, 22))
    books.credit(credited, date(2021, 3, 9), 100_00)
    books.pay(returned, date(2021, 4, 1))
    books.take_back(returned, date(2021, 4, 9), 100_00)
    books.dispute(split, date(2021, 3, 20), 50_00)
    books.pay(split, date(2021, 4, 2), 50_00)
    await reporting.hear(books)
    seen = {row[0]: row for row in await courses(reporting)}
    assert seen[paid.id][-2:] == (date(2021, 4, 20), date(2021, 4, 22))
    assert seen[credited.id][-2:] == seen[returned.id][-2:] == seen[split.id][-2:] == (None, None)
    assert seen[split.id][-3] == date(2021, 3, 20)
    assert {row[7] for row in seen.values()} == {"email"}


async def test_the_order_in_which_it_is_heard_changes_nothing(reporting: Reporting) -> None:
    books = Books()
    item = books.issue(books.onboard(), date(2021, 3, 1), 100_00)
    books.resolve(item, books.dispute(item, date(2021, 3, 10), 40_00), date(2021, 3, 20))
    books.pay(item, date(2021, 4, 1))
    books.take_back(item, date(2021, 4, 5), 100_00)
    books.pay(item, date(2021, 4, 9))
    received, ways = books.received, list[list[tuple[object, ...]]]()
    telling = [r for r in received if rules.courses([r.event])]
    assert len(telling) == 5
    for way, size in zip(Random(1).sample(list(permutations(telling)), 12), [1, 2, 3, 5] * 3, strict=True):
        await forget(reporting.database)
        await reporting.hear([*way, *way], batch=size)
        ways.append(await courses(reporting))
    assert all(way == ways[0] for way in ways)
    assert ways[0][0][-2] == date(2021, 4, 9)
