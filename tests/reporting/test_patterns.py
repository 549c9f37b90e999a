"""What changed and why: the parts add up, groups are ranked by what they did, few payments are no pattern."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.patterns import rules
from services.reporting.patterns.rules import Book, Paid
from tests.reporting.books import Books
from tests.reporting.client import Reporting

D = date


def book(current: int, overdue: int, sales: int, **groups: int) -> Book:
    return Book(D(2021, 6, 30), current, overdue, sales, groups)


def test_a_change_worked_out_by_hand() -> None:
    """300 / 900 · 90 = 30 days, then 400 / 600 · 90 = 60. Had only sales changed: 300 / 600 · 90 = 45, so 15 by sales;
    50 more not yet due at the new sales are 7.5 days, 50 more overdue as well."""
    change = rules.dso_change(book(200, 100, 900, key=300), book(250, 150, 600, key=100, small=300), 90)
    assert change
    assert (change.before, change.after, change.change) == (Decimal("30.00"), Decimal("60.00"), Decimal("30.00"))
    assert (change.by_sales, change.by_not_due, change.by_overdue) == (Decimal(15), Decimal("7.5"), Decimal("7.5"))
    assert change.groups == (("small", Decimal(45)), ("key", Decimal(-15)))


amounts = st.integers(0, 10_000_00)


@given(amounts, amounts, st.integers(1, 10_000_00), amounts, amounts, st.integers(1, 10_000_00))
def test_the_parts_add_up_to_the_change(c0: int, o0: int, s0: int, c1: int, o1: int, s1: int) -> None:
    before, after = book(c0, o0, s0, one=c0, two=o0), book(c1, o1, s1, one=c1, two=o1)
    change = rules.dso_change(before, after, 90)
    assert change
    cent = Decimal("0.02")
    assert abs(change.by_sales + change.by_not_due + change.by_overdue - change.change) <= cent
    assert abs(sum((days for _, days in change.groups), Decimal(0)) - change.change) <= cent


def test_without_sales_there_is_nothing_to_explain() -> None:
    assert rules.dso_change(book(1, 1, 0), book(1, 1, 1), 90) is None
    assert rules.dso_change(book(1, 1, 1), book(1, 1, 0), 90) is None


def test_who_got_slowest_comes_first_and_who_is_new_last() -> None:
    before = [Paid("a", "A", 4, 1, 8), Paid("b", "B", 2, 2, 20), Paid("gone", "Gone", 1, 0, 0)]
    after = [Paid("a", "A", 4, 4, 40), Paid("b", "B", 4, 4, 40), Paid("new", "New", 1, 0, -3)]
    found = rules.patterns(before, after)
    assert [each.group for each in found] == ["a", "b", "gone", "new"]
    first = found[0]
    assert (first.mean_days, first.mean_days_before, first.change) == (Decimal(10), Decimal(2), Decimal(8))
    assert (first.late_percent, first.late_percent_before) == (Decimal(100), Decimal(25))


def test_a_payment_on_the_due_day_is_not_late() -> None:
    (found,) = rules.patterns([], [Paid("a", "A", 3, 1, 0)])
    assert found.late_percent == Decimal("33.33")


def test_how_much_hangs_on_few() -> None:
    found = rules.concentration("EUR", 1_000_00, [100_00, 400_00, 50_00, 50_00, 50_00, 50_00])
    assert [str(share) for _, share in found.shares] == ["40.00", "65.00", "70.00", "70.00"]
    assert rules.concentration("EUR", 0, []).shares[0][1] == 0


def a_book_that_gets_slower() -> Books:
    """Key accounts pay on the day, until they take twenty days more from October on; the others never change."""
    books = Books()
    for name, segment, late in (("Key", "key", 0), ("Small", "small", 5)):
        customer = books.onboard(name, segment)
        for month, day in product(range(4, 12), (1, 11)):
            bill = books.issue(customer, D(2021, month, day), 1_000_00)
            slower = 20 if segment == "key" and bill.due_on >= D(2021, 10, 1) else 0
            if (paid := bill.due_on + timedelta(days=late + slower)) <= D(2021, 12, 31):
                books.pay(bill, paid)
    return books


async def test_the_segment_that_got_slower_is_named(reporting: Reporting) -> None:
    await reporting.hear(a_book_that_gets_slower())
    path = "/v1/reports/payment-patterns"
    said = await reporting.get(path, as_of="2021-12-31", window_days=90, group_by="segment")
    first, second = said["items"]
    assert (first["group"], first["change"]) == ("key", "20.00")
    assert (second["group"], second["change"]) == ("small", "0.00")
    customers = await reporting.get(path, as_of="2021-12-31", window_days=90, group_by="customer")
    assert [each["label"] for each in customers["items"]] == ["Key", "Small"]
    for by in ("country", "channel", "weekday", "disputed"):
        items = (await reporting.get(path, as_of="2021-12-31", window_days=90, group_by=by))["items"]
        assert sum(each["invoices"] for each in items) == sum(each["invoices"] for each in said["items"])


async def test_the_change_of_dso_is_explained_by_what_the_reports_say(reporting: Reporting) -> None:
    await reporting.hear(a_book_that_gets_slower())
    said = await reporting.get("/v1/reports/dso-change", as_of="2021-11-15", since="2021-09-15")
    (found,) = said["items"]
    for day, name in (("2021-09-15", "before"), ("2021-11-15", "after")):
        (kpis,) = (await reporting.get("/v1/reports/kpis", as_of=day, window_days=90))["items"]
        assert found[name] == kpis["dso"]
    assert found["groups"][0]["group"] == "key"
    assert Decimal(found["by_overdue"]) > 0
    (hangs,) = (await reporting.get("/v1/reports/concentration", as_of="2021-11-15"))["items"]
    assert hangs["largest_5"] == "100.00"
