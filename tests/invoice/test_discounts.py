"""Early-payment discounts against tables worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoice.discounts.rules import Claim, Offer, cash_to_settle, discount, earned, share, tax_of
from shared.money import round_half_even

UNTIL = date(2024, 3, 11)
OFFERS = (Offer(UNTIL, 200), Offer(UNTIL + timedelta(10), 100))


@pytest.mark.parametrize(
    ("received_on", "rate_bp"),
    [
        (UNTIL - timedelta(5), 200),
        (UNTIL, 200),
        (UNTIL + timedelta(1), 100),
        (UNTIL + timedelta(10), 100),
        (UNTIL + timedelta(11), 0),
    ],
)
def test_the_last_day_of_each_tier_counts(received_on: date, rate_bp: int) -> None:
    assert earned(OFFERS, received_on) == rate_bp
    assert earned((), received_on) == 0


@pytest.mark.parametrize(
    ("paid", "open_", "rate_bp", "taken_off", "by_hand"),
    [
        (9_800, 10_000, 200, 200, "98.00 settles 98.00 / 0.98 = 100.00"),
        (4_900, 10_000, 200, 100, "49.00 settles 50.00"),
        (5_000, 10_000, 200, 102, "50.00 / 0.98 = 51.0204, less 50.00 is 1.02"),
        (100, 10_000, 200, 2, "1.00 / 0.98 = 1.0204"),
        (24, 10_000, 200, 0, "0.24 x 2/98 = 0.0049"),
        (10_000, 10_000, 200, 0, "a discount not taken is not granted"),
        (9_900, 10_000, 200, 100, "more than was needed takes the rest"),
        (9_900, 10_000, 100, 100, "99.00 settles 100.00 at 1 percent"),
        (9_825, 10_025, 200, 200, "100.25 x 2% = 2.005, half-even 2.00"),
        (9_824, 10_025, 200, 201, "and a customer who rounds it up to 2.01 owes nothing more"),
        (9_823, 10_025, 200, 200, "98.23 / 0.98 = 100.2347, so 2 cents are still open"),
        (1, 1, 200, 0, "a cent"),
        (5_000, 5_000, 0, 0, "no discount agreed, or too late"),
    ],
)
def test_a_part_payment_in_time_settles_itself_divided_by_one_less_the_rate(
    paid: int, open_: int, rate_bp: int, taken_off: int, by_hand: str
) -> None:
    assert discount(paid, open_minor=open_, rate_bp=rate_bp) == taken_off, by_hand


@given(st.integers(1, 10**9), st.integers(1, 9_000))
def test_paying_what_is_open_less_its_discount_settles_it(open_: int, rate_bp: int) -> None:
    cash = cash_to_settle(open_, rate_bp)

    assert cash + discount(cash, open_minor=open_, rate_bp=rate_bp) == open_ or cash == 0
    assert open_ - cash == round_half_even(Decimal(open_ * rate_bp) / 10_000)


@given(st.integers(1, 10**7), st.integers(0, 5_000), st.lists(st.integers(1, 10**6), max_size=8))
def test_part_payments_never_settle_more_than_is_open_and_earn_no_more_than_the_rate(
    open_: int, rate_bp: int, payments: list[int]
) -> None:
    left, taken = open_, 0
    for payment in payments:
        paid = min(payment, left)
        off = discount(paid, open_minor=left, rate_bp=rate_bp)
        left, taken = left - paid - off, taken + off
        assert left >= 0
    assert taken <= open_ * rate_bp / 10_000 + len(payments) + 1


@pytest.mark.parametrize(
    ("off", "net", "tax", "of_it_tax"),
    [
        (238, 10_000, 1_900, 38),  # 2% of 119.00: s. 17(1) UStG lowers 100.00 and 19.00 by 2% each.
        (100, 10_000, 0, 0),
        (100, 10_000, 1_900, 16),  # 100 x 19/119 = 15.966
        (1, 10_000, 1_900, 0),
    ],
)
def test_the_tax_in_a_discount_is_its_share_of_the_invoice(off: int, net: int, tax: int, of_it_tax: int) -> None:
    assert tax_of(off, net_minor=net, tax_minor=tax) == of_it_tax


@pytest.mark.parametrize(
    ("available", "parts", "why"),
    [
        (19_600, [9_800, 9_800], "both with their discount"),
        (20_000, [10_000, 10_000], "both in full: no discount was taken"),
        (10_000, [10_000, 0], "exactly the first"),
        (9_800, [9_800, 0], "exactly the first with its discount"),
        (15_000, [9_800, 5_200], "the first with its discount, the rest is a part payment"),
        (19_700, [9_900, 9_800], "what is left over goes back to the first"),
        (25_000, [10_000, 10_000], "and what nobody takes stays unapplied"),
        (500, [500, 0], "a part payment"),
    ],
)
def test_a_payment_of_several_invoices_is_shared_with_their_discounts(
    available: int, parts: list[int], why: str
) -> None:
    assert share(available, [Claim(10_000, 200), Claim(10_000, 200)]) == parts, why


@given(st.integers(1, 10**6), st.lists(st.tuples(st.integers(1, 10**5), st.sampled_from([0, 100, 200, 300]))))
def test_a_shared_payment_goes_nowhere_else(available: int, open_items: list[tuple[int, int]]) -> None:
    claims = [Claim(minor, rate) for minor, rate in open_items]

    parts = share(available, claims)

    assert sum(parts) == min(available, sum(claim.open_minor for claim in claims))
    assert all(0 <= part <= claim.open_minor for part, claim in zip(parts, claims, strict=True))


@given(st.integers(1, 10**6), st.lists(st.integers(1, 10**5), min_size=1))
def test_without_discounts_the_first_are_filled_first(available: int, open_items: list[int]) -> None:
    expected, left = [], available
    for minor in open_items:
        expected.append(min(minor, left))
        left -= expected[-1]

    assert share(available, [Claim(minor, 0) for minor in open_items]) == expected
