"""Receipts to expect: of habits, promises and plans, from nothing that was not known yet."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from random import Random
from uuid import UUID, uuid4

import pytest

from services.reporting.forecasts import rules
from services.reporting.forecasts.rules import OpenItem, Plan, Promise
from services.reporting.outcomes.rules import kept_share
from services.reporting.payment_habits.rules import Habit, Model, fit
from services.reporting.payment_odds.rules import Odds, Span, curve
from shared.events.event import Event
from shared.events.reminder import PromiseKept, PromiseMade, PromiseState
from shared.money import Money
from tests.reporting.books import Books, receive
from tests.reporting.client import Reporting

D = date
TODAY = D(2021, 6, 1)
CUSTOMER = uuid4()
PUNCTUAL = curve(Span(-99, -99, day, True, 1) for day in (-1, 0, 0, 0, 0, 0, 0, 0, 1))
"""Of nine, seven pay on the usual day; of ten, one is still to come."""


def model(days: int = 10) -> Model:
    """Of a customer that pays so many days beyond terms."""
    return fit([Habit(CUSTOMER, (False, "email"), 50, 50 * days, 50 * days * days)])


def item(due_on: date, minor: int = 100_00, number: str | None = None, customer: UUID = CUSTOMER) -> OpenItem:
    return OpenItem(customer, "default", "EUR", due_on, (False, "email"), minor, number)


def expect(
    *items: OpenItem, promises: tuple[Promise, ...] = (), plans: dict[tuple[UUID, str], Plan] | None = None
) -> list[int]:
    """Minor units expected in each of the next eight weeks."""
    expected = rules.expectations(Odds(model(), PUNCTUAL, {}, {}), items, promises, plans or {}, TODAY)
    return [each.expected_minor for each in rules.receipts(expected, rules.periods(TODAY, 8, rules.WEEK))]


def promise(on: date, minor: int, kept: float = 0.8, *numbers: str) -> Promise:
    return Promise(CUSTOMER, "default", "EUR", on, minor, frozenset(numbers), kept)


def test_an_invoice_is_expected_when_its_customer_usually_pays() -> None:
    """Due on June 5th and usually paid by the 15th, in the second week: eight in ten are, one comes a day later."""
    weeks = expect(item(D(2021, 6, 5)))
    assert weeks[:2] == [0, 80_00]
    assert 10_00 < sum(weeks[2:]) < 20_00


def test_what_should_long_have_been_paid_is_expected_little_by_little() -> None:
    weeks = expect(item(D(2021, 3, 1)))
    assert all(earlier > later > 0 for earlier, later in pairwise(weeks))
    assert sum(weeks) < 50_00


def test_a_promise_counts_on_its_day_as_often_as_this_customer_keeps_its_word() -> None:
    weeks = expect(item(D(2021, 5, 1)), promises=(promise(D(2021, 6, 10), 60_00),))
    without = expect(item(D(2021, 5, 1), 40_00))
    assert weeks[1] == pytest.approx(0.8 * 60_00 + without[1], abs=0.2 * 60_00)
    assert weeks[1] > 0.8 * 60_00


def test_a_promise_about_one_invoice_leaves_the_others_alone_and_is_not_counted_twice() -> None:
    old, new = item(D(2021, 6, 20), number="A-1"), item(D(2021, 6, 21), number="A-2")
    weeks = expect(old, new, promises=(promise(D(2021, 6, 3), 500_00, 1.0, "A-2"),))
    assert weeks[0] == 100_00
    assert weeks[4] == pytest.approx(80_00, abs=1_00)
    assert sum(weeks) < 200_00


def test_a_promise_whose_day_is_over_is_not_counted_on() -> None:
    assert expect(item(D(2021, 6, 5)), promises=(promise(TODAY, 100_00, 1.0),)) == expect(item(D(2021, 6, 5)))


def test_instalments_are_expected_each_at_its_own_date_and_the_first_are_paid_first() -> None:
    plan = {(CUSTOMER, "A-1"): Plan((D(2021, 5, 22), D(2021, 6, 5), D(2021, 6, 19)), (40_00, 30_00, 30_00))}
    weeks = expect(item(D(2021, 3, 1), 60_00, "A-1"), plans=plan)
    assert (weeks[1], weeks[3]) == (24_00, pytest.approx(24_00, abs=50))
    assert weeks[0] == 0


def test_the_range_holds_when_customers_decide_by_themselves_and_is_wide_when_one_pays_all() -> None:
    known = Odds(model(0), curve(Span(-99, -99, day, True, 1) for day in range(-20, 20)), {}, {})
    many = [item(D(2021, 6, 5), 1_00, customer=uuid4()) for _ in range(100)]
    ends = [TODAY, TODAY + timedelta(days=7)]
    (spread_out,) = rules.receipts(rules.expectations(known, many, [], {}, TODAY), ends)
    (one,) = rules.receipts(rules.expectations(known, [item(D(2021, 6, 5))], [], {}, TODAY), ends)
    assert one.high_minor - one.low_minor > 5 * (spread_out.high_minor - spread_out.low_minor)


def test_the_record_of_promises() -> None:
    """Nobody's: one half. Three of four kept by all: (3+1)/(4+2); a customer with 2 of 2: (2 + 2·2/3) / 4."""
    keeper, breaker = uuid4(), uuid4()
    assert kept_share({}, {}, keeper) == 0.5
    kept, broken = {keeper: 2, uuid4(): 1}, {breaker: 1}
    assert kept_share(kept, broken, uuid4()) == pytest.approx(2 / 3)
    assert kept_share(kept, broken, keeper) == pytest.approx((2 + 2 * 2 / 3) / 4)
    assert kept_share(kept, broken, breaker) == pytest.approx((0 + 2 * 2 / 3) / 3)


