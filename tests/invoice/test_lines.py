"""Lines with all that EN 16931 knows: prices, allowances, charges, taxes, and what they say."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.invoice.drafting.rules import InvoiceIn
from services.invoice.pricing.rules import (
    CurrenciesMixed,
    ExemptionsMixed,
    FinePrice,
    InvoiceTotalRefused,
    Priced,
    TaxRateRefused,
    price,
)
from shared.money import Money
from tests.invoice.client import Receivables, eur, line, pointers, problem


def priced(lines: list[dict[str, Any]], **more: Any) -> Priced:
    body = {"customer_external_id": "C-1", "lines": lines, **more}
    return InvoiceIn.model_validate(body).priced()


def s19(amount: str = "100.00", **more: Any) -> dict[str, Any]:
    return line(amount, tax={"category": "S", "rate": "19"}, **more)


def groups(whole: Priced) -> list[tuple[int, int, int]]:
    return [(group.rate_bp, group.taxable_minor, group.tax_minor) for group in whole.taxes]


class TestALine:
    @pytest.mark.parametrize(
        ("about", "net", "by_hand"),
        [
            ({"amount": "0.0125", "quantity": "1000"}, 1250, "1000 x 0.0125"),
            ({"amount": "0.12345678", "quantity": "3"}, 37, "0.37037034"),
            ({"amount": "12.50", "base_quantity": "100", "quantity": "450"}, 5625, "450 x 12.50 / 100"),
            ({"amount": "10.00", "base_quantity": "3", "quantity": "1"}, 333, "10 / 3"),
            ({"amount": "0.005", "quantity": "1"}, 0, "half to even"),
            ({"amount": "0.015", "quantity": "1"}, 2, "half to even"),
            ({"amount": "100.00", "allowances": [{"percent": "10", "code": "95"}]}, 9000, "100 - 10"),
            (
                {
                    "amount": "33.33",
                    "quantity": "3",
                    "allowances": [{"percent": "2.5", "reason": "volume"}],
                    "charges": [{"amount": eur("1.50"), "code": "FC"}],
                },
                9899,
                "99.99 - 2.49975 (2.50) + 1.50",
            ),
            (
                {"amount": "200.00", "allowances": [{"percent": "50", "code": "95"}, {"percent": "50", "code": "100"}]},
                0,
                "each percentage is of the price, not of what the one before left",
            ),
            ({"amount": "100.00", "quantity": "-1", "allowances": [{"percent": "10", "code": "95"}]}, -9000, "back"),
            (
                {
                    "amount": "100.00",
                    "allowances": [{"percent": "10", "base": eur("60.00"), "code": "95"}],
                    "charges": [{"percent": "2.5", "base": eur("0.20"), "code": "FC"}],
                },
                9400,
                "100 - 6.00 + 0.005, which is half to even",
            ),
        ],
    )
    def test_costs_quantity_times_price_less_allowances_plus_charges(
        self, about: dict[str, Any], net: int, by_hand: str
    ) -> None:
        assert priced([line(**about), line("500.00")]).lines[0].net_minor == net, by_hand

    @pytest.mark.parametrize(
        ("amount", "currency", "read"),
        [
            ("12.5000", "EUR", None),
            ("12.5001", "EUR", FinePrice(1250, 10_000 // 100 * 100, "EUR")),
            ("0.5", "JPY", FinePrice(0, 500_000, "JPY")),
            ("1.0", "JPY", None),
            ("1.2345", "KWD", FinePrice(1234, 500_000, "KWD")),
            ("0.123456789", "EUR", None),
            ("-0.001", "EUR", None),
            ("1", "EUR", Money(100, "EUR")),
        ],
    )
    def test_a_price_may_be_finer_than_money_but_only_where_it_needs_to_be(
        self, amount: str, currency: str, read: Any
    ) -> None:
        body = {"customer_external_id": "C", "lines": [line(amount, currency)]}
        if read is None:
            with pytest.raises(ValidationError):
                InvoiceIn.model_validate(body)
            return
        one = InvoiceIn.model_validate(body).lines[0]
        assert one.unit_price == read
        again = one.model_validate_json(one.model_dump_json())
        assert again.unit_price == read, "what is written can be read"

    @pytest.mark.parametrize(
        ("wrong", "at"),
        [
            ({"unit_code": "PIECES"}, "unit_code"),
            ({"base_quantity": "0"}, "base_quantity"),
            ({"allowances": [{"percent": "10"}]}, "allowances"),
            ({"allowances": [{"percent": "10", "code": "FC"}]}, "allowances"),
            ({"charges": [{"percent": "10", "code": "95"}]}, "charges"),
            ({"charges": [{"percent": "10", "amount": eur("1.00"), "code": "FC"}]}, "charges"),
            ({"charges": [{"amount": eur("0.00"), "code": "FC"}]}, "charges"),
            ({"charges": [{"amount": eur("1.00"), "base": eur("9.00"), "code": "FC"}]}, "charges"),
            ({"charges": [{"percent": "5", "base": eur("0.00"), "code": "FC"}]}, "charges"),
            ({"tax": {"category": "E", "exemption_code": "VATEX-NO"}}, "tax"),
            ({"period": {"since": "2024-02-01", "until": "2024-01-31"}}, "period"),
            ({"proof_of_delivery": {"url": "javascript:x"}}, "proof_of_delivery"),
        ],
    )
    def test_codes_and_amounts_that_do_not_exist_are_refused(self, wrong: dict[str, Any], at: str) -> None:
        with pytest.raises(ValidationError) as refused:
            priced([line(**wrong)])
        assert refused.value.errors()[0]["loc"][2] == at


class TestTheWhole:
    def test_a_percentage_without_a_tax_is_taken_of_the_lines_of_each(self) -> None:
        two = [s19("100.00"), line("50.00", tax={"category": "S", "rate": "7"})]

        whole = priced(two, allowances=[{"percent": "10", "reason": "loyalty"}])

        assert [(e.amount_minor, e.base_minor, e.tax_rate_bp) for e in whole.surcharges] == [
            (1000, 10_000, 1900),
            (500, 5000, 700),
        ]
        assert groups(whole) == [
            (1900, 9000, 1710),
            (700, 4500, 315),
        ]
        assert (whole.net_minor, whole.total_minor) == (13_500, 15_525)

    def test_a_percentage_of_a_base_of_its_own_is_of_that_base(self) -> None:
        two = [s19("100.00"), line("50.00", tax={"category": "S", "rate": "7"})]
        of_one = {"percent": "10", "base": eur("80.00"), "code": "FC", "tax": {"category": "S", "rate": "19"}}
        of_both = {"percent": "10", "base": eur("30.00"), "reason": "loyalty"}

        whole = priced(two, charges=[of_one], allowances=[of_both])

        assert [(e.is_charge, e.amount_minor, e.base_minor, e.tax_rate_bp) for e in whole.surcharges] == [
            (False, 200, 2000, 1900),
            (False, 100, 1000, 700),
            (True, 800, 8000, 1900),
        ]
        with pytest.raises(CurrenciesMixed) as refused:
            priced(two, charges=[{**of_one, "base": {"amount": "80.00", "currency": "USD"}}])
        assert refused.value.field == "/charges/0/base/currency"

    def test_an_amount_without_a_tax_is_shared_and_loses_no_cent(self) -> None:
        three = [s19("10.00"), line("10.00", tax={"category": "S", "rate": "7"}), line("10.00", tax={"category": "Z"})]

        whole = priced(three, charges=[{"amount": eur("1.00"), "code": "FC"}])

        assert [e.amount_minor for e in whole.surcharges] == [34, 33, 33]
        assert whole.net_minor == 3100

    def test_one_with_a_tax_of_its_own_adds_to_that_group_or_opens_one(self) -> None:
        freight = {"amount": eur("20.00"), "code": "FC", "tax": {"category": "S", "rate": "7"}}

        whole = priced([s19("100.00")], charges=[freight])

        assert groups(whole) == [
            (1900, 10_000, 1900),
            (700, 2000, 140),
        ]
        with pytest.raises(TaxRateRefused):
            priced([s19()], charges=[{**freight, "tax": {"category": "AE", "rate": "7"}}])

    def test_one_category_is_exempt_for_one_reason(self) -> None:
        education = line(tax={"category": "E", "exemption_code": "VATEX-EU-132-1I"})
        silent = line(tax={"category": "E"})
        other = line(tax={"category": "E", "exemption_reason": "Kleinunternehmer, § 19 UStG"})

        assert priced([silent, education, education]).taxes[0].exemption_code == "VATEX-EU-132-1I"
        with pytest.raises(ExemptionsMixed):
            priced([education, other])

    @given(
        st.lists(
            st.tuples(
                st.integers(1, 10**7),
                st.integers(1, 5_000),
                st.sampled_from([("S", "19"), ("S", "7"), ("Z", "0"), ("E", "0"), ("L", "6.5"), ("M", "4")]),
                st.one_of(st.none(), st.integers(1, 9_000)),
            ),
            min_size=1,
            max_size=8,
        ),
        st.lists(st.tuples(st.booleans(), st.one_of(st.integers(1, 3_000), st.decimals("0.01", "30", places=2)))),
    )
    def test_the_totals_keep_the_rules_of_the_standard(
        self,
        items: list[tuple[int, int, tuple[str, str], int | None]],
        on_the_whole: list[tuple[bool, int | Decimal]],
    ) -> None:
        lines = []
        for minor, quantity, (category, rate), percent in items:
            about: dict[str, Any] = {"quantity": f"{quantity / 100:.2f}", "tax": {"category": category, "rate": rate}}
            if percent:
                about["allowances"] = [{"percent": f"{percent / 100:.2f}", "code": "95"}]
            lines.append(line(f"{minor / 10_000:.4f}" if minor % 100 else f"{minor // 100 / 100:.2f}", **about))
        more: dict[str, list[dict[str, Any]]] = {"allowances": [], "charges": []}
        for is_charge, size in on_the_whole:
            much = {"amount": eur(f"{size / 100:.2f}")} if isinstance(size, int) else {"percent": str(size)}
            more["charges" if is_charge else "allowances"].append({**much, "reason": "x"})
        lines.append(s19("9000000.00"))

        try:
            whole = priced(lines, **{name: each[:20] for name, each in more.items()})
        except InvoiceTotalRefused:
            return

        added = sum(e.amount_minor for e in whole.surcharges if e.is_charge)
        taken = sum(e.amount_minor for e in whole.surcharges if not e.is_charge)
        assert whole.net_minor == sum(each.net_minor for each in whole.lines) - taken + added, "BR-CO-13"
        assert whole.tax_minor == sum(group.tax_minor for group in whole.taxes), "BR-CO-14"
        assert whole.total_minor == whole.net_minor + whole.tax_minor, "BR-CO-15"
        for group in whole.taxes:
            of_group = [
                e for e in whole.surcharges if (e.tax_category, e.tax_rate_bp) == (group.category, group.rate_bp)
            ]
            of_lines = sum(
                each.net_minor
                for each in whole.lines
                if (each.tax_category, each.tax_rate_bp) == (group.category, group.rate_bp)
            )
            assert group.taxable_minor == of_lines + sum(e.signed_minor for e in of_group), "BR-S-08"
            exact = Decimal(group.taxable_minor * group.rate_bp) / 10_000
            assert abs(group.tax_minor - exact) <= Decimal("0.5"), "BR-CO-17"


async def test_everything_said_of_an_invoice_is_kept_and_shown(books: Receivables) -> None:
    customer = await books.customer()
    about_line = {
        "unit_code": "KWH",
        "period": {"since": "2024-02-01", "until": "2024-02-29"},
        "note": "meter 7",
        "seller_item_id": "E-1",
        "product_code": "POWER",
        "seller_code": "anna",
        "order_reference": "PO 1",
        "order_line": "3",
        "contract_reference": "C 9",
        "despatch_reference": "LS 12",
        "delivered_on": "2024-02-29",
        "proof_of_delivery": {"url": "https://proof.example/12", "signed_by": "B. Ode"},
    }
    about = {
        "buyer_reference": "04011000-1234512345-35",
        "order_reference": "PO 1",
        "supplied_on": "2024-02-29",
        "deliver_to": {"city": "Wien", "country": "AT", "lines": ["Ring 1"]},
        "notes": ["Danke"],
        "seller_code": "anna",
    }
    body = {
        "customer_id": customer,
        "lines": [
            s19("0.2875", quantity="1000", allowances=[{"percent": "10", "code": "95"}], **about_line),
            line("10.00", tax={"category": "E", "exemption_code": "VATEX-EU-132-1I", "exemption_reason": "Unterricht"}),
        ],
        "charges": [{"amount": eur("5.00"), "code": "FC", "reason": "Fracht", "tax": {"category": "S", "rate": "19"}}],
        **about,
    }

    issued = (await books.post("/v1/invoices", body)).json()
    shown = await books.invoice(issued["id"])

    assert shown | {"taxes": 0} == issued | {"taxes": 0}
    first, second = shown["lines"]
    assert (first["unit_price"], first["net"]) == ({"amount": "0.2875", "currency": "EUR"}, eur("258.75"))
    assert {name: value for name, value in first["about"].items() if name in about_line} == {
        **about_line,
        "proof_of_delivery": {**about_line["proof_of_delivery"], "attachment_id": None},
    }
    assert first["allowances_and_charges"] == [
        {
            **{"kind": "allowance", "amount": eur("28.75"), "base": eur("287.50"), "percent": "10", "reason": None},
            **{"code": "95", "tax": None},
        }
    ]
    assert "about" not in second
    assert {"category": "E", "rate": "0", "taxable": eur("10.00"), "tax": eur("0.00")}.items() <= shown["taxes"][
        0
    ].items()
    assert shown["taxes"][0]["exemption_reason"] == "Unterricht"
    assert shown["allowances_and_charges"][0]["amount"] == eur("5.00")
    assert shown["supplied_on"] == "2024-02-29"
    assert shown["about"]["deliver_to"]["country"] == "AT"
    assert (shown["net"], shown["tax"], shown["total"]) == (eur("273.75"), eur("50.11"), eur("323.86"))


async def test_what_is_wrong_with_a_line_is_named(books: Receivables) -> None:
    customer = await books.customer()
    in_dollars = {"amount": {"amount": "1.00", "currency": "USD"}, "code": "FC"}
    body = {"customer_id": customer, "lines": [line(), line(unit_code="QQQ", charges=[{"percent": "5"}])]}

    assert pointers(await books.post("/v1/invoices", body)) == ["#/lines/1/unit_code", "#/lines/1/charges/0"]
    mixed = await books.post("/v1/invoices", {"customer_id": customer, "lines": [line(charges=[in_dollars])]})
    assert (problem(mixed, 422), pointers(mixed)) == ("currencies-mixed", ["#/lines/0/charges/0/amount/currency"])


async def test_each_selling_entity_has_its_own_numbers_and_day(books: Receivables) -> None:
    customer = await books.customer()
    opened = await books.post(
        "/v1/entities",
        {
            **{"id": "tokyo", "name": "Dueward KK", "time_zone": "Asia/Tokyo", "currency": "JPY"},
            "series": {"invoice": "TK-", "credit_note": "TKC-"},
        },
    )
    assert opened.status_code == 201, opened.text
    await books.at("2024-03-01", hour=16)  # 2 March in Tokyo.

    there = await books.issue(customer, "100", "JPY", entity_id="tokyo", payment_terms={"net_days": 0})
    here = await books.issue(customer)
    nowhere = await books.post("/v1/invoices", {"customer_id": customer, "lines": [line()], "entity_id": "mars"})

    assert (there["number"], there["issue_date"], there["entity_id"]) == ("TK-000001", "2024-03-02", "tokyo")
    assert (here["number"], here["issue_date"], here["entity_id"]) == ("DW-000001", "2024-03-01", "default")
    assert (problem(nowhere, 422), pointers(nowhere)) == ("entity-unknown", ["#/entity_id"])
    await books.at("2024-03-02", hour=15)
    await books.tick()
    assert (await books.invoice(there["id"]))["overdue_since"] == "2024-03-03"


def test_a_price_list_of_plain_lines_carries_nothing_more() -> None:
    whole = price(
        [each.line() for each in InvoiceIn.model_validate({"customer_external_id": "C", "lines": [line()]}).lines]
    )

    assert whole.lines[0].particulars is None
    assert whole.surcharges == ()


async def test_what_product_lines_come_to_is_told_with_the_issue(books: Receivables) -> None:
    """Net, line by line: two lines of CLOUD with one returned, one of DESKS, one that says nothing."""
    customer = await books.customer()
    lines = [
        line("100.00", product_line="CLOUD"),
        line("40.00", product_line="DESKS", quantity="2"),
        line("30.00", product_line="CLOUD", quantity="-1"),
        line("7.00"),
    ]
    told = await books.post("/v1/invoices", {"customer_id": customer, "lines": lines})
    assert told.status_code == 201, told.text
    shown = await books.get(told.headers["location"])
    assert [each.get("about", {}).get("product_line") for each in shown["lines"]] == ["CLOUD", "DESKS", "CLOUD", None]
    (issued,) = await books.published(shown["id"])
    assert issued["data"]["product_lines"] == [
        {"product_line": "CLOUD", "net": eur("70.00")},
        {"product_line": "DESKS", "net": eur("80.00")},
    ]
    assert issued["data"]["net"] == eur("157.00")
    (plain,) = await books.published((await books.issue(customer))["id"])
    assert plain["data"]["product_lines"] is None


@pytest.mark.parametrize(
    ("code", "status"),
    [("A", 201), ("a.b_c-1", 201), ("X" * 40, 201), ("X" * 41, 422), ("", 422), ("two words", 422), ("-A", 422)],
)
async def test_a_product_line_is_a_short_code(books: Receivables, code: str, status: int) -> None:
    body = {"customer_id": await books.customer(), "lines": [line("1.00", product_line=code)]}
    assert (await books.post("/v1/invoices", body)).status_code == status
