"""Who may be given to an agency, and what the agency gets: as tables, at, below and above each boundary."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reminder.placement_files import rules as files
from services.reminder.placements import rules
from services.reminder.placements.rules import Agency, Claim, Rate
from tests.reminder.facts import CASE, DUE, account, at, item

RATES = (Rate(0, Decimal(15)), Rate(181, Decimal("25.5")))
AGENCY = Agency("northern", 1, "Northern Collect", None, RATES)


def claim(minor: int, due_on: date = DUE) -> Claim:
    return Claim("R-1", due_on, due_on, minor, 0, minor)


@pytest.mark.parametrize(("days", "fits"), [(90, False), (91, True), (92, True)])
def test_the_oldest_invoice_is_old_enough(days: int, fits: bool) -> None:
    owed, today = account(item("R-1"), item("R-2", DUE + timedelta(days=80))), DUE + timedelta(days=days)
    if fits:
        assert [each.number for each in rules.to_place(owed, (), 91, today, is_open=True)] == ["R-1", "R-2"]
    else:
        with pytest.raises(rules.TooEarly):
            rules.to_place(owed, (), 91, today, is_open=True)


@pytest.mark.parametrize(("age", "fee"), [(0, 1_500), (180, 1_500), (181, 2_550), (182, 2_550), (-5, 1_500)])
def test_a_commission_goes_by_the_age_at_the_hand_over(age: int, fee: int) -> None:
    assert rules.fee_minor(claim(10_000), RATES, DUE + timedelta(days=age)) == fee


@pytest.mark.parametrize(("collected", "fee"), [(10, 2), (30, 4), (50, 8), (0, 0)])
def test_it_is_rounded_half_to_even_at_the_claim(collected: int, fee: int) -> None:
    assert rules.fee_minor(claim(collected), RATES, DUE) == fee  # 1.5, 4.5 and 7.5


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=20), st.integers(0, 400))
def test_an_agency_never_gets_more_than_its_highest_percent(amounts: list[int], age: int) -> None:
    placed_on = DUE + timedelta(days=age)
    for minor in amounts:
        assert 0 <= rules.fee_minor(claim(minor), RATES, placed_on) <= minor * Decimal("0.255") + 1


def test_the_same_claims_make_the_same_file() -> None:
    owed = account(item("R/1"))
    asked = rules.request(UUID(int=9), CASE, owed, owed.items, AGENCY, None, "anna", at(DUE))
    handed = replace(asked, status="placed", placed_on=DUE + timedelta(days=91))
    rows = rules.rows(handed, owed, {"R/1"})
    packed = files.pack(rows, {"R/1": b"%PDF"})
    assert packed == files.pack(rows, {"R/1": b"%PDF"})
    assert b"documents/R-1.pdf" in packed