def a_year_of_invoices() -> Books:
    """Three customers, each with its own habit; a letter-like regularity with some noise."""
    books, random = Books(), Random(3)
    for name, late in (("Swift", -5), ("Usual", 3), ("Slow", 25)):
        customer = books.onboard(name)
        for week in range(50):
            issued = D(2021, 1, 4) + timedelta(days=7 * week)
            bill = books.issue(customer, issued, random.randint(50, 150) * 100)
            paid = bill.due_on + timedelta(days=late + random.randint(-3, 3))
            if paid <= D(2021, 12, 31):
                books.pay(bill, paid)
    return books


async def test_a_steady_book_is_forecast_well_and_says_how_well(reporting: Reporting) -> None:
    await reporting.hear(a_year_of_invoices())
    said = await reporting.get("/v1/reports/cash-forecast", as_of="2021-11-30", weeks=4, accuracy_weeks=8)
    assert [each["first_day"] for each in said["items"]] == ["2021-12-01", "2021-12-08", "2021-12-15", "2021-12-22"]
    assert all(float(each["low"]) <= float(each["expected"]) <= float(each["high"]) for each in said["items"])
    (accuracy,) = said["accuracy"]
    assert accuracy["weeks"] == 8
    assert float(accuracy["error_percent"]) < 25
    assert accuracy["within_range"] >= 6


async def test_nothing_that_happens_later_changes_what_a_forecast_of_that_day_says(reporting: Reporting) -> None:
    books = a_year_of_invoices()
    day = D(2021, 8, 15)
    known = [r for r in books.received if r.event is not None and r.event.booked_on <= day]
    assert 0 < len(known) < len(books.received)
    await reporting.hear(known)
    query = {"as_of": day, "weeks": 6, "accuracy_weeks": 5}
    then = await reporting.get("/v1/reports/cash-forecast", **query)
    await reporting.hear(books)
    assert await reporting.get("/v1/reports/cash-forecast", **query) == then


async def test_promises_and_plans_are_heard_in_any_order(reporting: Reporting) -> None:
    books = Books()
    acme = books.onboard()
    late, planned = books.issue(acme, D(2021, 10, 1), 100_00), books.issue(acme, D(2021, 10, 2), 90_00)
    plan = books.agree_plan(planned, D(2021, 12, 1), 90_00)
    made, kept = said(acme, D(2021, 12, 10), late.number), said(acme, D(2021, 12, 12), late.number, "kept")
    await reporting.hear([*books.received, receive(kept), receive(made)])
    before = await reporting.get("/v1/reports/cash-forecast", as_of="2021-12-11", accuracy_weeks=0)
    after = await reporting.get("/v1/reports/cash-forecast", as_of="2021-12-12", accuracy_weeks=0)
    assert (before["promises"], before["plans"]) == (1, 1)
    assert (after["promises"], after["plans"]) == (0, 1)
    books.end_plan(planned, plan, D(2021, 12, 20))
    await reporting.hear(books)
    assert (await reporting.get("/v1/reports/cash-forecast", as_of="2021-12-20", accuracy_weeks=0))["plans"] == 0
    assert (await reporting.get("/v1/reports/cash-forecast", as_of="2021-12-19", accuracy_weeks=0))["plans"] == 1


def said(customer: UUID, on: date, number: str, status: str = "open") -> Event:
    kept = status == "kept"
    state = PromiseState(
        id=UUID(int=7),
        version=2 if kept else 1,
        entity_id="default",
        case_id=UUID(int=8),
        status="kept" if kept else "open",
        amount=Money(100_00, "EUR"),
        paid=Money(100_00 if kept else 0, "EUR"),
        items=(number,),
        made_on=D(2021, 12, 10),
        promised_on=D(2021, 12, 20),
        grace_until=D(2021, 12, 23),
        origin="staff",
    )
    kind = PromiseKept if kept else PromiseMade
    return kind(customer_id=customer, entity_id="default", effective_on=on, booked_on=on, promise=state)
