"""When a promise may be made and what becomes of it, as tables: below, at and above each boundary."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reminder.authority.rules import Promises, business_days_after
from services.reminder.promises import rules
from services.reminder.promises.rules import AmountRefused, Figures, Payment, Promise, PromisedDayRefused, Wanted
from tests.reminder.facts import CASE, CUSTOMER, account, eur, item

TODAY = date(2026, 3, 10)
OWED = account(item("R-1"), item("R-2"))  # 100.00 EUR each.


def promise(minor: int = 5_000, on: date = TODAY + timedelta(days=3), *items: str, grace: int = 0) -> Promise:
    return rules.make(
        UUID(int=7),
        Wanted(eur(minor), on, items),
        OWED,
        Promises(grace_business_days=grace),
        TODAY,
        entity_id="default",
        case_id=CASE,
        origin="staff",
        made_by="anna",
    )


def paid(minor: int, number: str = "R-1", on: date = TODAY) -> Payment:
    return Payment(CUSTOMER, "default", number, minor, "EUR", on)


@pytest.mark.parametrize(("day", "fits"), [(-1, False), (0, True), (1, True), (60, True), (61, False)])
def test_a_day_from_today_to_the_last_one_may_be_promised(day: int, fits: bool) -> None:
    wanted = Wanted(eur(100), TODAY + timedelta(days=day), ())
    if fits:
        assert rules.check(wanted, OWED, (), Promises(), TODAY, is_open=True) == wanted
    else:
        with pytest.raises(PromisedDayRefused):
            rules.check(wanted, OWED, (), Promises(), TODAY, is_open=True)


@pytest.mark.parametrize(
    ("minor", "items", "promised", "fits"),
    [
        (20_000, (), 0, True),
        (20_001, (), 0, False),
        (10_000, ("R-1",), 0, True),
        (10_001, ("R-1",), 0, False),
        (15_000, (), 5_000, True),
        (15_001, (), 5_000, False),
        (0, (), 0, False),
        (-1, (), 0, False),
    ],
)
def test_no_more_is_promised_than_is_owed(minor: int, items: tuple[str, ...], promised: int, fits: bool) -> None:
    running = [promise(promised)] if promised else []
    wanted = Wanted(eur(minor), TODAY, items)
    if fits:
        assert rules.check(wanted, OWED, running, Promises(), TODAY, is_open=True) == wanted
    else:
        with pytest.raises(AmountRefused):
            rules.check(wanted, OWED, running, Promises(), TODAY, is_open=True)


@pytest.mark.parametrize(("minor", "status"), [(4_999, "open"), (5_000, "kept"), (5_001, "kept")])
def test_it_is_kept_from_the_promised_amount_on(minor: int, status: str) -> None:
    assert rules.judge(rules.pay(promise(), paid(minor)), OWED.items, TODAY).status == status


@pytest.mark.parametrize(("days", "status"), [(-1, "open"), (0, "open"), (1, "broken")])
def test_it_is_broken_on_the_day_after_the_last_day_of_grace(days: int, status: str) -> None:
    made = promise(grace=2)
    assert rules.judge(made, OWED.items, made.grace_until + timedelta(days=days), 0).status == status


@pytest.mark.parametrize(("unapplied", "status"), [(None, "open"), (0, "broken"), (2_999, "broken"), (3_000, "open")])
def test_money_that_covers_the_rest_and_waits_to_be_allocated_keeps_it_open(unapplied: int | None, status: str) -> None:
    made = rules.pay(promise(), paid(2_000))
    assert rules.judge(made, OWED.items, TODAY + timedelta(days=30), unapplied).status == status


def test_money_counts_from_the_day_of_the_promise_on() -> None:
    made = promise()
    assert rules.pay(made, paid(5_000, on=TODAY - timedelta(days=1))) == made
    assert rules.pay(made, paid(5_000, on=TODAY)).paid_minor == 5_000
    assert rules.pay(made, replace(paid(5_000), entity_id="other")) == made
    assert rules.pay(made, replace(paid(5_000), currency="USD")) == made


def test_what_is_no_longer_owed_is_kept_when_money_was_part_of_it() -> None:
    assert rules.judge(rules.pay(promise(), paid(1)), (), TODAY).status == "kept"
    assert rules.judge(promise(), (), TODAY).status == "lapsed"


def test_an_invoice_named_in_it_is_what_it_is_about() -> None:
    other_paid = rules.pay(promise(5_000, TODAY, "R-2"), paid(5_000, "R-1"))
    assert other_paid.paid_minor == 0
    disputed = account(item("R-1"), item("R-2", disputed=True)).items
    assert rules.judge(other_paid, disputed, TODAY + timedelta(days=9), 0).status == "lapsed"


@given(st.lists(st.integers(-10_000, 10_000), max_size=30))
def test_what_was_paid_is_never_below_nothing_and_never_more_than_came(changes: list[int]) -> None:
    made = promise()
    for minor in changes:
        made = rules.pay(made, paid(minor))
        assert made.paid_minor >= 0
        assert made.left_minor <= made.amount_minor
    assert made.paid_minor <= sum(minor for minor in changes if minor > 0)


def test_grace_is_counted_in_business_days_of_the_customers_country() -> None:
    friday = date(2026, 2, 20)
    assert business_days_after(friday, 0, "DE") == friday
    assert business_days_after(friday, 1, "DE") == date(2026, 2, 23)
    assert business_days_after(date(2026, 4, 2), 1, "DE") == date(2026, 4, 7)  # Good Friday to Easter Monday between.
    assert business_days_after(date(2026, 4, 2), 1, None) == date(2026, 4, 3)
    assert promise(100, date(2026, 4, 2), grace=3).look_at == datetime(2026, 4, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kept", "part", "broken", "rate"),
    [(0, 0, 0, None), (1, 0, 0, "100.00"), (0, 0, 1, "0.00"), (2, 0, 1, "66.67"), (1, 1, 1, "33.33")],
)
def test_the_rate_is_of_those_that_were_judged(kept: int, part: int, broken: int, rate: str | None) -> None:
    figures = Figures(open=9, kept=kept, part_kept=part, broken=broken, ended_otherwise=9)
    assert (str(figures.kept_rate) if figures.kept_rate is not None else None) == rate
