"""Collection ratios against tables worked out by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from services.reporting.kpis import rules
from services.reporting.kpis.rules import Facts, Ratios


def facts(**changes: object) -> Facts:
    known: dict[str, object] = {
        "as_of": date(2024, 6, 30),
        "window_days": 30,
        "receivables_minor": 15_000_00,
        "current_minor": 4_000_00,
        "opening_minor": 12_000_00,
        "sales_minor": 10_000_00,
        "sales_by_month": {date(2024, 6, 1): 10_000_00, date(2024, 5, 1): 20_000_00},
        **changes,
    }
    return Facts(**known)  # pyright: ignore[reportArgumentType]


def test_the_textbook_case_gives_45_12_and_33_days() -> None:
    ratios = rules.ratios(facts())
    assert (ratios.dso, ratios.best_possible_dso, ratios.average_days_delinquent) == (
        Decimal("45.00"),
        Decimal("12.00"),
        Decimal("33.00"),
    )


def test_countback_takes_whole_months_newest_first_and_the_last_by_ratio() -> None:
    # June's 10,000 are 30 days; the 5,000 left are a quarter of May's 20,000, a quarter of 31 days.
    assert rules.ratios(facts()).dso_countback == Decimal("37.75")


def test_countback_counts_the_days_so_far_of_the_month_asked_about() -> None:
    by_month = {date(2024, 6, 1): 1_000, date(2024, 5, 1): 1_000}
    assert rules.countback(1_500, by_month, date(2024, 6, 10)) == Decimal("25.50")  # 10 + 31 / 2


def test_countback_passes_over_a_month_without_sales_and_counts_its_days() -> None:
    by_month = {date(2024, 2, 1): 1_000, date(2024, 4, 1): 1_000}
    assert rules.countback(2_000, by_month, date(2024, 4, 30)) == Decimal("90.00")  # 30 + 31 + 29


def test_countback_that_ends_exactly_with_a_month_counts_that_month_in_full() -> None:
    assert rules.countback(1_000, {date(2024, 6, 1): 1_000}, date(2024, 6, 30)) == Decimal("30.00")


def test_countback_is_unknown_when_history_does_not_cover_the_receivables() -> None:
    assert rules.countback(1_001, {date(2024, 6, 1): 1_000}, date(2024, 6, 30)) is None
    assert rules.countback(1, {}, date(2024, 6, 30)) is None


def test_countback_of_nothing_owed_is_no_days() -> None:
    assert rules.countback(0, {date(2024, 6, 1): 1_000}, date(2024, 6, 30)) == Decimal("0.00")


def test_collection_effectiveness_is_what_was_collected_of_the_collectable() -> None:
    # Of 12,000 owed and 10,000 sold 15,000 are left: 7,000 came in, and 18,000 were due.
    assert rules.ratios(facts()).cei == Decimal("38.89")


def test_collection_effectiveness_is_a_hundred_when_nothing_overdue_is_left() -> None:
    assert rules.ratios(facts(receivables_minor=4_000_00)).cei == Decimal("100.00")


def test_collection_effectiveness_is_unknown_when_nothing_could_be_collected() -> None:
    assert rules.ratios(facts(opening_minor=0, receivables_minor=10_000_00, current_minor=10_000_00)).cei is None


def test_no_ratio_means_anything_when_nothing_was_sold_in_the_window() -> None:
    assert rules.ratios(facts(sales_minor=0)) == Ratios()


def test_average_days_delinquent_is_rounded_once_and_not_taken_from_rounded_figures() -> None:
    # 10/3 and 5/3 days: 3.33 less 1.67 would be 1.66, the difference itself is 1.67.
    ratios = rules.ratios(facts(window_days=1, receivables_minor=10, current_minor=5, sales_minor=3))
    assert (ratios.dso, ratios.best_possible_dso, ratios.average_days_delinquent) == (
        Decimal("3.33"),
        Decimal("1.67"),
        Decimal("1.67"),
    )


@pytest.mark.parametrize(
    ("owed", "sales", "days"), [(1, 200, "0.00"), (3, 200, "0.02"), (5, 200, "0.02"), (7, 200, "0.04")]
)
def test_ties_round_to_the_even_hundredth(owed: int, sales: int, days: str) -> None:
    assert rules.days_of_sales(owed, sales, 1) == Decimal(days)  # 0.005, 0.015, 0.025, 0.035
