"""Interest on late payment against tables worked out by hand, each with the rule it follows.

D2011/7 is Directive 2011/7/EU on combating late payment; LPCD the Late Payment of Commercial Debts (Interest) Act 1998
with SI 2002/1675 (the rate). The reference rates of the tables are those that the service ships with; the amounts are
principal x rate x days / 365, in full before rounding, as a reader can check with a pocket calculator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoice.accruals import rules as accruals
from services.invoice.accruals.rules import Claim, Due, Move, Rest, Series
from services.invoice.entities.rules import InterestTerms
from services.invoice.interest import rules
from services.invoice.interest.rules import Charge
from shared.ids import new_id
from shared.money import Money

EU = InterestTerms(law="eu")
UK = InterestTerms(law="uk")
GERMANY = InterestTerms(law="eu", reference="de_basiszinssatz", margin=Decimal(9))
NINE_PERCENT = InterestTerms(law="contract", rate=Decimal(9), day_count="act/360")
JAN_31, FEB_10, FEB_15, FEB_29 = date(2024, 1, 31), date(2024, 2, 10), date(2024, 2, 15), date(2024, 2, 29)


def series(name: str, known_until: str, **rates: str) -> Series:
    dated = tuple((date.fromisoformat(day[1:].replace("_", "-")), Decimal(rate)) for day, rate in rates.items())
    return Series(name, 1, name, "by hand", date.fromisoformat(known_until), dated)


RATES = {
    each.name: each
    for each in (
        series(
            "ecb_mro",
            "2026-02-05",
            d2011_04_13="1.25",
            d2011_07_13="1.50",
            d2011_11_09="1.25",
            d2023_06_21="4.00",
            d2023_09_20="4.50",
            d2024_06_12="4.25",
            d2024_09_18="3.65",
            d2024_12_18="3.15",
            d2025_06_11="2.15",
        ),
        series("boe_bank_rate", "2026-02-05", d2022_06_16="1.25", d2022_12_15="3.50", d2023_06_22="5.00"),
        series("de_basiszinssatz", "2026-01-01", d2023_07_01="3.12", d2024_01_01="3.62"),
    )
}


def claim(*moves: Move, total: int = 1_000_00, due: date = JAN_31, **more: Any) -> Claim:
    return Claim(total, more.pop("dues", (Due(due, total),)), moves, **more)


def paid(minor: int, on: date, until: date | None = None) -> Move:
    return Move("payment", on, minor, until)


def borne(
    of: Claim, as_of: date, terms: InterestTerms = EU, order: accruals.AllocationOrder = "charges_first"
) -> accruals.Interest:
    return accruals.interest(of, terms, RATES, as_of, order=order)


def table(found: accruals.Interest) -> list[tuple[str, str, int, int, str, int]]:
    return [
        (str(s.first), str(s.last), s.days, s.principal_minor, accruals.percent_text(s.percent), s.minor)
        for s in found.segments
    ]


# --- by hand ---


def test_from_the_day_after_due_to_the_day_of_payment() -> None:
    """D2011/7 art. 3(1), 3(3): without a reminder, from the day following the date for payment. Due on 31 January 2024
    and paid on 1 March it is 30 days late: 29 in February and one. Art. 2(6), 2(7): 4.50 % on 1 January 2024 plus 8.

    1,000.00 x 12.50 % x 30 / 365 = 10.273972...
    """
    found = borne(claim(paid(1_000_00, date(2024, 3, 1))), date(2024, 12, 31))

    assert table(found) == [("2024-02-01", "2024-03-01", 30, 1_000_00, "12.50", 10_27)]
    assert accruals.exact_text(found.exact, "EUR") == "10.27397260"


def test_paid_on_the_due_date_it_bears_nothing_and_a_day_late_one_day() -> None:
    """D2011/7 art. 3(1)(b): the creditor has not received the amount on time."""
    assert borne(claim(paid(1_000_00, JAN_31)), FEB_29).segments == ()
    # 1,000.00 x 12.50 % x 1 / 365 = 0.342465...
    assert table(borne(claim(paid(1_000_00, date(2024, 2, 1))), FEB_29)) == [
        ("2024-02-01", "2024-02-01", 1, 1_000_00, "12.50", 34)
    ]


def test_the_rate_of_a_half_year_is_the_one_on_its_first_day() -> None:
    """D2011/7 art. 3(2): the rate in force on 1 January for the first semester, on 1 July for the second. The change of
    12 June 2024 (4.50 to 4.25) counts from 1 July only.

    16 to 30 June: 1,000.00 x 12.50 % x 15 / 365 =  5.136986...
    July:          1,000.00 x 12.25 % x 31 / 365 = 10.404109...  together 15.541095..., rounded once: 15.54
    """
    found = borne(claim(due=date(2024, 6, 15)), date(2024, 7, 31))

    assert table(found) == [
        ("2024-06-16", "2024-06-30", 15, 1_000_00, "12.50", 5_14),
        ("2024-07-01", "2024-07-31", 31, 1_000_00, "12.25", 10_40),
    ]
    assert found.minor == 15_54


def test_three_half_years() -> None:
    """D2011/7 art. 3(2): 4.00 % on 1 July 2023, 4.50 % on 1 January 2024, 4.25 % on 1 July 2024.

    1 to 31 December 2023: 2,000.00 x 12.00 % x  31 / 365 =  20.383561...
    January to June 2024:  2,000.00 x 12.50 % x 182 / 365 = 124.657534...  (a leap year, and 365 all the same)
    1 to 10 July 2024:     2,000.00 x 12.25 % x  10 / 365 =   6.712328...  together 151.753424...
    """
    found = borne(claim(total=2_000_00, due=date(2023, 11, 30)), date(2024, 7, 10))

    assert [(s.days, accruals.percent_text(s.percent)) for s in found.segments] == [
        (31, "12.00"),
        (182, "12.50"),
        (10, "12.25"),
    ]
    assert (found.minor, accruals.exact_text(found.exact, "EUR")) == (151_75, "151.75342466")


def test_a_part_payment_lowers_the_principal_from_the_next_day() -> None:
    """1 to 15 February: 1,000.00 x 12.50 % x 15 / 365 = 5.136986...
    16 to 29 February:     600.00 x 12.50 % x 14 / 365 = 2.876712...  together 8.013698...
    """
    found = borne(claim(paid(400_00, FEB_15)), FEB_29)

    assert table(found) == [
        ("2024-02-01", "2024-02-15", 15, 1_000_00, "12.50", 5_14),
        ("2024-02-16", "2024-02-29", 14, 600_00, "12.50", 2_87),
    ]


def test_interest_survives_the_payment_of_the_principal() -> None:
    """What was borne stays owed: 10 days, 3.424657..., however long nobody asks for it."""
    late = claim(paid(1_000_00, FEB_10))

    assert borne(late, FEB_10).minor == borne(late, date(2026, 1, 31)).minor == 3_42


def test_a_credit_note_counts_from_its_date() -> None:
    """1 to 10 February: 1,000.00 x 12.50 % x 10 / 365 = 3.424657...
    11 to 29 February:     800.00 x 12.50 % x 19 / 365 = 5.205479...  together 8.630136...
    """
    assert borne(claim(Move("credit", FEB_10, 200_00)), FEB_29).minor == 8_63


def test_what_was_disputed_with_reason_never_bore_interest() -> None:
    """D2011/7 art. 3(1)(a): the creditor has fulfilled its obligations. 800.00 x 12.50 % x 29 / 365 = 7.945205..."""
    assert borne(claim(Move("credit", date.min, 200_00)), FEB_29).minor == 7_95
    assert borne(claim().without(200_00), FEB_29).minor == 7_95


def test_days_on_which_a_payment_was_here_bear_nothing_though_it_bounced() -> None:
    """Received on the 10th, taken back on the 20th: 1 to 10 and 21 to 29 February, 19 days.

    1,000.00 x 12.50 % x 19 / 365 = 6.506849...
    """
    found = borne(claim(paid(1_000_00, FEB_10, until=date(2024, 2, 20))), FEB_29)

    assert [(s.days, s.minor) for s in found.segments] == [(10, 3_42), (9, 3_09)]


def test_each_instalment_of_the_terms_is_late_by_itself() -> None:
    """D2011/7 art. 5: of a schedule, interest is calculated solely on the overdue amounts.

    1 to 15 February:  500.00 x 12.50 % x 15 / 365 = 2.568493...
    16 to 29 February: 200.00 x 12.50 % x 14 / 365 = 0.958904...
    March:             700.00 x 12.50 % x 31 / 365 = 7.431506...  together 10.958904...
    """
    halves = (Due(JAN_31, 500_00), Due(FEB_29, 500_00))
    found = borne(claim(paid(300_00, FEB_15), dues=halves), date(2024, 3, 31))

    assert [(s.days, s.principal_minor) for s in found.segments] == [(15, 500_00), (14, 200_00), (31, 700_00)]
    assert found.minor == 10_96


def test_an_instalment_bears_nothing_on_its_due_date_also_where_a_payment_came_the_day_before() -> None:
    """500.00 to 28 February, 28 days: 4.794520...; 200.00 on the 29th: 0.068493...; 700.00 on 1 March: 0.239726..."""
    halves = (Due(JAN_31, 500_00), Due(FEB_29, 500_00))
    found = borne(claim(paid(300_00, date(2024, 2, 28)), dues=halves), date(2024, 3, 1))

    assert [(s.days, s.principal_minor) for s in found.segments] == [(28, 500_00), (1, 200_00), (1, 700_00)]
    assert found.minor == 5_10


@pytest.mark.parametrize(
    ("order", "principal", "minor"), [("charges_first", 540_00, 7_73), ("principal_first", 500_00, 7_53)]
)
def test_a_payment_settles_costs_first_or_the_principal_first(
    order: accruals.AllocationOrder, principal: int, minor: int
) -> None:
    """S. 367(1) BGB, art. 1343-1 Code civil: costs, interest, principal, unless agreed otherwise. EUR 40 charged on
    10 February, EUR 500 paid on the 15th; the EUR 40 themselves bear nothing.

    1,000.00 x 12.50 % x 15 / 365 = 5.136986... and, for 14 days, 540.00 (2.589041...) or 500.00 (2.397260...)
    """
    found = borne(claim(Move("charge", FEB_10, 40_00), paid(500_00, FEB_15)), FEB_29, order=order)

    assert [s.principal_minor for s in found.segments] == [1_000_00, principal]
    assert found.minor == minor


def test_germany_asks_nine_points_above_its_base_rate() -> None:
    """S. 288(2), 247 BGB: 3.12 % from 1 July 2023, plus 9 points. 1,190.00 x 12.12 % x 30 / 365 = 11.854356..."""
    found = borne(claim(total=1_190_00, due=date(2023, 8, 31)), date(2023, 9, 30), GERMANY)

    assert table(found) == [("2023-09-01", "2023-09-30", 30, 1_190_00, "12.12", 11_85)]


def test_the_reference_of_1_july_2011_is_that_of_the_day_though_it_rose_on_the_13th() -> None:
    """D2011/7 art. 3(2)(b): 1.25 % was in force on 1 July 2011, 1.50 % from the 13th, 1.25 % again from 9 November.

    10,000.00 x 9.25 % x 92 / 365 = 233.150684...
    """
    found = borne(claim(total=10_000_00, due=date(2011, 7, 31)), date(2011, 10, 31))

    assert table(found) == [("2011-08-01", "2011-10-31", 92, 10_000_00, "9.25", 233_15)]


def test_in_the_united_kingdom_the_rate_of_the_day_it_began_stays() -> None:
    """LPCD s. 4(3), 6; SI 2002/1675 art. 4: 8 points over the official dealing rate in force on 30 June (interest that
    starts to run between 1 July and 31 December). On 30 June 2022 it was 1.25 %; neither the rise to 3.50 % on
    15 December nor the new half-year changes it for this debt.

    17 December to 31 January: 5,000.00 x 9.25 % x 46 / 365 = 58.287671...
    """
    found = borne(claim(total=5_000_00, due=date(2022, 12, 16)), date(2023, 1, 31), UK)

    assert table(found) == [("2022-12-17", "2023-01-31", 46, 5_000_00, "9.25", 58_29)]


def test_in_the_united_kingdom_a_debt_that_is_late_from_1_january_has_the_rate_of_31_december() -> None:
    """SI 2002/1675 art. 4(b): 3.50 % on 31 December 2022. 5,000.00 x 11.50 % x 31 / 365 = 48.835616..."""
    found = borne(claim(total=5_000_00, due=date(2022, 12, 31)), date(2023, 1, 31), UK)

    assert table(found) == [("2023-01-01", "2023-01-31", 31, 5_000_00, "11.50", 48_84)]


def test_in_the_united_kingdom_the_rate_is_that_of_the_day_before_the_half_year() -> None:
    """SI 2002/1675 art. 4: in force on 30 June; a change that takes effect on 1 July comes a half-year later."""
    changing = {"boe_bank_rate": series("boe_bank_rate", "2024-12-31", d2024_01_01="5.00", d2024_07_01="6.00")}

    def percent(due: date) -> Decimal:
        return accruals.annual_rates(UK, changing, due + timedelta(1), due + timedelta(1))[0].percent

    assert (percent(date(2024, 8, 31)), percent(date(2025, 1, 31))) == (Decimal(13), Decimal(14))


def test_a_contract_has_its_own_rate_and_day_count() -> None:
    """10,000.00 x 9 % x 30 / 360 = 75.00 exactly."""
    found = borne(claim(total=10_000_00), date(2024, 3, 1), NINE_PERCENT)

    assert (table(found)[0][2:], found.exact) == ((30, 10_000_00, "9.00", 75_00), Fraction(75_00))


def test_a_contract_above_a_reference_rate_follows_it_day_by_day() -> None:
    """Bank Rate plus 2: 5.50 % from 15 December 2022; 3.25 % before.

    10 to 14 December: 3,650.00 x 3.25 % x 5 / 365 = 1.625; 15 to 20: 3,650.00 x 5.50 % x 6 / 365 = 3.30; 4.925
    """
    terms = InterestTerms(law="contract", reference="boe_bank_rate", margin=Decimal(2))
    found = borne(claim(total=3_650_00, due=date(2022, 12, 9)), date(2022, 12, 20), terms)

    assert [(s.days, accruals.percent_text(s.percent)) for s in found.segments] == [(5, "3.25"), (6, "5.50")]
    assert (found.exact, found.minor) == (Fraction(9850, 20), 4_92)  # 4.925 to even.


@pytest.mark.parametrize(("principal", "minor"), [(25_00, 0), (75_00, 2), (125_00, 2), (175_00, 4)])
def test_half_a_cent_goes_to_the_even_one(principal: int, minor: int) -> None:
    """7.30 % a year is 0.02 % a day: 25.00 bear 0.005, 75.00 bear 0.015."""
    terms = InterestTerms(law="contract", rate=Decimal("7.30"))
    assert borne(claim(total=principal), date(2024, 2, 1), terms).minor == minor


def test_while_a_plan_was_kept_its_days_bear_nothing() -> None:
    """D2011/7 art. 5. 1 to 10 and 21 to 29 February: 19 days, 6.506849..."""
    found = borne(claim(rests=(Rest(date(2024, 2, 11), date(2024, 2, 20)),)), FEB_29)

    assert [(s.days, s.minor) for s in found.segments] == [(10, 3_42), (9, 3_09)]


def test_a_rate_not_known_yet_is_provisional_and_not_charged() -> None:
    found = borne(claim(due=date(2026, 6, 20)), date(2026, 7, 5))

    assert [(s.days, s.provisional) for s in found.segments] == [(10, False), (5, True)]
    assert found.known_until == date(2026, 6, 30)
    with pytest.raises(accruals.RateUnknown):
        accruals.known(found)
    with pytest.raises(accruals.RateUnknown):
        borne(claim(due=date(2009, 1, 1)), FEB_29)


@pytest.mark.parametrize(
    ("terms", "debt", "cost"),
    [
        (EU, Money(5_00, "EUR"), Money(40_00, "EUR")),  # D2011/7 art. 6(1): a minimum of EUR 40, whatever the debt.
        (EU, Money(90_000_00, "EUR"), Money(40_00, "EUR")),
        (UK, Money(999_99, "GBP"), Money(40_00, "GBP")),  # LPCD s. 5A(2)(a): a debt less than 1,000 pounds.
        (UK, Money(1_000_00, "GBP"), Money(70_00, "GBP")),  # (b): 1,000 or more, but less than 10,000.
        (UK, Money(9_999_99, "GBP"), Money(70_00, "GBP")),
        (UK, Money(10_000_00, "GBP"), Money(100_00, "GBP")),  # (c): 10,000 or more.
    ],
)
def test_the_cost_of_recovery_is_the_laws(terms: InterestTerms, debt: Money, cost: Money) -> None:
    assert rules.recovery_cost(terms, debt) == cost


def test_the_cost_of_recovery_in_another_currency_is_the_policys() -> None:
    with pytest.raises(rules.ChargeRefused):
        rules.recovery_cost(EU, Money(100_00, "USD"))
    krona = InterestTerms(law="eu", recovery_cost=(Money(450_00, "SEK"),))  # Sweden: lag 1981:739, s. 4 a.
    assert rules.recovery_cost(krona, Money(100_00, "SEK")) == Money(450_00, "SEK")


# --- charged, and put right ---


def charge(minor: int, last: date = FEB_29, status: rules.ChargeStatus = "standing") -> Charge:
    return Charge(
        id=new_id(),
        invoice_id=new_id(),
        customer_id=new_id(),
        kind="interest",
        status=status,
        amount_minor=minor,
        currency="EUR",
        first_day=date(2024, 2, 1),
        last_day=last,
        effective_on=last,
        reason="late",
    )


def test_what_was_charged_or_waived_is_not_charged_again_and_what_was_corrected_is() -> None:
    found = borne(claim(), FEB_29)  # 9.931506...: 9.93

    assert rules.uncharged(found, [charge(5_00), charge(2_00, status="waived")]) == 2_93
    assert rules.uncharged(found, [charge(5_00, status="corrected")]) == 9_93


def test_too_much_charged_is_lowered_from_the_newest_on() -> None:
    found = borne(claim(paid(1_000_00, FEB_10)), FEB_29)  # 3.42
    old, new = charge(2_00, FEB_15), charge(7_93, FEB_29)

    correction = rules.correct(found, [old, new], balance_minor=100_00)

    assert correction == rules.Correction((new,), 1_42)
    assert rules.correct(found, [replace(old, amount_minor=3_42)], 100_00) is None


def test_what_was_paid_of_a_charge_is_not_taken_back_but_counts_towards_the_next() -> None:
    found = borne(claim(paid(1_000_00, FEB_10)), FEB_29)

    whole = charge(9_93)

    assert rules.correct(found, [whole], balance_minor=0) is None
    assert rules.correct(found, [whole], balance_minor=1_00) == rules.Correction((whole,), 8_93)
    assert rules.uncharged(found, [whole]) == -6_51


# --- whatever happens ---

DAYS = st.dates(date(2023, 7, 1), date(2025, 6, 30))


@st.composite
def claims(draw: st.DrawFn) -> Claim:
    total = draw(st.integers(1, 10**9))
    due = draw(DAYS)
    moves: list[Move] = []
    for _ in range(draw(st.integers(0, 6))):
        on = draw(DAYS)
        until = draw(st.none() | st.integers(0, 90).map(lambda days, on=on: on + timedelta(days=days)))
        moves.append(
            Move(draw(st.sampled_from(["payment", "credit", "charge"])), on, draw(st.integers(1, total)), until)
        )
    return Claim(total, (Due(due, total),), tuple(moves))


@given(claims(), DAYS, st.sampled_from(["charges_first", "principal_first"]))
def test_segments_add_up_do_not_overlap_and_never_bear_on_more_than_the_principal(
    of: Claim, as_of: date, order: accruals.AllocationOrder
) -> None:
    found = borne(of, as_of, order=order)

    assert sum(segment.minor for segment in found.segments) == round(found.exact)
    assert all(0 < segment.principal_minor <= of.total_minor for segment in found.segments)
    assert all(one.last < two.first for one, two in zip(found.segments, found.segments[1:], strict=False))
    assert all(segment.last <= as_of for segment in found.segments)


@given(claims(), st.lists(DAYS, min_size=1, max_size=5))
def test_charged_in_pieces_it_comes_to_what_it_would_at_once(of: Claim, days: Sequence[date]) -> None:
    """Charging more often neither gains nor loses a cent."""
    charged: list[Charge] = []
    for day in sorted(days):
        due = rules.uncharged(borne(of, day), charged)
        assert due >= 0
        if due:
            charged.append(charge(due, day))

    assert rules.charged(charged) == borne(of, max(days)).minor


@given(claims(), DAYS, st.integers(1, 10**9), DAYS)
def test_a_payment_known_later_never_raises_what_is_owed(of: Claim, on: date, minor: int, as_of: date) -> None:
    before = borne(of, as_of, order="principal_first").exact
    more = replace(of, moves=(*of.moves, paid(minor, on)))
    assert borne(more, as_of, order="principal_first").exact <= before
