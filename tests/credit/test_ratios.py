"""Ratios and Altman's Z'' against worked examples, at their bounds, and where there is nothing to divide by."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.credit.ratios.rules import Absence, Statement, Zone, ratios_of, z_score_of, zone_of
from shared.money import Money


def usd(amount: int) -> Money:
    return Money(amount * 100, "USD")


SEETHER = Statement(
    current_assets=usd(23_900),
    current_liabilities=usd(20_000),
    total_assets=usd(78_000),
    total_liabilities=usd(55_000),
    retained_earnings=usd(26_000),
    equity=usd(15_000),
    ebit=usd(8_600),
)
"""A textbook's private company, "Seether, LLC": total assets 78,000, EBIT 8,600, net working capital 3,900, book value
of equity 15,000, accumulated retained earnings 26,000, total liabilities 55,000. S. A. Ross, R. W. Westerfield, J. F.
Jaffe, Corporate Finance, problem on the Z-score in the chapter on credit; the solution as worked at
https://justaaa.com/finance/144387-jon-fulkerson-a-credit-analyst-at-the-true-credit."""


def test_the_four_ratios_are_those_of_the_textbook() -> None:
    ratios = ratios_of(SEETHER)
    assert [ratios.x1, ratios.x2, ratios.x3, ratios.x4] == [
        Decimal(x) for x in ("0.0500", "0.3333", "0.1103", "0.2727")
    ]


def test_with_the_textbooks_weights_they_give_the_textbooks_answer() -> None:
    """The textbook prints the weights of EBIT and of equity the other way round than Altman does, and so publishes
    3.363: the same function with its second pair exchanged gives that."""
    x1, x2 = Decimal(3_900) / 78_000, Decimal(26_000) / 78_000
    x3, x4 = Decimal(8_600) / 78_000, Decimal(15_000) / 55_000
    exchanged = z_score_of(x1, x2, x4, x3)
    assert exchanged is not None
    assert round(exchanged, 3) == Decimal("3.363")


def test_with_altmans_weights_it_is_in_the_grey_zone() -> None:
    """6.56 * 0.05 + 3.26 / 3 + 6.72 * 0.110256 + 1.05 * 0.272727, worked by hand."""
    ratios = ratios_of(SEETHER)
    assert (ratios.z_score, ratios.z_score_emerging, ratios.zone) == (Decimal("2.4420"), Decimal("5.6920"), Zone.GREY)


@pytest.mark.parametrize(
    ("z_score", "zone"),
    [
        ("-3", Zone.DISTRESS),
        ("1.0999", Zone.DISTRESS),
        ("1.10", Zone.GREY),
        ("1.1001", Zone.GREY),
        ("2.5999", Zone.GREY),
        ("2.60", Zone.GREY),
        ("2.6001", Zone.SAFE),
    ],
)
def test_the_bounds_of_the_zones_are_grey_themselves(z_score: str, zone: Zone) -> None:
    assert zone_of(Decimal(z_score)) is zone


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"total_assets": usd(0)}, {"x1": Absence.NO_ASSETS, "z_score": Absence.NO_ASSETS, "zone": Absence.NO_ASSETS}),
        ({"total_liabilities": usd(0)}, {"x4": Absence.NO_LIABILITIES, "z_score": Absence.NO_LIABILITIES}),
        ({"current_liabilities": usd(0)}, {"current_ratio": Absence.NO_CURRENT_LIABILITIES}),
        ({"equity": usd(0)}, {"debt_to_equity": Absence.NO_EQUITY}),
        ({"interest_expense": usd(0)}, {"interest_cover": Absence.NO_INTEREST, "net_margin": Absence.NOT_GIVEN}),
        ({"revenue": usd(0), "net_income": usd(1)}, {"net_margin": Absence.NO_REVENUE}),
    ],
)
def test_where_there_is_nothing_to_divide_by_the_absence_has_a_name(
    changes: dict[str, Money], missing: dict[str, Absence]
) -> None:
    ratios = ratios_of(replace(SEETHER, **changes))
    for name, absence in missing.items():
        assert (getattr(ratios, name), ratios.missing[name]) == (None, absence)


amounts = st.integers(min_value=-(10**12), max_value=10**12).map(lambda minor: Money(minor, "EUR"))


@given(st.builds(Statement, *[amounts] * 10))
def test_any_figures_give_every_ratio_or_the_name_of_its_absence(statement: Statement) -> None:
    ratios = ratios_of(statement)
    for name in set(Statement.__dataclass_fields__) ^ {f for f in ratios.__dataclass_fields__ if f != "missing"}:
        if hasattr(ratios, name):
            assert (getattr(ratios, name) is None) == (name in ratios.missing)
