"""Papers for the tests: an invoice of a German seller, and what it looks like under each tax category."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from services.invoice.papers.rules import (
    Address,
    Adjustment,
    BankAccount,
    Contact,
    Paper,
    PaperLine,
    PaperTax,
    Party,
    Preceding,
)
from services.invoice.pricing.rules import TaxCategory

SELLER = Party(
    name="Nordlicht Maschinenbau GmbH",
    address=Address("DE", ("Speicherstraße 12",), "20457", "Hamburg"),
    vat_id="DE811569869",
    registration="HRB 123456",
    contact=Contact("Jana Petersen", "+49 40 555 0100", "accounts@nordlicht.example"),
    website="nordlicht.example",
)
BUYER = Party(
    name="Société Lumière & Fils SAS",
    address=Address("FR", ("8 rue de la République", "Bâtiment C"), "69002", "Lyon"),
    vat_id="FR40303265045",
    reference="C-10042",
    contact=Contact("Claire Dubois", None, "compta@lumiere.example"),
)
ACCOUNT = BankAccount("Nordlicht Maschinenbau GmbH", "DE75512108001245126199", None, "COBADEFFXXX", "Commerzbank")


def paper(**changes: Any) -> Paper:
    """An invoice of 1,499.40 euro at the standard rate, complete."""
    lines = (
        line(1, "Spindle bearing, precision class P4", "4", "187.50", 75_000),
        line(2, "Commissioning on site, per hour", "6.5", "78.46", 51_000, unit="HUR"),
    )
    whole = Paper(
        kind="invoice",
        number="DW-000042",
        issued_on=date(2024, 3, 1),
        due_on=date(2024, 3, 31),
        supplied_on=date(2024, 2, 28),
        currency="EUR",
        language="en",
        seller=SELLER,
        buyer=BUYER,
        lines=lines,
        taxes=(PaperTax("S", 1_900, 126_000, 23_940),),
        accounts=(ACCOUNT,),
        payment_reference="RF73DW000042",
        pay_link="https://pay.example/pay/8a1f6f2e",
        buyer_reference="Werk 3 / Einkauf",
        order_reference="PO-2024-118",
    )
    return replace(whole, **changes)


def line(
    position: int,
    description: str,
    quantity: str,
    price: str,
    net_minor: int,
    category: TaxCategory = "S",
    rate_bp: int = 1_900,
    **more: Any,
) -> PaperLine:
    return PaperLine(position, description, Decimal(quantity), Decimal(price), net_minor, category, rate_bp, **more)


def rich(**changes: Any) -> Paper:
    """With allowances and charges of lines and of the whole, a prepayment, discounts and every reference."""
    on_line = (
        Adjustment(False, 7_500, "Volume discount", "95", base_minor=75_000, percent=Decimal(10)),
        Adjustment(True, 1_250, "Express packaging", "PC"),
    )
    lines = (
        line(
            1,
            "Spindle bearing, precision class P4",
            "4",
            "187.50",
            68_750,
            adjustments=on_line,
            note="Delivery 4711, signed for by M. Roux on 28 February",
            order_line="10",
            item_number="SB-P4-80",
            buyer_item_number="L-77",
            standard_item_number="04012345123456",
            accounting_reference="4711",
            period=(date(2024, 2, 1), date(2024, 2, 29)),
        ),
        line(2, "Technical manual, printed", "3", "24.00", 7_200, rate_bp=700),
    )
    of_whole = (
        Adjustment(False, 2_000, "Loyalty bonus", "95", tax_category="S", tax_rate_bp=1_900),
        Adjustment(True, 1_800, "Freight", "FC", tax_category="S", tax_rate_bp=1_900),
    )
    return paper(
        lines=lines,
        adjustments=of_whole,
        taxes=(PaperTax("S", 1_900, 68_550, 13_024), PaperTax("S", 700, 7_200, 504)),
        prepaid_minor=20_000,
        contract_reference="FC-2023-7",
        delivery_reference="LS-4711",
        project_reference="Halle Nord",
        period=(date(2024, 2, 1), date(2024, 2, 29)),
        deliver_to_name="Lumière Logistique",
        deliver_to=Address("FR", ("Quai 4", "Porte 2", "Halle Nord", "Rampe B"), "69007", "Lyon", "Rhône"),
        terms=(
            "2% discount if paid by 11 March 2024: €13.86 off, €678.92 to pay.",
            "Payable in 2 instalments: €400.00 by 31 March 2024; €292.78 by 30 April 2024.",
            "Late payment bears interest of 8 points above the main refinancing rate of the ECB, and EUR 40 at once.",
        ),
        notes=("Goods remain our property until they are paid in full.",),
        **changes,
    )


def credit_note(**changes: Any) -> Paper:
    return paper(
        kind="credit_note",
        number="CN-000007",
        preceding=Preceding("DW-000042", date(2024, 3, 1)),
        due_on=None,
        notes=("One bearing returned.",),
        **changes,
    )


def of_category(category: TaxCategory, reason: str | None = None) -> Paper:
    """All under one category that charges no tax."""
    lines = (line(1, "Consulting, per day", "2", "900.00", 180_000, category, 0),)
    adjustments = (Adjustment(False, 5_000, "Rebate", None, tax_category=category, tax_rate_bp=0),)
    return paper(
        lines=lines,
        adjustments=adjustments,
        taxes=(PaperTax(category, 0, 175_000, 0, reason),),
        deliver_to=BUYER.address if category == "K" else None,
    )


def in_currency(currency: str, price: str, net_minor: int, tax_minor: int) -> Paper:
    return paper(
        currency=currency,
        lines=(line(1, "License", "3", price, net_minor),),
        taxes=(PaperTax("S", 1_900, net_minor, tax_minor),),
        accounts=(BankAccount("Nordlicht", None, "0012-998877", "BOTKJPJT", "MUFG"),),
    )


CONFORMANT: Mapping[str, Paper] = {
    "standard": paper(),
    "everything": rich(),
    "credit note": credit_note(),
    "credit note with everything": rich(kind="credit_note", due_on=None, preceding=Preceding("1", date(2024, 1, 2))),
    "zero rated": of_category("Z"),
    "exempt": of_category("E", "Article 132(1)(i) of Directive 2006/112/EC: education"),
    "reverse charge": of_category("AE"),
    "intra-community": of_category("K"),
    "export": of_category("G"),
    "outside the scope": of_category("O"),
    "standard beside zero rated and exempt": paper(
        lines=(
            line(1, "Hardware", "1", "100", 10_000),
            line(2, "Book", "1", "10", 1_000, "Z", 0),
            line(3, "Course", "1", "50", 5_000, "E", 0),
        ),
        taxes=(
            PaperTax("S", 1_900, 10_000, 1_900),
            PaperTax("Z", 0, 1_000, 0),
            PaperTax("E", 0, 5_000, 0, "Education"),
        ),
    ),
    "taxes of the Canary Islands": paper(
        lines=(line(1, "Hotel", "1", "100", 10_000, "L", 700),), taxes=(PaperTax("L", 700, 10_000, 700),)
    ),
    "taxes of Ceuta": paper(
        lines=(line(1, "Hotel", "1", "100", 10_000, "M", 400),), taxes=(PaperTax("M", 400, 10_000, 400),)
    ),
    "price for a thousand": paper(
        lines=(line(1, "Screws", "2500", "12.345", 3_086, base_quantity=Decimal(1000)),),
        taxes=(PaperTax("S", 1_900, 3_086, 586),),
    ),
    "adjusted without a word": paper(
        adjustments=(Adjustment(True, 1_000, None, None, tax_category="S", tax_rate_bp=1_900),),
        taxes=(PaperTax("S", 1_900, 127_000, 24_130),),
    ),
    "a line taken back": paper(
        lines=(line(1, "Pump", "2", "300", 60_000), line(2, "Pump returned", "-1", "300", -30_000)),
        taxes=(PaperTax("S", 1_900, 30_000, 5_700),),
    ),
    "yen": in_currency("JPY", "3333", 9_999, 1_900),
    "dinars of whole ten fils": in_currency("KWD", "4.110", 12_330, 2_340),
    "dollars without accounts": paper(currency="USD", accounts=(), payment_reference=None),
    "paid before": paper(prepaid_minor=149_940),
    "nothing but the must": paper(
        seller=Party("N", Address("DE"), vat_id="DE811569869"),
        buyer=Party("B", Address("DE")),
        accounts=(),
        payment_reference=None,
        supplied_on=None,
        buyer_reference=None,
        order_reference=None,
    ),
}
