"""Refunds of unapplied cash, and payments taken back for one reason or another."""

from __future__ import annotations

from typing import Any

import pytest

from tests.invoice.client import Receivables, eur, pointers, problem
from tests.invoice.test_credit_notes import accounts
from tests.invoice.test_write_offs import policy


async def test_unapplied_cash_goes_back_to_the_customer(books: Receivables) -> None:
    payment = await books.pay("100.00", customer_id=await books.customer())

    answer = await books.post(f"/v1/payments/{payment['id']}/refunds", {"amount": eur("40.00"), "reason": "paid twice"})

    assert answer.status_code == 201, answer.text
    after = await books.get(f"/v1/payments/{payment['id']}")
    assert (after["status"], after["refunded"], after["unapplied"]) == ("unapplied", eur("40.00"), eur("60.00"))
    assert await accounts(books) == {"bank": "60.00", "unapplied_cash": "-60.00"}
    told = (await books.published(payment["id"]))[-1]
    assert (told["type"], told["version"], told["data"]["amount"]) == ("payment.refunded", 2, eur("40.00"))
    [listed] = (await books.get("/v1/refunds", payment_id=payment["id"]))["items"]
    assert listed == answer.json() == await books.get(f"/v1/refunds/{listed['id']}")
    await books.post(f"/v1/payments/{payment['id']}/refunds", {"reason": "the rest"})
    assert (await books.get(f"/v1/payments/{payment['id']}"))["status"] == "refunded"


@pytest.mark.parametrize("amount", ["60.01", "0.00", "-1.00"])
async def test_never_more_is_refunded_than_is_unapplied(books: Receivables, amount: str) -> None:
    customer = await books.customer()
    await books.issue(customer, "40.00")
    payment = await books.pay("100.00", customer_id=customer)
    answer = await books.post(f"/v1/payments/{payment['id']}/refunds", {"amount": eur(amount), "reason": "x"})
    assert pointers(answer) == ["#/amount"]


async def test_what_was_refunded_is_not_applied_and_its_payment_not_reversed(books: Receivables) -> None:
    customer = await books.customer()
    payment = await books.pay("100.00", customer_id=customer)
    await books.post(f"/v1/payments/{payment['id']}/refunds", {"amount": eur("40.00"), "reason": "x"})
    issued = await books.issue(customer, "100.00")

    over = {"allocations": [{"invoice_id": issued["id"], "amount": eur("60.01")}]}
    assert problem(await books.post(f"/v1/payments/{payment['id']}/allocations", over), 422) == "over-allocation"
    assert problem(await books.reverse(payment["id"]), 409) == "payment-refunded"


async def test_a_reversed_payment_is_not_refunded(books: Receivables) -> None:
    payment = await books.pay("100.00", customer_id=await books.customer())
    await books.reverse(payment["id"])
    answer = await books.post(f"/v1/payments/{payment['id']}/refunds", {"reason": "x"})
    assert problem(answer, 409) == "payment-reversed"


@pytest.mark.parametrize("kind", ["bounced", "charged_back", "booked_by_mistake", None])
async def test_a_reversal_says_its_kind(books: Receivables, kind: str | None) -> None:
    payment = await books.pay("100.00", customer_id=await books.customer())
    body = {"reason": "account closed", **({"kind": kind} if kind else {})}
    answer = await books.post(f"/v1/payments/{payment['id']}/reversal", body)
    assert (answer.status_code, answer.json()["reversal_kind"]) == (201, kind)
    assert (await books.published(payment["id"]))[-1]["data"]["kind"] == kind


async def bounced(books: Receivables, kind: str = "bounced") -> tuple[dict[str, Any], dict[str, Any]]:
    """An invoice that was paid by a payment that did not stay."""
    issued = await books.issue(await books.customer(), "100.00")
    payment = await books.pay("100.00", reference=issued["number"])
    await books.post(f"/v1/payments/{payment['id']}/reversal", {"reason": "no funds", "kind": kind})
    return issued, payment


async def test_what_the_bank_charged_is_passed_on_once_where_the_policy_says_so(books: Receivables) -> None:
    await policy(books, pass_on_bank_charges=True)
    issued, payment = await bounced(books)
    path = f"/v1/payments/{payment['id']}/bank-charge"

    answer = await books.post(path, {"amount": eur("7.50")})

    assert answer.status_code == 201, answer.text
    assert answer.json()["invoice_id"] == issued["id"]
    assert (await books.invoice(issued["id"]))["balance"] == eur("107.50")
    assert (await accounts(books))["fee_income"] == "-7.50"
    assert problem(await books.post(path, {"amount": eur("7.50")}), 409) == "bank-charge"


async def test_a_bank_charge_is_not_passed_on_without_the_policy_a_reversal_or_the_customers_doing(
    books: Receivables,
) -> None:
    _, payment = await bounced(books)
    body = {"amount": eur("7.50")}
    assert problem(await books.post(f"/v1/payments/{payment['id']}/bank-charge", body), 409) == "bank-charge"
    await policy(books, pass_on_bank_charges=True)
    _, ours = await bounced(books, "booked_by_mistake")
    standing = await books.pay("5.00", customer_id=await books.customer())
    for each in (ours, standing):
        assert problem(await books.post(f"/v1/payments/{each['id']}/bank-charge", body), 409) == "bank-charge"


async def test_a_refund_whose_money_came_back_is_unapplied_cash_again(books: Receivables) -> None:
    customer = await books.customer()
    payment = await books.pay("100.00", customer_id=customer)
    refund = (await books.post(f"/v1/payments/{payment['id']}/refunds", {"reason": "paid twice"})).json()
    assert await accounts(books) == {"bank": "0.00", "unapplied_cash": "0.00"}

    answer = await books.post(f"/v1/refunds/{refund['id']}/reversal", {"reason": "the account was closed"})

    assert answer.status_code == 201, answer.text
    assert (answer.json()["reversed_on"], answer.json()["reversal_reason"]) == ("2024-03-01", "the account was closed")
    after = await books.get(f"/v1/payments/{payment['id']}")
    assert (after["status"], after["refunded"], after["unapplied"]) == ("unapplied", eur("0.00"), eur("100.00"))
    assert await accounts(books) == {"bank": "100.00", "unapplied_cash": "-100.00"}
    told = (await books.published(payment["id"]))[-1]
    assert (told["type"], told["version"], told["data"]["amount"]) == ("payment.refund_reversed", 3, eur("100.00"))
    again = await books.post(f"/v1/refunds/{refund['id']}/reversal", {"reason": "x"})
    assert problem(again, 409) == "refund-reversed"
    assert (await books.reverse(payment["id"])).status_code == 201, "nothing of it is refunded any more"
