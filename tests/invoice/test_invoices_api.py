"""Issuing over the real application: what stands afterwards, what is told, what is refused."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.invoice.client import Receivables, eur, invoice, line, pointers, problem


async def test_an_invoice_adds_up_its_lines_and_taxes_and_is_due_by_the_customers_terms(books: Receivables) -> None:
    customer = await books.customer(payment_terms={"net_days": 14})
    body = {
        "customer_id": customer,
        "reference": "PO 4711",
        "delivery_channel": "letter",
        "lines": [
            line("33.33", quantity="3", tax={"category": "S", "rate": "19.00"}),
            line("10.00", quantity="0.5", tax={"category": "S", "rate": "7"}),
        ],
    }

    answer = await books.post("/v1/invoices", body)

    assert answer.status_code == 201, answer.text
    issued = answer.json()
    assert (issued["net"], issued["tax"], issued["total"]) == (eur("104.99"), eur("19.35"), eur("124.34"))
    assert (issued["balance"], issued["collectable"]) == (eur("124.34"), eur("124.34"))
    assert (issued["disputed"], issued["overdue"]) == (eur("0.00"), eur("0.00"))
    assert (issued["status"], issued["version"], issued["settled_on"]) == ("open", 1, None)
    assert (issued["issue_date"], issued["due_date"]) == ("2024-03-01", "2024-03-15")
    assert issued["taxes"] == [
        {"category": "S", "rate": "19", "taxable": eur("99.99"), "tax": eur("19.00")},
        {"category": "S", "rate": "7", "taxable": eur("5.00"), "tax": eur("0.35")},
    ]
    assert issued["lines"][1]["net"] == eur("5.00")
    assert issued["number"] == "DW-000001"
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["location"] == f"/v1/invoices/{issued['id']}"
    read = await books.get(answer.headers["location"])
    assert {**read, "taxes": None} == {**issued, "taxes": None}
    assert sorted(read["taxes"], key=str) == sorted(issued["taxes"], key=str)

    (event,) = await books.published()
    assert (event["type"], event["topic"], event["version"]) == ("invoice.issued", "ar.invoice", 1)
    assert (str(event["subject"]), str(event["key"])) == (issued["id"], customer)
    assert event["data"]["change"] == event["data"]["invoice"]["total"] == eur("124.34")
    assert (event["data"]["net"], event["data"]["tax"]) == (eur("104.99"), eur("19.35"))
    assert (event["data"]["effective_on"], event["data"]["booked_on"]) == ("2024-03-01", "2024-03-01")
    assert (event["data"]["customer_reference"], event["data"]["delivery_channel"]) == ("PO 4711", "letter")

    journal = await books.get("/v1/journal")
    assert [(each["debit"], each["credit"], each["amount"]) for each in journal["items"]] == [
        ("trade_receivables", "revenue", eur("104.99")),
        ("trade_receivables", "output_tax", eur("19.35")),
    ]


async def test_terms_on_the_invoice_come_before_the_customers(books: Receivables) -> None:
    customer = await books.customer()

    stated = await books.issue(customer, issue_date="2024-02-10", due_date="2024-02-20")
    by_terms = await books.issue(customer, issue_date="2024-02-10", payment_terms={"net_days": 60})
    at_once = await books.issue(customer, payment_terms={"net_days": 0})

    assert stated["due_date"] == "2024-02-20"
    assert by_terms["due_date"] == "2024-04-10"
    assert at_once["due_date"] == at_once["issue_date"] == "2024-03-01"
    told = await books.published(stated["id"])
    assert (told[0]["data"]["effective_on"], told[0]["data"]["booked_on"]) == ("2024-02-10", "2024-03-01")


async def test_currencies_keep_their_own_decimals(books: Receivables) -> None:
    customer = await books.customer()

    yen = await books.issue(customer, "1200", "JPY")
    dinar = await books.issue(customer, "1.234", "KWD")

    assert yen["total"] == {"amount": "1200", "currency": "JPY"}
    assert dinar["total"] == {"amount": "1.234", "currency": "KWD"}


async def test_a_customer_can_be_named_by_the_callers_own_id(books: Receivables) -> None:
    customer = await books.customer(external_id="C-4711")

    issued = await books.post("/v1/invoices", {"customer_external_id": "C-4711", "lines": [line()]})

    assert issued.json()["customer_id"] == customer


async def test_a_customer_whose_event_is_on_its_way_is_asked_of_credit(books: Receivables) -> None:
    customer = await books.customer()
    state = dict(
        await books.database.pool.fetchrow("delete from customer where id = $1::text::uuid returning *", customer)
    )
    state["payment_terms"] = {"net_days": state.pop("net_days")}
    books.credit.customers[customer] = {**state, "id": customer, "address": None}

    assert (await books.issue(customer))["customer_id"] == customer
    assert (await books.get(f"/v1/customers/{customer}/balance"))["totals"][0]["open"] == eur("100.00")


async def test_a_newcomer_can_pay_in_advance(books: Receivables) -> None:
    customer = str(uuid4())
    state = {**_acme(), "id": customer}
    books.credit.customers[customer] = state

    payment = await books.pay("50.00", customer_id=customer)

    assert (payment["status"], payment["unapplied"]) == ("unapplied", eur("50.00"))


def _acme() -> dict[str, Any]:
    from tests.invoice.client import ACME

    return {**ACME, "external_id": "C-new"}


async def test_numbers_are_gapless_under_sixteen_issuers_and_refusals(books: Receivables) -> None:
    ids = [await books.customer() for _ in range(8)]

    async def issue(n: int) -> int:
        body = invoice(ids[n % 8])
        if n % 5 == 0:
            body = invoice(ids[n % 8], issue_date="2030-01-01")  # Refused, and takes no number with it.
        return (await books.post("/v1/invoices", body)).status_code

    answers: list[int] = []
    for start in range(0, 96, 16):
        answers += await asyncio.gather(*(issue(n) for n in range(start, start + 16)))

    numbers = [each["number"] for each in (await books.get("/v1/invoices", limit=500))["items"]]
    assert answers.count(422) == 20
    assert sorted(numbers) == [f"DW-{n:06d}" for n in range(1, 77)]


async def test_a_number_of_the_callers_own_is_taken_once(books: Receivables) -> None:
    customer = await books.customer()
    await books.issue(customer, number="2024-0815")

    again = await books.post("/v1/invoices", invoice(await books.customer(), number="2024-0815"))

    assert problem(again, 409) == "invoice-number-taken"
    assert pointers(again, 409) == ["#/number"]
    assert len(await books.published()) == 1
    assert len((await books.get("/v1/journal"))["items"]) == 1


async def test_the_same_number_sent_by_sixteen_at_once_is_issued_once(books: Receivables) -> None:
    ids = [await books.customer() for _ in range(16)]

    answers = await asyncio.gather(*(books.post("/v1/invoices", invoice(each, number="R-1")) for each in ids))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 15


async def test_a_repeated_request_issues_once_and_asks_credit_once(books: Receivables) -> None:
    customer = await books.customer()

    first = await books.post("/v1/invoices", invoice(customer), key="k-1")
    books.credit.reachable = False
    again = await books.post("/v1/invoices", invoice(customer), key="k-1")

    assert (again.status_code, again.json()) == (201, first.json())
    assert len(books.credit.asked) == 1
    assert len(await books.published()) == 1


async def test_another_body_under_a_used_key_is_refused(books: Receivables) -> None:
    customer = await books.customer()
    await books.post("/v1/invoices", invoice(customer), key="k-1")

    answer = await books.post("/v1/invoices", invoice(customer, "200.00"), key="k-1")

    assert problem(answer, 422) == "idempotency-key-reused"
    assert len(await books.published()) == 1


async def test_lists_are_filtered_and_paged(books: Receivables) -> None:
    one, two = await books.customer(), await books.customer()
    for n in range(5):
        await books.issue(one if n % 2 else two, number=f"N-{n}")
    await books.pay("100.00", customer_id=one)

    first = await books.get("/v1/invoices", limit=2)
    second = await books.get("/v1/invoices", limit=2, cursor=first["next_cursor"])
    third = await books.get("/v1/invoices", limit=2, cursor=second["next_cursor"])
    pages = [each["number"] for page in (first, second, third) for each in page["items"]]
    assert pages == [f"N-{n}" for n in range(5)]
    assert third["next_cursor"] is None
    assert [each["number"] for each in (await books.get("/v1/invoices", number="N-3"))["items"]] == ["N-3"]
    assert [each["number"] for each in (await books.get("/v1/invoices", customer_id=one))["items"]] == ["N-1", "N-3"]
    assert [each["number"] for each in (await books.get("/v1/invoices", status="settled"))["items"]] == ["N-1"]
    bad = await books.http.get("/v1/invoices", params={"cursor": "bm90LWEtY3Vyc29y"})
    assert problem(bad, 400) == "bad-cursor"
    assert (await books.http.get("/v1/invoices", params={"status": "overdue"})).status_code == 422


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "unknown currency": ({"lines": [line("1.00", "XXQ")]}, "#/lines/0/unit_price"),
    "wrong exponent": ({"lines": [line("1.000000005")]}, "#/lines/0/unit_price"),
    "decimals for yen": ({"lines": [line("1.00", "JPY")]}, "#/lines/0/unit_price"),
    "a price below zero": ({"lines": [line("-5.00")]}, "#/lines/0/unit_price"),
    "a total of zero": ({"lines": [line("0.00")]}, "#/lines"),
    "a total below zero": ({"lines": [line("5.00", quantity="-1")]}, "#/lines"),
    "quantity of zero": ({"lines": [line(quantity="0.00")]}, "#/lines/0/quantity"),
    "quantity as number": ({"lines": [line(quantity=2)]}, "#/lines/0/quantity"),
    "no lines": ({"lines": []}, "#/lines"),
    "two currencies": ({"lines": [line(), line("1.00", "USD")]}, "#/lines/1/unit_price/currency"),
    "a rate where none is": ({"lines": [line(tax={"category": "AE", "rate": "19"})]}, "#/lines/0/tax/rate"),
    "an unknown tax category": ({"lines": [line(tax={"category": "VAT", "rate": "19"})]}, "#/lines/0/tax/category"),
    "a rate above 100": ({"lines": [line(tax={"category": "S", "rate": "101"})]}, "#/lines/0/tax/rate"),
    "due before issue": ({"issue_date": "2024-02-10", "due_date": "2024-02-09"}, "#/due_date"),
    "issued after today": ({"issue_date": "2024-03-02"}, "#/issue_date"),
    "not a date": ({"issue_date": "2024-02-30"}, "#/issue_date"),
    "a timestamp for a date": ({"issue_date": 0}, "#/issue_date"),
    "terms below zero": ({"payment_terms": {"net_days": -1}}, "#/payment_terms/net_days"),
    "two due dates": ({"due_date": "2024-04-01", "payment_terms": {"net_days": 1}}, "#"),
    "unknown customer": ({"customer_id": "0190b8d0-0000-7000-8000-000000000000"}, "#/customer_id"),
    "no customer": ({"customer_id": None}, "#"),
    "unknown field": ({"discount": "5"}, "#/discount"),
    "a rounding of the amount due (BT-114)": ({"rounding_amount": eur("0.02")}, "#/rounding_amount"),
    "a number of the series": ({"number": "DW-000007"}, "#/number"),
    "a number with blanks": ({"number": "a b"}, "#/number"),
    "an unknown channel": ({"delivery_channel": "fax"}, "#/delivery_channel"),
    "too much": ({"lines": [line("9999999999999.00", quantity="999999999")]}, "#/lines/0"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_is_wrong_is_named_and_changes_nothing(books: Receivables, name: str) -> None:
    changes, pointer = WRONG[name]

    answer = await books.post("/v1/invoices", {**invoice(await books.customer()), **changes})

    assert pointers(answer) == [pointer], answer.json()
    assert not await books.anything_written()


async def test_a_closed_customer_is_not_invoiced(books: Receivables) -> None:
    customer = await books.customer(status="closed")

    assert problem(await books.post("/v1/invoices", invoice(customer)), 422) == "customer-closed"


async def test_bodies_that_cannot_be_read_are_refused(books: Receivables) -> None:
    headers = {"idempotency-key": "k", "content-type": "application/json"}

    not_json = await books.http.post("/v1/invoices", content=b"{", headers=headers)
    too_large = await books.http.post("/v1/invoices", content=b" " * 1_100_000, headers=headers)
    without_key = await books.http.post("/v1/invoices", json=invoice(await books.customer()))

    assert problem(not_json, 400) == "malformed-json"
    assert problem(too_large, 413) == "body-too-large"
    assert problem(without_key, 400) == "idempotency-key-missing"
    assert not await books.anything_written()


async def test_an_unknown_invoice_is_a_404(books: Receivables) -> None:
    assert problem(await books.http.get(f"/v1/invoices/{uuid4()}"), 404) == "invoice-not-found"
    assert problem(await books.dispute(str(uuid4())), 404) == "invoice-not-found"
