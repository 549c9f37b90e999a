"""What a message does, beside invoices just as old of customers just as slow that got none."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from services.reporting.effectiveness.rules import ALIKE_MIN, Watched, effects, paid_within
from tests.reporting.books import Books
from tests.reporting.client import Reporting

D = date


def watched(days: int, *, paid: bool, count: int = 1, group: str = "", age: int = 2) -> Watched:
    return Watched(group, age, 0, days, paid, count)


def test_who_is_watched_for_a_shorter_time_counts_for_that_time() -> None:
    """Of ten two are paid on day 1, three are heard of no more on day 2, one is paid on day 3 and two on day 10:
    8/10 are open after day 1, 8/10 · 4/5 after day 3, 8/10 · 4/5 · 2/4 after day 10."""
    seen = [
        watched(1, paid=True, count=2),
        watched(2, paid=False, count=3),
        watched(3, paid=True),
        watched(10, paid=True, count=2),
        watched(30, paid=False, count=2),
    ]
    assert paid_within(seen) == (pytest.approx(0.36), pytest.approx(0.36), pytest.approx(0.68))


def test_a_day_counts_to_its_end() -> None:
    assert paid_within([watched(3, paid=True)]) == (1, 1, 1)
    assert paid_within([watched(4, paid=True)]) == (0, 1, 1)
    assert paid_within([watched(14, paid=True)]) == (0, 0, 1)
    assert paid_within([watched(15, paid=True)]) == (0, 0, 0)


@pytest.mark.parametrize(("alike", "compared"), [(ALIKE_MIN - 1, 0), (ALIKE_MIN, 4), (ALIKE_MIN + 1, 4)])
def test_too_few_alike_compare_with_nothing(alike: int, compared: int) -> None:
    treated = [watched(2, paid=True, count=4, group="first")]
    (found,) = effects(treated, [watched(20, paid=False, count=alike)])
    assert (found.invoices, found.compared) == (4, compared)
    assert found.untreated == ((0, 0, 0) if compared else None)


def test_the_untreated_are_composed_as_the_treated_are() -> None:
    """Young ones are paid by half anyway, old ones never; three quarters of the treated are old: 1/8 without."""
    treated = [watched(2, paid=True, age=1, group="s"), watched(2, paid=True, age=5, count=3, group="s")]
    untreated = [
        watched(2, paid=True, age=1, count=10),
        watched(20, paid=False, age=1, count=10),
        watched(20, paid=False, age=5, count=10),
    ]
    (found,) = effects(treated, untreated)
    assert found.treated == (1, 1, 1)
    assert found.untreated == (pytest.approx(1 / 8),) * 3


async def test_a_step_that_brings_money_is_seen_beside_accounts_that_were_left_alone(reporting: Reporting) -> None:
    """Twelve invoices a month are five days overdue: of half a message tells, and they are paid two days later."""
    books = Books()
    for number in range(12):
        customer = books.onboard(f"Customer {number}")
        for month in (7, 8, 9, 10):
            bill = books.issue(customer, D(2021, month, 1), 100_00)
            told = bill.due_on + timedelta(days=5)
            if number % 2:
                books.remind(customer, told, "first-reminder", (bill.number,))
                books.pay(bill, told + timedelta(days=2))
            else:
                books.pay(bill, told + timedelta(days=12))
    await reporting.hear(books)
    said = await reporting.get("/v1/reports/reminder-effectiveness", as_of="2021-12-31", group_by="step")
    (first,) = said["items"]
    assert (first["group"], first["invoices"], first["compared"]) == ("first-reminder", 24, 24)
    assert first["with_message"] == {"days_3": "100.0", "days_7": "100.0", "days_14": "100.0"}
    assert first["without_message"] == {"days_3": "0.0", "days_7": "0.0", "days_14": "100.0"}
    for by in ("channel", "tone", "strategy"):
        (one,) = (await reporting.get("/v1/reports/reminder-effectiveness", group_by=by))["items"]
        assert one["group"] in ("email", "friendly", "default")


async def test_a_message_about_one_invoice_says_nothing_of_another_and_the_watch_ends_with_the_next(
    reporting: Reporting,
) -> None:
    books = Books()
    customer = books.onboard()
    about, other = books.issue(customer, D(2021, 10, 1), 100_00), books.issue(customer, D(2021, 10, 2), 90_00)
    books.remind(customer, D(2021, 11, 5), "first", (about.number,))
    books.remind(customer, D(2021, 11, 8), "second", (about.number, other.number))
    books.pay(about, D(2021, 11, 10))
    await reporting.hear(books)
    path = "/v1/reports/reminder-effectiveness"
    items = (await reporting.get(path, as_of="2021-12-31", window_days=90))["items"]
    assert [(each["group"], each["invoices"]) for each in items] == [("first", 1), ("second", 2)]
