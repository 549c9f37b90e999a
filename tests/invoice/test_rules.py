"""The pure rules, below, at and above each boundary."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoice.cash_application import rules as cash_application
from services.invoice.disputes.rules import Dispute, shrink
from services.invoice.entities.rules import is_of_series, series_number
from services.invoice.invoices import rules as invoices
from services.invoice.invoices.rules import Invoice
from services.invoice.movements import rules as movements
from services.invoice.overdue import rules as overdue
from services.invoice.overdue.rules import Reason
from services.invoice.pricing.rules import InvoiceTotalRefused, Line, decimal_text, divide_half_even, price, scaled
from shared.ids import new_id
from shared.money import Money, round_half_even

DUE = date(2024, 3, 31)
CUSTOMER = UUID("0190b8d0-0000-7000-8000-000000000001")


def an_invoice(**changes: Any) -> Invoice:
    issued_on = date(2024, 3, 1)
    fields: dict[str, Any] = {
        "id": new_id(),
        "version": 1,
        "entity_id": "default",
        "customer_id": CUSTOMER,
        "number": "A-1",
        "currency": "EUR",
        "issue_date": issued_on,
        "due_date": DUE,
        "net_minor": 10_000,
        "tax_minor": 0,
        "raised_on": issued_on,
        "moved_on": issued_on,
        "delivery_channel": "email",
    }
    return Invoice(**{**fields, **changes})


def a_line(price_minor: int, quantity: str = "1", rate: str = "0") -> Line:
    millionths, rate_bp = int(Decimal(quantity) * 1_000_000), int(Decimal(rate) * 100)
    return Line("x", millionths, Money(price_minor, "EUR"), "S" if rate_bp else "O", rate_bp)


class TestPricing:
    @pytest.mark.parametrize(
        ("quantity", "net"), [("0.4", 0), ("0.5", 0), ("0.6", 1), ("1.5", 2), ("2.5", 2), ("-1.5", -2)]
    )
    def test_a_line_is_rounded_half_to_even(self, quantity: str, net: int) -> None:
        assert price([a_line(1, quantity), a_line(100)]).lines[0].net_minor == net

    def test_tax_is_rounded_once_for_each_rate_not_line_by_line(self) -> None:
        priced = price([a_line(33, rate="19")] * 3)

        assert (priced.net_minor, priced.tax_minor) == (99, 19), "three lines of 6.27 would round to 18"

    def test_rates_are_kept_apart(self) -> None:
        priced = price([a_line(1000, rate="19"), a_line(1000, rate="7"), a_line(1000)])

        assert [(group.rate_bp, group.taxable_minor, group.tax_minor) for group in priced.taxes] == [
            *((1900, 1000, 190), (700, 1000, 70), (0, 1000, 0))
        ]

    @pytest.mark.parametrize("minor", [-1, 0])
    def test_nothing_or_less_is_not_an_invoice(self, minor: int) -> None:
        with pytest.raises(InvoiceTotalRefused):
            price([a_line(100), a_line(100 - minor, "-1")])
        assert price([a_line(100), a_line(99, "-1")]).total_minor == 1

    @given(st.integers(-(10**12), 10**12), st.sampled_from([2, 10, 10_000, 1_000_000]))
    def test_whole_numbers_are_divided_as_decimals_are_rounded_half_to_even(self, amount: int, by: int) -> None:
        assert divide_half_even(amount, by) == round_half_even(Decimal(amount) / by)

    @pytest.mark.parametrize(
        ("text", "units", "shown"),
        [
            ("2.5", 250, "2.5"),
            ("-0.5", -50, "-0.5"),
            ("19.00", 1900, "19"),
            ("100", 10_000, "100"),
            ("0.05", 5, "0.05"),
        ],
    )
    def test_decimal_text_is_kept_as_whole_units(self, text: str, units: int, shown: str) -> None:
        assert scaled(text, 2) == units
        assert decimal_text(units, 2) == shown

    @given(
        st.lists(
            st.tuples(
                st.integers(1, 10**9),
                st.decimals("0.001", "9999", places=3),
                st.sampled_from(["0", "7", "8.1", "19", "25.5"]),
            ),
            min_size=1,
            max_size=20,
        )
    )
    def test_the_total_is_the_lines_and_each_tax_within_half_a_unit_of_exact(
        self, wanted: list[tuple[int, Decimal, str]]
    ) -> None:
        priced = price([a_line(minor, str(quantity), rate) for minor, quantity, rate in wanted] + [a_line(1)])

        assert priced.net_minor == sum(line.net_minor for line in priced.lines)
        assert priced.tax_minor == sum(group.tax_minor for group in priced.taxes)
        assert sum(group.taxable_minor for group in priced.taxes) == priced.net_minor
        for group in priced.taxes:
            assert abs(group.tax_minor - Decimal(group.rate_bp) * group.taxable_minor / 10_000) <= Decimal("0.5")


class TestTheOverdueLadder:
    @pytest.mark.parametrize(
        ("day", "said"),
        [
            (DUE - timedelta(8), []),
            (DUE - timedelta(7), ["due_soon"]),
            (DUE, ["due_soon"]),
            (DUE + timedelta(1), ["overdue"]),
            (DUE + timedelta(30), ["overdue"]),
            (DUE + timedelta(31), ["overdue", "aged"]),
            (DUE + timedelta(60), ["overdue", "aged"]),
            (DUE + timedelta(61), ["overdue", "aged", "aged"]),
            (DUE + timedelta(90), ["overdue", "aged", "aged"]),
            (DUE + timedelta(91), ["overdue", "aged", "aged", "aged"]),
            (DUE + timedelta(1000), ["overdue", "aged", "aged", "aged"]),
        ],
    )
    def test_a_first_look_says_all_that_is_true_by_then(self, day: date, said: list[str]) -> None:
        outcome = overdue.announce(an_invoice(), day)

        assert [event.type.split(".")[2] for event in outcome.events] == said
        assert outcome.invoice.version == 1 + len(said)
        assert outcome.look_again_on is None or outcome.look_again_on > day
        assert overdue.announce(outcome.invoice, day).events == ()

    def test_a_settled_invoice_says_nothing(self) -> None:
        outcome = overdue.announce(an_invoice(allocated_minor=10_000, settled_on=DUE), DUE + timedelta(5))

        assert (outcome.reason, outcome.look_again_on) == (Reason.NOTHING_OWED, None)

    def test_looking_day_by_day_says_the_same_as_looking_once(self) -> None:
        patient, often = an_invoice(), an_invoice()
        said = []
        for n in range(200):
            outcome = overdue.announce(often, DUE - timedelta(10) + timedelta(n))
            often = outcome.invoice
            said += [(event.type, event.effective_on) for event in outcome.events]

        late = overdue.announce(patient, DUE + timedelta(190)).events

        assert said[1:] == [(event.type, event.effective_on) for event in late]
        assert said[0] == ("dueward.invoice.due_soon.v1", DUE - timedelta(7))

    @pytest.mark.parametrize(
        ("reopened_on", "since"),
        [
            (DUE - timedelta(3), DUE + timedelta(1)),
            (DUE + timedelta(1), DUE + timedelta(1)),
            (DUE + timedelta(2), DUE + timedelta(2)),
        ],
    )
    def test_an_episode_begins_after_due_and_not_before_the_reopening(self, reopened_on: date, since: date) -> None:
        reopened = an_invoice(reopened_on=reopened_on, due_soon_on=DUE)

        assert overdue.announce(reopened, since - timedelta(1)).events == ()
        assert overdue.announce(reopened, since).events[0].effective_on == since


class TestDates:
    def test_an_invoice_may_be_due_when_issued_but_not_before(self) -> None:
        assert invoices.due_date(DUE, stated=DUE, net_days=30) == DUE
        assert invoices.due_date(DUE, stated=None, net_days=0) == DUE
        with pytest.raises(invoices.DatesRefused):
            invoices.due_date(DUE, stated=DUE - timedelta(1), net_days=30)

    def test_an_invoice_is_issued_today_at_the_latest(self) -> None:
        assert invoices.issue_date(None, DUE) == invoices.issue_date(DUE, DUE) == DUE
        assert invoices.issue_date(DUE - timedelta(400), DUE) == DUE - timedelta(400)
        with pytest.raises(invoices.DatesRefused):
            invoices.issue_date(DUE + timedelta(1), DUE)

    def test_a_payment_never_counts_before_the_balance_last_rose(self) -> None:
        reopened = an_invoice(raised_on=date(2024, 3, 10), moved_on=date(2024, 3, 10))

        early = movements.allocate(reopened, 1, received_on=date(2024, 3, 5), booked_on=date(2024, 3, 12))
        late = movements.allocate(reopened, 1, received_on=date(2024, 3, 11), booked_on=date(2024, 3, 12))

        assert early.events[0].effective_on == date(2024, 3, 10)
        assert late.events[0].effective_on == date(2024, 3, 11)

    def test_two_payments_out_of_order_settle_on_the_later_date(self) -> None:
        part = movements.allocate(an_invoice(), 5_000, received_on=date(2024, 3, 20), booked_on=date(2024, 3, 20))
        rest = movements.allocate(part.invoice, 5_000, received_on=date(2024, 3, 10), booked_on=date(2024, 3, 22))

        assert rest.events[0].effective_on == date(2024, 3, 10)
        assert rest.invoice.settled_on == date(2024, 3, 20)


class TestCashApplication:
    @pytest.mark.parametrize(
        ("reference", "number"),
        [
            ("A-1", "A-1"),
            ("invoice a-1, thanks", "A-1"),
            ("(A-1)", "A-1"),
            ("A-1;B-2", "A-1"),
            ("A-1/B-2", "B-2"),
            ("2024/17.", "2024/17"),
            ("No. 0280670965", "0280670965"),
        ],
    )
    def test_numbers_are_found_in_a_remittance_text(self, reference: str, number: str) -> None:
        assert number in cash_application.tokens(reference)

    @pytest.mark.parametrize("reference", [None, "", "  ", "A-11", "XA-1", "A-1x"])
    def test_a_part_of_a_word_is_no_number(self, reference: str | None) -> None:
        assert "A-1" not in cash_application.tokens(reference)

    @pytest.mark.parametrize(("paid", "parts"), [(9_999, [9_999]), (10_000, [10_000]), (10_001, [10_000, 1])])
    def test_the_oldest_due_is_filled_before_the_next(self, paid: int, parts: list[int]) -> None:
        older, newer = an_invoice(), an_invoice(due_date=DUE + timedelta(1), number="A-2")

        plan = cash_application.automatic([newer, older], [], Money(paid, "EUR"), "EUR")

        assert [part.amount_minor for part in plan.parts] == parts
        assert plan.parts[0].invoice is older

    def test_a_reference_binds_the_whole_payment(self) -> None:
        named, other = an_invoice(), an_invoice(number="A-2", due_date=DUE - timedelta(9))

        plan = cash_application.automatic([named, other], ["A-1"], Money(15_000, "EUR"), "EUR")

        assert [(part.invoice.number, part.amount_minor) for part in plan.parts] == [("A-1", 10_000)]

    def test_without_open_items_cash_in_the_customers_currency_is_kept(self) -> None:
        assert cash_application.automatic([], [], Money(1, "EUR"), "EUR") == cash_application.NOTHING
        with pytest.raises(cash_application.CurrencyMismatch):
            cash_application.automatic([], [], Money(1, "USD"), "EUR")

    @given(
        st.lists(st.tuples(st.integers(1, 500), st.integers(0, 500)), max_size=8),
        st.integers(1, 3_000),
    )
    def test_a_plan_never_takes_more_than_there_is_or_is_owed(self, owed: list[tuple[int, int]], paid: int) -> None:
        items = [
            an_invoice(net_minor=net, disputed_minor=min(net, disputed), number=f"N-{n}")
            for n, (net, disputed) in enumerate(owed)
        ]

        plan = cash_application.automatic(items, [], Money(paid, "EUR"), "EUR")

        assert plan.total_minor == min(paid, sum(net for net, _ in owed))
        assert all(0 < part.amount_minor <= part.invoice.balance_minor for part in plan.parts)
        assert len({part.invoice.id for part in plan.parts}) == len(plan.parts)


class TestDisputes:
    @pytest.mark.parametrize(
        ("to_minor", "held"),
        [(80, [30, 50]), (79, [29, 50]), (51, [1, 50]), (50, [0, 50]), (49, [0, 49]), (0, [0, 0])],
    )
    def test_the_oldest_dispute_gives_way_first(self, to_minor: int, held: list[int]) -> None:
        first = Dispute(new_id(), new_id(), CUSTOMER, "open", "x", 30, 30, DUE)
        second = replace(first, id=new_id(), amount_minor=50, held_minor=50)

        changed = {each.id: each for each in shrink([second, first], to_minor, DUE)}

        after = [changed.get(each.id, each) for each in (first, second)]
        assert [each.held_minor for each in after] == held
        assert [each.status for each in after] == ["open" if minor else "paid" for minor in held]


class TestNumbers:
    def test_numbers_of_a_series_have_six_digits_or_more(self) -> None:
        assert series_number("DW-", 1) == "DW-000001"
        assert series_number("DW-", 1_234_567) == "DW-1234567"

    @pytest.mark.parametrize("number", ["DW-000001", "DW-999999", "DW-1234567"])
    def test_a_series_knows_its_own(self, number: str) -> None:
        assert is_of_series(number, "DW-")

    @pytest.mark.parametrize("number", ["DW-00001", "DW-00000x", "XDW-000001", "000001", "DW-"])
    def test_other_numbers_are_the_callers(self, number: str) -> None:
        assert not is_of_series(number, "DW-")
