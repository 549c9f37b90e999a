"""What somebody booked on the wrong invoice is taken off it again: the money waits unapplied, to be applied anew."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.browser import needs_chromium
from tests.invoice.client import Receivables, eur
from tests.invoice.desk import Desk


async def unapply(books: Receivables, payment: dict[str, Any], invoice: dict[str, Any]) -> httpx.Response:
    body = {"invoice_id": invoice["id"], "reason": "meant for another invoice"}
    return await books.post(f"/v1/payments/{payment['id']}/allocations/reversal", body)


async def test_the_money_is_unapplied_again_and_the_invoice_owed_with_effect_from_today(books: Receivables) -> None:
    customer = await books.customer()
    first = await books.issue(customer, "100.00", issue_date="2024-01-10", due_date="2024-02-09")
    second = await books.issue(customer, "60.00")
    payment = await books.pay("160.00", allocations=[{"invoice_id": first["id"]}, {"invoice_id": second["id"]}])
    await books.at("2024-03-05")

    answer = await unapply(books, payment, first)

    assert answer.status_code == 201, answer.text
    after = answer.json()
    assert (after["status"], after["unapplied"], after["applied"]) == ("partly_applied", eur("100.00"), eur("60.00"))
    taken, kept = after["allocations"]
    assert (taken["reversed_on"], taken["reversal_reason"]) == ("2024-03-05", "meant for another invoice")
    assert (kept["reversed_on"], kept["reversal_reason"]) == (None, None)
    assert (await books.invoice(first["id"]))["balance"] == eur("100.00")
    assert (await books.invoice(second["id"]))["status"] == "settled"
    told = (await books.published(payment["id"]))[-1]
    assert (told["type"], told["data"]["reason"]) == ("payment.unapplied", "meant for another invoice")
    assert [part["amount"] for part in told["data"]["allocations"]] == [eur("100.00")]
    assert (await books.told(first["id"]))[-1] == ("invoice.balance_changed", "2024-03-05")
    entries = (await books.get("/v1/journal", payment_id=payment["id"]))["items"]
    newest = entries[-1]
    assert (newest["debit"], newest["credit"]) == ("trade_receivables", "unapplied_cash")
    assert newest["amount"] == eur("100.00")


async def test_an_invoice_past_due_is_overdue_again_in_a_new_episode(books: Receivables) -> None:
    customer = await books.customer()
    issued = await books.issue(customer, "100.00", issue_date="2024-01-10", due_date="2024-02-09")
    await books.tick()
    payment = await books.pay("100.00", reference=issued["number"])
    await books.at("2024-03-05")

    await unapply(books, payment, issued)
    await books.tick()

    told = [each for each in await books.told(issued["id"]) if each[0].startswith("invoice.overdue")]
    assert [name for name, _ in told] == ["invoice.overdue", "invoice.overdue_cleared", "invoice.overdue"]
    assert told[-1][1] == "2024-03-05"


@pytest.mark.parametrize(("received_on", "discount"), [("2024-03-11", True), ("2024-03-12", False)])
async def test_a_discount_is_taken_back_with_the_money_and_earned_anew_by_the_day_it_was_received(
    books: Receivables, received_on: str, discount: bool
) -> None:
    customer = await books.customer()
    terms = {"net_days": 30, "discounts": [{"percent": "2", "days": 10}]}
    issued = await books.issue(customer, "100.00", payment_terms=terms)
    await books.at("2024-03-20")
    payment = await books.pay("98.00", reference=issued["number"], received_on=received_on)
    paid = await books.invoice(issued["id"])

    await unapply(books, payment, issued)
    reopened = await books.invoice(issued["id"])
    wanted = {"allocations": [{"invoice_id": issued["id"]}]}
    again = await books.post(f"/v1/payments/{payment['id']}/allocations", wanted)

    assert reopened["balance"] == eur("100.00")
    assert again.status_code == 201, again.text
    assert (await books.invoice(issued["id"]))["balance"] == paid["balance"]
    assert paid["balance"] == eur("0.00" if discount else "2.00")


async def test_an_instalment_taken_back_is_open_again(books: Receivables) -> None:
    customer = await books.customer()
    issued = await books.issue(customer, "300.00", issue_date="2024-01-10", due_date="2024-02-09")
    plan = (await books.post(f"/v1/invoices/{issued['id']}/plans", {"count": 3, "first_on": "2024-04-01"})).json()
    payment = await books.pay("100.00", reference=issued["number"])

    await unapply(books, payment, issued)

    seen = await books.get(f"/v1/plans/{plan['id']}")
    assert (seen["balance"], seen["instalments"][0]["paid"]) == (eur("300.00"), eur("0.00"))
    assert (await books.invoice(issued["id"]))["collectable"] == eur("0.00")


async def test_what_is_not_there_cannot_be_taken_back(books: Receivables) -> None:
    customer = await books.customer()
    paid, other = await books.issue(customer, "100.00"), await books.issue(customer, "50.00")
    payment = await books.pay("100.00", reference=paid["number"])
    gone = await books.pay("50.00", reference=other["number"])
    await books.reverse(gone["id"])

    twice = [(await unapply(books, payment, paid)).status_code for _ in range(2)]
    wrong = await unapply(books, payment, other)
    reversed_one = await unapply(books, gone, other)
    nobody = await unapply(books, {"id": str(uuid4())}, paid)
    unsaid = await books.post(
        f"/v1/payments/{payment['id']}/allocations/reversal", {"invoice_id": paid["id"], "reason": ""}
    )

    assert twice == [201, 404]
    assert (wrong.status_code, wrong.json()["type"].rpartition("/")[2]) == (404, "allocation-not-found")
    assert (reversed_one.status_code, nobody.status_code, unsaid.status_code) == (409, 404, 422)


@needs_chromium
async def test_a_payment_is_taken_off_an_invoice_on_its_page(desk: Desk) -> None:
    books = desk.books
    customer = await books.customer()
    issued = await books.issue(customer, "100.00")
    payment = await books.pay("100.00", reference=issued["number"])

    await desk.page.goto(f"{desk.url}/invoices/{issued['id']}")
    await desk.page.get_by_text("Take the payment of").click()
    await desk.page.fill("form[action$='/unapply'] [name=reason]", "wrong customer's money")
    await desk.page.get_by_role("button", name="Take it off").click()

    await desk.page.get_by_text("The payment is taken off the invoice").wait_for()
    assert await desk.page.get_by_text("wrong customer's money").count() == 1
    assert (await books.get(f"/v1/payments/{payment['id']}"))["unapplied"] == eur("100.00")
