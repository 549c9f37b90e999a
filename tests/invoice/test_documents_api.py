"""An issued invoice as PDF, UBL and CII over HTTP."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import facturx
import pytest
from lxml import etree
from pypdf import PdfReader

from tests.invoice.client import Receivables, line, problem

SELLER: dict[str, Any] = {
    "legal_name": "Nordlicht Maschinenbau GmbH",
    "address": {"lines": ["Speicherstraße 12"], "postal_code": "20457", "city": "Hamburg", "country": "DE"},
    "vat_id": "DE811569869",
    "registration": "HRB 123456",
    "email": "accounts@nordlicht.example",
    "bank_accounts": [
        {"iban": "DE75512108001245126199", "bic": "COBADEFFXXX", "bank_name": "Commerzbank"},
        {"iban": "GB33BUKB20201555555555", "holder": "Nordlicht UK", "currency": "GBP"},
    ],
}
STANDARD = {"category": "S", "rate": "19"}


async def describe_seller(books: Receivables, **policies: Any) -> None:
    entity = await books.http.get("/v1/entities/default")
    body = {"seller": SELLER, **({"policies": policies} if policies else {})}
    answer = await books.http.patch("/v1/entities/default", json=body, headers={"if-match": entity.headers["etag"]})
    assert answer.status_code == 200, answer.text


async def an_invoice(books: Receivables, *, country: str = "DE", **more: Any) -> dict[str, Any]:
    customer = await books.customer(
        country=country, address={"lines": ["Hafenweg 1"], "postal_code": "28195", "city": "Bremen"}
    )
    lines = [line("100.00", tax=STANDARD), line("49.99", tax={"category": "S", "rate": "7"})]
    answer = await books.post("/v1/invoices", {"customer_id": customer, "lines": lines, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def fetch(books: Receivables, path: str) -> bytes:
    answer = await books.http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.content


def words(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages).split())


async def test_the_pdf_is_in_the_customers_language_and_holds_the_electronic_invoice(books: Receivables) -> None:
    await describe_seller(books)
    issued = await an_invoice(books)

    answer = await books.http.get(f"/v1/invoices/{issued['id']}/document.pdf")

    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == f'inline; filename="{issued["number"]}.pdf"'
    said = words(answer.content)
    for part in ("Rechnung " + issued["number"], "172,49 €", "DE75 5121 0800 1245 1261 99", "Hafenweg 1", "Acme GmbH"):
        assert part in said
    name, xml = facturx.get_xml_from_pdf(answer.content, check_xsd=True)
    assert name == "factur-x.xml"
    assert b">172.49<" in (xml or b"")
    info = PdfReader(BytesIO(answer.content)).metadata
    assert info is not None
    assert info.title == f"Rechnung {issued['number']}"


async def test_the_pdf_reads_in_any_of_the_four_languages(books: Receivables) -> None:
    await describe_seller(books)
    path = f"/v1/invoices/{(await an_invoice(books))['id']}/document.pdf"

    for language, title in (("en", "Invoice"), ("fr", "Facture"), ("es", "Factura"), ("de", "Rechnung")):
        assert f"{title} DW-" in words(await fetch(books, f"{path}?language={language}"))
    assert problem(await books.http.get(f"{path}?language=xx"), 422) == "invalid-request"


@pytest.mark.parametrize(("form", "root"), [("ubl", "Invoice"), ("cii", "CrossIndustryInvoice")])
async def test_the_electronic_invoice_comes_in_both_forms(books: Receivables, form: str, root: str) -> None:
    await describe_seller(books)
    issued = await an_invoice(books)

    xml = await fetch(books, f"/v1/invoices/{issued['id']}/document.xml?format={form}")

    assert etree.QName(etree.fromstring(xml)).localname == root
    assert facturx.xml_check_xsd(xml)
    assert issued["number"].encode() in xml


async def test_without_a_described_seller_there_is_a_pdf_and_the_electronic_form_names_what_it_lacks(
    books: Receivables,
) -> None:
    issued = await an_invoice(books)

    pdf = await fetch(books, f"/v1/invoices/{issued['id']}/document.pdf")
    refused = await books.http.get(f"/v1/invoices/{issued['id']}/document.xml")

    assert facturx.get_xml_from_pdf(pdf, check_xsd=False) == (False, False)
    assert problem(refused, 409) == "document-incomplete"
    assert {each["term"] for each in refused.json()["missing"]} == {"BT-31", "BT-40"}


async def test_the_account_of_the_invoices_currency_is_printed(books: Receivables) -> None:
    await describe_seller(books)
    customer = await books.customer(country="GB", language="en")
    issued = await books.issue(customer, "10.00", "GBP")

    said = words(await fetch(books, f"/v1/invoices/{issued['id']}/document.pdf"))

    assert "GB33 BUKB 2020 1555 5555 55" in said
    assert "£10.00" in said


async def test_what_was_paid_since_does_not_change_the_document(books: Receivables) -> None:
    await describe_seller(books)
    issued = await an_invoice(books)
    path = f"/v1/invoices/{issued['id']}/document.xml"
    before = await fetch(books, path)

    await books.pay("50.00", customer_id=issued["customer_id"])

    assert await fetch(books, path) == before


@pytest.mark.parametrize("name", ["document.pdf", "document.xml"])
async def test_an_unknown_invoice_has_no_document(books: Receivables, name: str) -> None:
    path = f"/v1/invoices/00000000-0000-7000-8000-000000000000/{name}"

    assert problem(await books.http.get(path), 404) == "invoice-not-found"
