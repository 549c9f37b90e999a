"""Money keeps every minor unit, and refuses an amount whose exponent is not its currency's."""

from __future__ import annotations

from decimal import Decimal

import pytest
from babel.core import get_global
from babel.numbers import get_currency_precision
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared import money
from shared.money import MINOR_MAX, Money

WIRE = TypeAdapter(Money)

currencies = st.sampled_from(["EUR", "USD", "JPY", "KWD", "CLF", "HUF", "ISK"])
amounts = st.builds(Money, st.integers(-MINOR_MAX, MINOR_MAX), currencies)


@given(amounts)
def test_an_amount_survives_being_written_and_read(amount: Money) -> None:
    assert Money.parse(amount.amount, amount.currency) == amount
    assert Money.parse(amount.decimal, amount.currency) == amount
    assert WIRE.validate_json(WIRE.dump_json(amount)) == amount


@pytest.mark.parametrize(
    ("text", "currency", "minor", "written"),
    [
        ("125.00", "EUR", 12500, "125.00"),
        ("125", "EUR", 12500, "125.00"),
        ("125.5", "EUR", 12550, "125.50"),
        ("-0.05", "EUR", -5, "-0.05"),
        ("-0", "EUR", 0, "0.00"),
        ("1250", "JPY", 1250, "1250"),
        ("1.250", "KWD", 1250, "1.250"),
        ("0.001", "KWD", 1, "0.001"),
        ("1.2345", "CLF", 12345, "1.2345"),
    ],
)
def test_a_currency_is_counted_in_its_own_minor_units(text: str, currency: str, minor: int, written: str) -> None:
    amount = Money.parse(text, currency)
    assert amount.minor == minor
    assert amount.amount == written
    assert str(amount) == f"{written} {currency}"


@pytest.mark.parametrize(
    ("text", "currency"),
    [("1.5", "JPY"), ("100.00", "JPY"), ("1.005", "EUR"), ("10.000", "EUR"), ("1.2345", "KWD"), ("1.23456", "CLF")],
)
def test_more_decimals_than_the_currency_has_are_refused(text: str, currency: str) -> None:
    with pytest.raises(ValueError, match="decimal"):
        Money.parse(text, currency)


def test_a_calculated_decimal_is_taken_when_exact_and_refused_when_not() -> None:
    assert Money.parse(Decimal("12.500"), "EUR") == Money(1250, "EUR")
    with pytest.raises(ValueError, match="has more"):
        Money.parse(Decimal("12.505"), "EUR")
    for odd in (Decimal("NaN"), Decimal("Infinity"), Decimal("1e99999")):
        with pytest.raises(ValueError, match="amount"):
            Money.parse(odd, "EUR")


@pytest.mark.parametrize(
    "text", ["", " 5", "5 ", "1e2", "1_000", "1,000.00", "+5", "NaN", "Infinity", "\u0665", ".5", "5."]
)
def test_anything_but_plain_digits_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a decimal number"):
        Money.parse(text, "EUR")


@pytest.mark.parametrize("text", ["10000000000000.01", "9999999999999999", "-10000000000000.01"])
def test_an_amount_beyond_the_largest_is_refused(text: str) -> None:
    assert Money.parse("10000000000000.00", "EUR").minor == MINOR_MAX
    with pytest.raises(ValueError, match="too large"):
        Money.parse(text, "EUR")


@pytest.mark.parametrize("code", ["EURO", "eur", "", "XXX", "XAU", "DEM", "BTC", "ZZZ"])
def test_a_currency_nobody_invoices_in_is_unknown(code: str) -> None:
    with pytest.raises(ValueError, match="unknown currency"):
        Money.parse("1", code)


def test_every_currency_that_is_legal_tender_somewhere_is_known_with_its_iso_exponent() -> None:
    tender = {
        code
        for territory in get_global("territory_currencies").values()
        for code, _, until, legal in territory
        if until is None and legal
    }
    assert {code for code in tender if not _known(code)} == set()
    shown_without_decimals = {"AFN", "ALL", "IQD", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "RSD", "SOS", "SYP", "YER"}
    assert {code for code in tender if get_currency_precision(code) != money.exponent(code)} == shown_without_decimals


def _known(code: str) -> bool:
    try:
        money.exponent(code)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    "wire",
    [
        '{"amount": 125.0, "currency": "EUR"}',
        '{"amount": 125, "currency": "EUR"}',
        '{"amount": "125.00"}',
        '{"amount": "125.00", "currency": "eur"}',
        '{"amount": "125.00", "currency": "EUR", "scale": 2}',
        '{"amount": "1.5", "currency": "JPY"}',
        '"125.00 EUR"',
        "125",
    ],
)
def test_on_the_wire_money_is_text_and_a_currency_and_nothing_else(wire: str) -> None:
    with pytest.raises(ValidationError):
        WIRE.validate_json(wire)


@given(amounts, st.integers(-(10**9), 10**9))
def test_adding_and_taking_away_cancel(amount: Money, other: int) -> None:
    change = Money(other, amount.currency)
    assert amount + change - change == amount
    assert amount + -amount == Money.zero(amount.currency)


def test_two_currencies_do_not_add_up() -> None:
    with pytest.raises(ValueError, match="do not add up"):
        _ = Money(1, "EUR") + Money(1, "USD")
    with pytest.raises(ValueError, match="do not add up"):
        money.total([Money(1, "EUR"), Money(1, "USD")], "EUR")


def test_the_total_of_nothing_is_zero_in_the_wanted_currency() -> None:
    assert money.total([], "JPY") == Money.zero("JPY")


@given(
    st.integers(-MINOR_MAX, MINOR_MAX),
    st.lists(st.integers(0, 10**9), min_size=1, max_size=20).filter(lambda weights: sum(weights) > 0),
)
def test_the_parts_of_a_split_add_up_and_are_off_by_less_than_a_unit(minor: int, weights: list[int]) -> None:
    parts = money.split(minor, weights)
    assert sum(parts) == minor
    whole = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * whole - minor * weight) < whole
        assert weight or part == 0


@given(st.integers(0, MINOR_MAX), st.lists(st.integers(1, 1000), min_size=1, max_size=8))
def test_a_reversal_splits_into_the_mirror_of_the_original(minor: int, weights: list[int]) -> None:
    assert money.split(-minor, weights) == [-part for part in money.split(minor, weights)]


def test_left_over_units_go_to_the_largest_remainders_first_come_first() -> None:
    assert money.split(100, [1, 1, 1]) == [34, 33, 33]
    assert money.split(100, [1, 2, 3]) == [17, 33, 50]


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [2, -1]])
def test_a_split_needs_something_to_go_by(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        money.split(100, weights)


@pytest.mark.parametrize(
    ("value", "rounded"), [("0.5", 0), ("1.5", 2), ("2.5", 2), ("-0.5", 0), ("-1.5", -2), ("2.51", 3)]
)
def test_ties_are_rounded_to_even(value: str, rounded: int) -> None:
    assert money.round_half_even(Decimal(value)) == rounded
