"""What the pages draw, before it is drawn."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from services.reporting.charts import rules as charts
from services.reporting.dashboard import rules
from services.reporting.dashboard_customer.rules import expect, read_place
from services.reporting.dashboard_sales.rules import owner_of
from services.reporting.dashboard_team import rules as team
from services.reporting.navigation import rules as navigation
from services.reporting.payment_habits.rules import Model
from services.reporting.payment_odds.rules import Odds, Span, curve
from shared.words import amount

DAYS = [date(2021, 1, 31), date(2021, 2, 28), date(2021, 3, 31)]


def test_a_line_is_drawn_from_left_to_right_with_the_larger_values_higher() -> None:
    chart = charts.line_chart(DAYS, {"dso": [Decimal(10), Decimal(40), Decimal(20)]})
    assert chart is not None
    assert [(place.x, place.y) for place in chart.places["dso"]] == [(0.0, 75.0), (50.0, 0.0), (100.0, 50.0)]
    assert chart.lines["dso"] == "M0 750 L500 0 L1000 500"
    assert chart.y_ticks == [("0", 100.0), ("10", 75.0), ("20", 50.0), ("30", 25.0), ("40", 0.0)]


def test_a_day_without_a_value_leaves_a_gap_and_the_chart_begins_with_the_first_value() -> None:
    days = [date(2020, 12, 31), *DAYS, date(2021, 4, 30)]
    values = [None, Decimal(10), None, Decimal(10), Decimal(10)]
    chart = charts.line_chart(days, {"dso": values})
    assert chart is not None
    assert chart.lines["dso"].count("M") == 2
    assert chart.places["dso"][0] == (0.0, 0.0, Decimal(10), date(2021, 1, 31))


def test_a_single_value_makes_no_line() -> None:
    assert charts.line_chart(DAYS, {"dso": [None, None, Decimal(3)]}) is None
    assert charts.line_chart([], {"dso": []}) is None


def test_nothing_to_collect_draws_a_flat_line() -> None:
    chart = charts.line_chart(DAYS, {"dso": [Decimal(0)] * 3})
    assert chart is not None
    assert {place.y for place in chart.places["dso"]} == {100.0}


@pytest.mark.parametrize(
    ("highest", "step", "top"), [(23, 10, 30), (45, 10, 50), (46, 20, 60), (0.7, 0.2, 0.8), (900, 200, 1000)]
)
def test_axes_count_in_ones_twos_and_fives(highest: float, step: float, top: float) -> None:
    assert charts._scale(highest) == pytest.approx((step, top))


def test_slices_of_a_stacked_bar_follow_each_other_without_gaps() -> None:
    slices = charts.stacked((50, 0, 25, 25, 0), 200)
    assert [(s.key, s.start, s.width) for s in slices] == [
        ("current", 0.0, 25.0),
        ("d31_60", 25.0, 12.5),
        ("d61_90", 37.5, 12.5),
    ]


def test_a_rising_dso_is_worse_and_a_tiny_move_is_none() -> None:
    since = DAYS[0]
    assert rules.change(Decimal("30.2"), Decimal("28.1"), since) == rules.Change("▲ 2.1", since, True)
    assert rules.change(Decimal("28.1"), Decimal("30.2"), since) == rules.Change("▼ 2.1", since, False)
    assert rules.change(Decimal("28.12"), Decimal("28.10"), since) == rules.Change("unchanged", since, False)
    assert rules.change(None, Decimal(1), since) is None


def test_amounts_read_as_people_write_them() -> None:
    assert amount(123_456_789, "EUR") == "€1,234,567.89"
    assert amount(123_456_789, "EUR", whole=True) == "€1,234,568"
    assert amount(1_234, "JPY") == "¥1,234"
    assert amount(1_234, "KWD").replace("\xa0", " ") == "KWD 1.234"


def test_month_ends_before_and_after_a_day() -> None:
    assert navigation.month_end_before(date(2021, 3, 31)) == date(2021, 2, 28)
    assert navigation.month_end_before(date(2021, 3, 15)) == date(2021, 2, 28)
    assert navigation.month_end_after(date(2021, 2, 28)) == date(2021, 3, 31)
    assert navigation.month_end_after(date(2021, 2, 27)) == date(2021, 2, 28)


@pytest.mark.parametrize("text", ["", "yesterday", "2021-13-01", "0001-01-01", "9999-12-31", None])
def test_a_day_that_cannot_be_read_is_today(text: str | None) -> None:
    assert navigation.read_day(text, DAYS[0]) == DAYS[0]


@pytest.mark.parametrize("text", ["", "2021-01-31", "2021-01-31.x", ".5", None])
def test_a_place_that_cannot_be_read_is_none(text: str | None) -> None:
    assert read_place(text) is None
    assert read_place("2021-01-31.7") == (DAYS[0], 7)


def test_columns_stand_on_zero_side_by_side_with_their_ranges() -> None:
    chart = charts.column_chart([100_00, 250_00, -30_00], "EUR", [None, (200_00, 400_00), None])
    assert chart is not None
    assert [(column.y, column.height) for column in chart.columns] == [(75.0, 25.0), (37.5, 62.5), (100.0, 0.0)]
    assert (chart.columns[1].low_y, chart.columns[1].high_y) == (50.0, 0.0)
    assert chart.y_ticks[-1] == ("400", 0.0)
    assert charts.column_chart([0, -5], "EUR") is None
    assert charts.column_chart([], "EUR") is None


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.5, "0.5"), (1_000, "1K"), (1_500, "1.5K"), (20_000, "20K"), (2_500_000, "2.5M")]
)
def test_axes_are_short(value: float, text: str) -> None:
    assert charts.compact(value) == text


@pytest.mark.parametrize(
    ("minor", "text"), [(0, "€0"), (999_99, "€999.99"), (1_000_00, "€1,000"), (-1_000_50, "−€1,000"), (-5, "−€0.05")]
)
def test_decimals_are_left_away_where_they_say_little(minor: int, text: str) -> None:
    assert navigation.whole_amount(minor, "EUR") == text


def test_an_address_keeps_its_filters_and_names_a_day_only_when_it_is_not_today() -> None:
    today = date(2021, 3, 31)
    at = navigation.address("/", None, today, currency="EUR", by=None)
    assert at.link() == "/?currency=EUR"
    assert at.link(as_of="2021-02-28") == "/?currency=EUR&as_of=2021-02-28"
    assert navigation.address("/", "2021-03-31", today).is_live
    past = navigation.address("/", "2021-03-15", today, currency="EUR")
    assert not past.is_live
    assert past.link("/customers/7") == "/customers/7?as_of=2021-03-15"
    assert past.link(as_of=None, currency="USD") == "/?currency=USD"


def test_what_is_said_of_an_invoice_counts_before_how_its_customer_pays() -> None:
    today, customer = date(2021, 3, 1), uuid4()
    model = Model(5.0, {}, {}, 1.0, 1.0, learned_from=9)
    rest = curve(Span(-99, -99, day, True, 1) for day in (-1, 0, 1))

    def expected(promises: list[object], plans: list[object], model: Model = model) -> list[object]:
        item = {
            "invoice_id": UUID(int=1),
            "number": "A",
            "customer_id": customer,
            "entity_id": "default",
            "currency": "EUR",
            "due_on": today,
            "balance_minor": 100,
        }
        found = expect([item], {}, promises, plans, Odds(model, rest, {}, {}), today)[UUID(int=1)]
        return [found.on, found.said, found.by_plan]

    def promise(*invoices: str, on: int) -> dict[str, object]:
        return {"invoices": invoices, "promised_on": today + timedelta(days=on)}

    habit = today + timedelta(days=5)
    assert expected([], []) == [habit, None, False]
    assert expected([promise("B", on=3), promise("A", on=0)], []) == [habit, None, False], "another's, and a past one"
    assert expected([promise(on=9), promise("A", on=7)], []) == [habit, today + timedelta(days=7), False]
    plan = {"number": "A", "dates": [today, today + timedelta(days=30)]}
    assert expected([promise(on=9)], [plan]) == [habit, today + timedelta(days=30), True]
    assert expected([], [], Model(0.0, {}, {}, 1.0, 1.0, learned_from=0)) == [None, None, False]


@pytest.mark.parametrize(("asked", "owner"), [(None, "Anna L."), ("Tom", "Tom"), ("", None), ("Nobody known", None)])
def test_accounts_are_the_readers_own_unless_somebody_is_named(asked: str | None, owner: str | None) -> None:
    assert owner_of(asked, ["Anna L.", "Tom"], ["Anna L.", "anna"]) == owner


def test_disputes_are_listed_by_reason_with_most_money_first() -> None:
    rows = [
        {"reason": "price", "age": 0, "disputes": 2, "minor": 100},
        {"reason": None, "age": 3, "disputes": 1, "minor": 900},
        {"reason": "price", "age": 2, "disputes": 1, "minor": 50},
    ]
    assert team.reasons(rows) == [
        team.Reason("no reason given", (0, 0, 0, 1), 900),
        team.Reason("price", (2, 0, 1, 0), 150),
    ]
