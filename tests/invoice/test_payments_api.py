"""Payments over the real application: applied as told, by reference, by age; over, part, foreign, reversed."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.invoice.client import Receivables, eur, pointers, problem


async def test_a_payment_settles_the_invoice_its_reference_names(books: Receivables) -> None:
    customer = await books.customer()
    older = await books.issue(customer, number="0280670965", issue_date="2024-01-05")
    named = await books.issue(customer, number="5133177585", issue_date="2024-02-05")

    payment = await books.pay("100.00", reference="Invoice 5133177585, thank you", received_on="2024-02-20")

    assert (payment["customer_id"], payment["status"], payment["applied_by"]) == (customer, "applied", "reference")
    assert payment["allocations"] == [
        {
            "invoice_id": named["id"],
            "invoice_number": "5133177585",
            "amount": eur("100.00"),
            "charges": eur("0.00"),
            "principal": eur("100.00"),
            "effective_on": "2024-02-20",
            "reversed_on": None,
            "reversal_reason": None,
        }
    ]
    paid = await books.invoice(named["id"])
    assert (paid["status"], paid["balance"], paid["settled_on"]) == ("settled", eur("0.00"), "2024-02-20")
    assert (await books.invoice(older["id"]))["status"] == "open"

    received, applied = await books.published(payment["id"])
    assert (received["type"], applied["type"]) == ("payment.received", "payment.applied")
    assert (received["version"], applied["version"]) == (1, 2)
    assert {str(event["key"]) for event in (received, applied)} == {customer}
    assert received["data"]["payment"]["unapplied"] == applied["data"]["payment"]["applied"] == eur("100.00")
    assert applied["data"]["allocations"] == [
        {"invoice_id": named["id"], "invoice_number": "5133177585", "amount": eur("100.00")}
    ]
    settled = (await books.published(named["id"]))[-1]
    assert (settled["type"], settled["version"]) == ("invoice.settled", 2)
    assert (settled["data"]["change"], settled["data"]["days_late"]) == (eur("-100.00"), -15)
    assert settled["data"]["effective_on"] == "2024-02-20"
    assert settled["data"]["invoice"]["settled_on"] == "2024-02-20"


async def test_without_a_reference_the_oldest_due_is_paid_first(books: Receivables) -> None:
    customer = await books.customer()
    later = await books.issue(customer, due_date="2024-05-01")
    sooner = await books.issue(customer, due_date="2024-04-01")

    payment = await books.pay("150.00", customer_id=customer, reference="thanks")

    assert payment["applied_by"] == "oldest_due"
    assert [each["invoice_id"] for each in payment["allocations"]] == [sooner["id"], later["id"]]
    assert (await books.invoice(sooner["id"]))["status"] == "settled"
    part = await books.invoice(later["id"])
    assert (part["status"], part["balance"], part["settled_on"]) == ("partly_paid", eur("50.00"), None)
    (_, changed) = await books.published(later["id"])
    assert (changed["type"], changed["data"]["reason"]) == ("invoice.balance_changed", "allocation")
    assert changed["data"]["change"] == eur("-50.00")


async def test_what_is_paid_too_much_stays_unapplied_and_can_be_allocated_later(books: Receivables) -> None:
    customer = await books.customer()
    await books.issue(customer)
    payment = await books.pay("130.00", customer_id=customer)
    assert (payment["status"], payment["applied"], payment["unapplied"]) == (
        "partly_applied",
        eur("100.00"),
        eur("30.00"),
    )

    await books.at("2024-03-04")
    new = await books.issue(customer)
    body = {"allocations": [{"invoice_number": new["number"]}]}
    answer = await books.post(f"/v1/payments/{payment['id']}/allocations", body)

    assert answer.status_code == 201, answer.text
    assert (answer.json()["status"], answer.json()["version"]) == ("applied", 3)
    assert answer.json() == await books.get(f"/v1/payments/{payment['id']}")
    assert (await books.invoice(new["id"]))["balance"] == eur("70.00")
    assert (await books.told(new["id"]))[-1] == ("invoice.balance_changed", "2024-03-04")


async def test_a_second_payment_of_a_settled_invoice_is_kept_unapplied(books: Receivables) -> None:
    customer = await books.customer()
    await books.issue(customer, number="A-1")
    other = await books.issue(customer, number="A-2")
    await books.pay("100.00", reference="A-1")

    twice = await books.pay("100.00", reference="a-1")

    assert (twice["status"], twice["unapplied"], twice["customer_id"]) == ("unapplied", eur("100.00"), customer)
    assert (await books.invoice(other["id"]))["status"] == "open"


async def test_several_invoices_are_found_in_one_reference(books: Receivables) -> None:
    customer = await books.customer()
    for number in ("2024/17", "2024/18", "2024/19"):
        await books.issue(customer, number=number)

    payment = await books.pay("250.00", reference="RE 2024/18;2024/19 (part 2024/17)")

    applied = {each["invoice_number"]: each["amount"]["amount"] for each in payment["allocations"]}
    assert applied == {"2024/17": "100.00", "2024/18": "100.00", "2024/19": "50.00"}


async def test_allocations_are_followed_to_the_cent(books: Receivables) -> None:
    customer = await books.customer()
    one, two = await books.issue(customer), await books.issue(customer)

    payment = await books.pay(
        "90.00",
        allocations=[
            {"invoice_id": one["id"], "amount": eur("12.34")},
            {"invoice_number": two["number"], "amount": eur("50.00")},
        ],
    )

    assert (payment["applied"], payment["unapplied"], payment["applied_by"]) == (
        eur("62.34"),
        eur("27.66"),
        "explicit",
    )
    assert (await books.invoice(one["id"]))["balance"] == eur("87.66")


async def test_apply_none_only_records(books: Receivables) -> None:
    customer = await books.customer()
    issued = await books.issue(customer, number="A-1")

    payment = await books.pay("100.00", customer_id=customer, reference="A-1", apply="none")

    assert (payment["status"], payment["applied_by"]) == ("unapplied", "none")
    assert (await books.invoice(issued["id"]))["status"] == "open"
    assert [event["type"] for event in await books.published(payment["id"])] == ["payment.received"]


async def test_undisputed_amounts_are_paid_before_disputed_ones(books: Receivables) -> None:
    customer = await books.customer()
    contested = await books.issue(customer, due_date="2024-04-01")
    plain = await books.issue(customer, due_date="2024-05-01")
    await books.dispute(contested["id"], "60.00")

    await books.pay("140.00", customer_id=customer)

    assert (await books.invoice(contested["id"]))["balance"] == eur("60.00")
    assert (await books.invoice(plain["id"]))["status"] == "settled"


async def test_a_reversal_opens_what_was_settled(books: Receivables) -> None:
    customer = await books.customer()
    one, two = await books.issue(customer), await books.issue(customer)
    payment = await books.pay("150.00", customer_id=customer)
    await books.at("2024-03-11")

    answer = await books.reverse(payment["id"])

    assert answer.status_code == 201, answer.text
    reversed_payment = answer.json()
    assert (reversed_payment["status"], reversed_payment["reversed_on"]) == ("reversed", "2024-03-11")
    assert (reversed_payment["applied"], reversed_payment["unapplied"]) == (eur("0.00"), eur("0.00"))
    assert {each["reversed_on"] for each in reversed_payment["allocations"]} == {"2024-03-11"}
    for invoice_id in (one["id"], two["id"]):
        reopened = await books.invoice(invoice_id)
        assert (reopened["status"], reopened["balance"], reopened["settled_on"]) == ("open", eur("100.00"), None)
    told = await books.published(payment["id"])
    assert [event["type"] for event in told] == [
        *("payment.received", "payment.applied", "payment.unapplied", "payment.reversed")
    ]
    assert [event["version"] for event in told] == [1, 2, 3, 4]
    changed = (await books.published(one["id"]))[-1]
    assert (changed["type"], changed["data"]["reason"]) == ("invoice.balance_changed", "unallocation")
    assert (changed["data"]["change"], changed["data"]["effective_on"]) == (eur("100.00"), "2024-03-11")


async def test_a_reversed_payment_is_neither_reversed_nor_allocated_again(books: Receivables) -> None:
    customer = await books.customer()
    issued = await books.issue(customer)
    payment = await books.pay("100.00", customer_id=customer)
    await books.reverse(payment["id"])
    before = len(await books.published())

    again = await books.reverse(payment["id"])
    body = {"allocations": [{"invoice_id": issued["id"]}]}
    allocated = await books.post(f"/v1/payments/{payment['id']}/allocations", body)

    assert problem(again, 409) == problem(allocated, 409) == "payment-reversed"
    assert len(await books.published()) == before


async def test_a_repeated_payment_is_booked_once(books: Receivables) -> None:
    customer = await books.customer()
    await books.issue(customer, "300.00")
    body = {"amount": eur("100.00"), "customer_id": customer}

    answers = await asyncio.gather(*(books.post("/v1/payments", body, key="k-1") for _ in range(8)))
    last = await books.post("/v1/payments", body, key="k-1")

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert last.status_code == 201
    assert {answer.json()["id"] for answer in (*answers, last) if answer.status_code == 201} == {last.json()["id"]}
    assert (await books.get("/v1/invoices"))["items"][0]["balance"] == eur("200.00")


async def test_payments_at_once_never_pay_more_than_is_owed(books: Receivables) -> None:
    customer = await books.customer()
    issued = await books.issue(customer)

    payments = await asyncio.gather(*(books.pay("30.00", customer_id=customer) for _ in range(8)))

    assert (await books.invoice(issued["id"]))["status"] == "settled"
    applied = sum(float(payment["applied"]["amount"]) for payment in payments)
    assert applied == 100
    totals = (await books.get(f"/v1/customers/{customer}/balance"))["totals"]
    assert totals[0]["unapplied"] == eur("140.00")


async def test_payments_are_listed_with_their_allocations(books: Receivables) -> None:
    one, two = await books.customer(), await books.customer()
    await books.issue(one)
    payments = [await books.pay("10.00", customer_id=customer) for customer in (one, two, one)]

    first = await books.get("/v1/payments", limit=2)
    rest = await books.get("/v1/payments", limit=2, cursor=first["next_cursor"])

    assert first["items"] + rest["items"] == payments
    assert (await books.get("/v1/payments", customer_id=two))["items"] == [payments[1]]
    assert (await books.get("/v1/payments", status="unapplied"))["items"] == [payments[1]]


def allocation(number: str, amount: str) -> dict[str, Any]:
    return {"invoice_number": number, "amount": eur(amount)}


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "another currency": ({"amount": {"amount": "100.00", "currency": "USD"}}, "currency-mismatch", "#/amount/currency"),
    "another currency by reference": (
        {"amount": {"amount": "100.00", "currency": "USD"}, "reference": "A-1"},
        "currency-mismatch",
        "#/amount/currency",
    ),
    "another currency by allocation": (
        {"amount": {"amount": "100.00", "currency": "USD"}, "allocations": [{"invoice_number": "A-1"}]},
        "currency-mismatch",
        "#/allocations/0",
    ),
    "an allocation in another currency": (
        {"allocations": [{"invoice_number": "A-1", "amount": {"amount": "1.00", "currency": "USD"}}]},
        "currency-mismatch",
        "#/allocations/0/amount/currency",
    ),
    "more than the invoice owes": (
        {"amount": eur("200.00"), "allocations": [{"invoice_number": "A-1", "amount": eur("100.01")}]},
        "over-allocation",
        "#/allocations/0/amount",
    ),
    "more than was paid": (
        {"allocations": [allocation("A-1", "60.00"), allocation("A-2", "40.01")]},
        "over-allocation",
        "#/allocations/1/amount",
    ),
    "an invoice twice": (
        {"allocations": [allocation("A-1", "1.00"), allocation("A-1", "1.00")]},
        "allocation-refused",
        "#/allocations/1",
    ),
    "an invoice that is not there": (
        {"allocations": [{"invoice_number": "A-9"}]},
        "allocation-refused",
        "#/allocations/0",
    ),
    "received tomorrow": ({"received_on": "2024-03-02"}, "payment-date", "#/received_on"),
    "zero": ({"amount": eur("0.00")}, "invalid-request", "#/amount"),
    "below zero": ({"amount": eur("-1.00")}, "invalid-request", "#/amount"),
    "wrong exponent": ({"amount": eur("1.001")}, "invalid-request", "#/amount"),
    "an amount as number": ({"amount": {"amount": 5, "currency": "EUR"}}, "invalid-request", "#/amount/amount"),
    "unknown customer": ({"customer_id": str(uuid4())}, "customer-unknown", "#/customer_id"),
    "nobody": ({"customer_id": None, "reference": "hello"}, "payer-unknown", "#/customer_id"),
    "several customers": ({"customer_id": None, "reference": "A-1 B-1"}, "payer-unknown", "#/customer_id"),
    "an unknown field": ({"bank": "x"}, "invalid-request", "#/bank"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_wrong_is_named_and_changes_nothing(books: Receivables, name: str) -> None:
    changes, kind, pointer = REFUSED[name]
    customer = await books.customer()
    await books.issue(customer, number="A-1")
    await books.issue(customer, number="A-2")
    await books.issue(await books.customer(), number="B-1")
    before = len(await books.published())

    answer = await books.post("/v1/payments", {"amount": eur("100.00"), "customer_id": customer, **changes})

    assert problem(answer, 422) == kind, answer.json()
    assert pointers(answer) == [pointer]
    assert len(await books.published()) == before
    assert (await books.get("/v1/payments"))["items"] == []


async def test_over_allocating_what_is_left_is_refused(books: Receivables) -> None:
    customer = await books.customer()
    payment = await books.pay("50.00", customer_id=customer)
    issued = await books.issue(customer)
    path = f"/v1/payments/{payment['id']}/allocations"

    too_much = await books.post(path, {"allocations": [{"invoice_id": issued["id"], "amount": eur("50.01")}]})
    all_of_it = await books.post(path, {"allocations": [{"invoice_id": issued["id"]}]})
    nothing_left = await books.post(path, {"allocations": [{"invoice_id": issued["id"]}]})

    assert problem(too_much, 422) == problem(nothing_left, 422) == "over-allocation"
    assert all_of_it.json()["status"] == "applied"
    assert problem(await books.reverse(str(uuid4())), 404) == "payment-not-found"
