"""Early-payment discounts against tables worked out by hand."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoice.discounts.rules import Claim, Offer, cash_to_settle, discount, earned, share, tax_of
from shared.money import round_half_even
from tests.invoice.client import Receivables, eur, line

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


TWO_TEN: dict[str, Any] = {
    "net_days": 30,
    "discounts": [{"percent": "2", "days": 10}, {"percent": "1", "days": 20}],
}
"""2/10, 1/20, net 30, from 1 March 2024: 2 percent to 11 March, 1 percent to 21 March, due on 31 March."""
TAXED = [line("1000.00", tax={"category": "S", "rate": "19"})]
"""1,190.00 with 190.00 of tax; 2 percent of it are 23.80, of which 3.80 is tax (s. 17(1) UStG)."""


class TestGranted:
    @pytest.mark.parametrize(
        ("received_on", "paid", "balance", "discounted"),
        [
            ("2024-03-11", "1166.20", "0.00", "23.80"),
            ("2024-03-12", "1166.20", "12.02", "11.78"),  # 1,166.20 / 0.99 = 1,177.98
            ("2024-03-21", "1178.10", "0.00", "11.90"),
            ("2024-03-22", "1178.10", "11.90", None),
            ("2024-03-05", "588.00", "590.00", "12.00"),  # 588 / 0.98 = 600
            ("2024-03-05", "1190.00", "0.00", None),
        ],
    )
    async def test_a_payment_in_time_takes_its_discount_off(
        self, books: Receivables, received_on: str, paid: str, balance: str, discounted: str | None
    ) -> None:
        customer = await books.customer()
        issued = await books.issue(customer, lines=TAXED, payment_terms=TWO_TEN)
        await books.at("2024-03-28")

        payment = await books.pay(paid, reference=issued["number"], received_on=received_on)

        assert payment["unapplied"] == eur("0.00")
        invoice = await books.invoice(issued["id"])
        assert invoice["balance"] == eur(balance)
        last = (await books.published(issued["id"]))[-1]
        assert last["data"]["invoice"].get("discounted") == (eur(discounted) if discounted else None)
        assert last["data"]["effective_on"] == received_on
        rows = (await books.get("/v1/journal"))["items"]
        off = {each["debit"]: each["amount"]["amount"] for each in rows if each["kind"] == "discount"}
        assert sum(Decimal(amount) for amount in off.values()) == Decimal(discounted or 0)
        if discounted == "23.80":
            assert off == {"discounts_allowed": "20.00", "output_tax": "3.80"}

    async def test_it_is_taken_back_with_the_payment(self, books: Receivables) -> None:
        issued = await books.issue(await books.customer(), lines=TAXED, payment_terms=TWO_TEN)
        payment = await books.pay("1166.20", reference=issued["number"])
        assert (await books.invoice(issued["id"]))["status"] == "settled"

        assert (await books.reverse(payment["id"])).status_code == 201

        invoice = await books.invoice(issued["id"])
        assert (invoice["status"], invoice["balance"]) == ("open", eur("1190.00"))
        told = [
            (e["type"], e["data"].get("reason"), e["data"].get("change")) for e in await books.published(issued["id"])
        ]
        assert told[1:] == [
            ("invoice.balance_changed", "allocation", eur("-1166.20")),
            ("invoice.settled", "discount", eur("-23.80")),
            ("invoice.balance_changed", "unallocation", eur("1166.20")),
            ("invoice.balance_changed", "restored", eur("23.80")),
        ]
        accounts: dict[str, Decimal] = defaultdict(Decimal)
        for each in (await books.get("/v1/journal"))["items"]:
            accounts[each["debit"]] += Decimal(each["amount"]["amount"])
            accounts[each["credit"]] -= Decimal(each["amount"]["amount"])
        assert {name: str(sum_) for name, sum_ in accounts.items() if sum_} == {
            "trade_receivables": "1190.00",
            "revenue": "-1000.00",
            "output_tax": "-190.00",
        }

    async def test_one_transfer_pays_several_invoices_each_with_its_discount(self, books: Receivables) -> None:
        customer = await books.customer()
        first = await books.issue(customer, payment_terms=TWO_TEN)
        second = await books.issue(customer, payment_terms=TWO_TEN)

        payment = await books.pay("196.00", customer_id=customer)

        assert payment["unapplied"] == eur("0.00")
        assert [each["amount"] for each in payment["allocations"]] == [eur("98.00"), eur("98.00")]
        for each in (first, second):
            assert (await books.invoice(each["id"]))["status"] == "settled"

    async def test_cash_that_came_in_time_earns_it_also_when_it_is_applied_later(self, books: Receivables) -> None:
        customer = await books.customer()
        issued = await books.issue(customer, payment_terms=TWO_TEN)
        payment = await books.pay("98.00", customer_id=customer, apply="none")
        await books.at("2024-03-25")

        path = f"/v1/payments/{payment['id']}/allocations"
        applied = await books.post(path, {"allocations": [{"invoice_id": issued["id"]}]})

        assert applied.status_code == 201, applied.text
        assert (await books.invoice(issued["id"]))["status"] == "settled"

    async def test_the_terms_stand_on_the_invoice(self, books: Receivables) -> None:
        issued = await books.issue(await books.customer(), payment_terms=TWO_TEN)

        assert [(each["until"], each["amount"]) for each in issued["terms"]["discounts"]] == [
            ("2024-03-11", eur("2.00")),
            ("2024-03-21", eur("1.00")),
        ]
        assert issued["due_date"] == "2024-03-31"
        assert (await books.invoice(issued["id"]))["terms"] == issued["terms"]
