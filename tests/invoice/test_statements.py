"""The statement of account: every movement in effective order, and equal to what the books say."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from typing import Any
from uuid import UUID

from pypdf import PdfReader

from services.invoice.statements.rules import Opening, Posting, sections
from tests.invoice.client import Receivables, eur, line, problem


def words(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages).split())


async def statement(books: Receivables, customer: str, first: str, last: str) -> dict[str, Any]:
    return await books.get(f"/v1/customers/{customer}/statement", **{"from": first, "to": last})


async def a_busy_month(books: Receivables) -> tuple[str, dict[str, Any]]:
    """An invoice of February; in March two invoices, a payment of one and a half, one that came back, cash to spare."""
    customer = await books.customer()
    await books.issue(customer, "80.00", issue_date="2024-02-10", due_date="2024-02-20", number="R-1")
    taxed = [line("100.00", tax={"category": "S", "rate": "20"})]
    await books.post("/v1/invoices", {"customer_id": customer, "lines": taxed, "number": "R-2"})
    await books.pay("140.00", customer_id=customer, reference="thanks")
    await books.at("2024-03-05")
    await books.issue(customer, "30.00", number="R-3")
    bounced = await books.pay("90.00", customer_id=customer)
    await books.at("2024-03-09")
    await books.reverse(bounced["id"])
    await books.at("2024-03-12")
    spare = await books.pay("200.00", customer_id=customer, allocations=[{"invoice_number": "R-3"}])
    return customer, spare


async def test_every_movement_stands_in_effective_order_with_the_balance_after_it(books: Receivables) -> None:
    customer, _ = await a_busy_month(books)

    (section,) = (await statement(books, customer, "2024-03-01", "2024-03-31"))["sections"]

    assert section["opening"] == eur("80.00")
    assert [
        (each["effective_on"], each["kind"], each["change"]["amount"], each["balance"]["amount"])
        for each in section["entries"]
    ] == [
        ("2024-03-01", "invoice", "120.00", "200.00"),
        ("2024-03-01", "payment", "-140.00", "60.00"),
        ("2024-03-05", "invoice", "30.00", "90.00"),
        ("2024-03-05", "payment", "-90.00", "0.00"),
        ("2024-03-09", "payment_reversal", "90.00", "90.00"),
        ("2024-03-12", "payment", "-200.00", "-110.00"),
    ]
    assert section["closing"] == eur("-110.00")
    assert section["unapplied"] == eur("170.00")
    applied = {each["invoice_number"]: each["amount"]["amount"] for each in section["entries"][1]["applied"]}
    assert applied == {"R-1": "80.00", "R-2": "60.00"}
    assert section["entries"][1]["reference"] == "thanks"


async def test_it_closes_with_the_open_items_less_unapplied_cash(books: Receivables) -> None:
    customer, _ = await a_busy_month(books)

    (section,) = (await statement(books, customer, "2024-03-01", "2024-03-31"))["sections"]

    (total,) = (await books.get(f"/v1/customers/{customer}/balance"))["totals"]
    assert total["unapplied"] == section["unapplied"]
    assert int(float(total["open"]["amount"]) * 100) - 17_000 == -11_000


async def test_it_is_the_journal_of_the_customer(books: Receivables) -> None:
    customer, _ = await a_busy_month(books)

    (section,) = (await statement(books, customer, "2024-01-01", "2024-03-31"))["sections"]

    entries = (await books.get("/v1/journal", customer_id=customer))["items"]
    accounts = ("trade_receivables", "unapplied_cash")
    booked = sum(
        round(float(each["amount"]["amount"]) * 100) * ((each["debit"] in accounts) - (each["credit"] in accounts))
        for each in entries
    )
    assert section["opening"] == eur("0.00")
    assert round(float(section["closing"]["amount"]) * 100) == booked
    assert sum(round(float(each["change"]["amount"]) * 100) for each in section["entries"]) == booked


async def test_one_period_begins_where_the_one_before_ended(books: Receivables) -> None:
    customer, _ = await a_busy_month(books)

    for day, following in (("2024-03-01", "2024-03-02"), ("2024-03-05", "2024-03-06"), ("2024-03-12", "2024-03-13")):
        (until,) = (await statement(books, customer, "2024-02-01", day))["sections"]
        (since,) = (await statement(books, customer, following, following))["sections"]
        assert since["opening"] == until["closing"]


async def test_cash_assigned_later_is_told_without_moving_the_balance(books: Receivables) -> None:
    customer = await books.customer()
    payment = await books.pay("50.00", customer_id=customer, apply="none")
    await books.at("2024-03-04")
    issued = await books.issue(customer, "50.00", number="R-9")
    await books.post(f"/v1/payments/{payment['id']}/allocations", {"allocations": [{"invoice_id": issued["id"]}]})

    (section,) = (await statement(books, customer, "2024-03-01", "2024-03-31"))["sections"]

    assert [(each["kind"], each["change"]["amount"]) for each in section["entries"]] == [
        ("payment", "-50.00"),
        ("invoice", "50.00"),
        ("allocation", "0.00"),
    ]
    assert section["entries"][2]["applied"][0]["invoice_number"] == "R-9"
    assert section["closing"] == section["unapplied"] == eur("0.00")


async def test_each_currency_has_its_own_section(books: Receivables) -> None:
    customer = await books.customer()
    await books.issue(customer, "10.00")
    await books.issue(customer, "700", "JPY")

    found = await statement(books, customer, "2024-03-01", "2024-03-01")

    assert [(each["currency"], each["closing"]["amount"]) for each in found["sections"]] == [
        ("EUR", "10.00"),
        ("JPY", "700"),
    ]


async def test_the_pdf_speaks_the_customers_language(books: Receivables) -> None:
    customer, _ = await a_busy_month(books)
    path = f"/v1/customers/{customer}/statement.pdf?from=2024-03-01&to=2024-03-31"

    german = words((await books.http.get(path)).content)
    french = words((await books.http.get(f"{path}&language=fr")).content)

    assert "Kontoauszug" in german
    assert "Rechnung R-2" in german
    assert "zu Ihren Gunsten" in german
    assert "Relevé de compte" in french
    assert "Paiement rejeté" in french


async def test_what_cannot_be_stated_is_refused(books: Receivables) -> None:
    customer = await books.customer()
    nobody = "00000000-0000-7000-8000-000000000000"

    backwards = await books.http.get(f"/v1/customers/{customer}/statement?from=2024-03-02&to=2024-03-01")
    unknown = await books.http.get(f"/v1/customers/{nobody}/statement")

    assert problem(backwards, 422) == "statement-period"
    assert problem(unknown, 404) == "customer-not-found"


async def test_a_receipt_says_what_was_settled_and_what_remains(books: Receivables) -> None:
    customer, spare = await a_busy_month(books)

    answer = await books.http.get(f"/v1/payments/{spare['id']}/receipt.pdf?language=en")

    said = words(answer.content)
    for part in ("Payment receipt", "Invoice R-3", "settled", "Not yet assigned to an invoice", "Still open"):
        assert part in said
    assert problem(await books.http.get(f"/v1/payments/{customer}/receipt.pdf"), 404) == "payment-not-found"


def test_entries_that_bind_nothing_and_change_nothing_are_left_out() -> None:
    recovery = Posting(
        effective_on=date(2024, 3, 1),
        kind="recovery",
        is_reversal=False,
        debit="bank",
        credit="bad_debt_recovered",
        amount_minor=500,
        currency="EUR",
        invoice_id=UUID(int=1),
        invoice_number="R-1",
        payment_id=UUID(int=2),
        payment_reference=None,
        source_id=None,
    )

    (section,) = sections([Opening("EUR", 100, 0)], [recovery], "EUR")

    assert section.entries == ()
    assert section.closing_minor == 100


async def test_credit_notes_voids_write_offs_and_refunds_stand_there_and_it_still_adds_up(books: Receivables) -> None:
    customer = await books.customer()
    taxed = [line("100.00", tax={"category": "S", "rate": "20"})]
    credited = (await books.post("/v1/invoices", {"customer_id": customer, "lines": taxed, "number": "R-1"})).json()
    voided = await books.issue(customer, "50.00", number="R-2")
    lost = await books.issue(customer, "30.00", number="R-3")
    spare = await books.pay("25.00", customer_id=customer, apply="none")
    for path, body in (
        (f"/v1/invoices/{credited['id']}/credit-notes", {"reason": "damaged", "amount": eur("60.00")}),
        (f"/v1/invoices/{voided['id']}/void", {"reason": "issued twice"}),
        (f"/v1/invoices/{lost['id']}/write-off", {"reason_code": "insolvency"}),
        (f"/v1/payments/{spare['id']}/refunds", {"reason": "asked back", "amount": eur("5.00")}),
    ):
        answer = await books.post(path, body)
        assert answer.status_code in (200, 201), answer.text

    (section,) = (await statement(books, customer, "2024-03-01", "2024-03-31"))["sections"]

    told = {each["kind"]: each["change"]["amount"] for each in section["entries"] if each["kind"] != "invoice"}
    assert told == {
        "payment": "-25.00",
        "credit_note": "-60.00",
        "void": "-50.00",
        "write_off": "-30.00",
        "refund": "5.00",
    }
    (total,) = (await books.get(f"/v1/customers/{customer}/balance"))["totals"]
    assert (total["open"], total["unapplied"]) == (eur("60.00"), eur("20.00"))
    assert section["closing"] == eur("40.00")


async def test_what_is_on_a_plan_stands_apart_on_statements_of_now(books: Receivables) -> None:
    customer = await books.customer()
    issued = await books.issue(customer, "300.00", issue_date="2024-01-10", due_date="2024-02-09")
    await books.issue(customer, "50.00")
    await books.post(f"/v1/invoices/{issued['id']}/plans", {"count": 3, "first_on": "2024-04-01"})

    now, january = [
        await statement(books, customer, first, last)
        for first, last in (("2024-03-01", "2024-03-01"), ("2024-01-01", "2024-01-31"))
    ]
    pdf = await books.http.get(f"/v1/customers/{customer}/statement.pdf")

    assert [section["on_plan"] for section in now["sections"]] == [eur("300.00")]
    assert [section["on_plan"] for section in january["sections"]] == [eur("0.00")]
    assert "davon in Raten vereinbart 300,00 €" in words(pdf.content)
