"""Write-offs: given up by one person or two, and what happens when the money comes after all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.invoice.client import Receivables, eur, line, pointers, problem
from tests.invoice.test_credit_notes import accounts


async def write_off(books: Receivables, invoice_id: str, **body: Any) -> httpx.Response:
    return await books.post(f"/v1/invoices/{invoice_id}/write-off", {"reason_code": "uncollectable", **body})


async def policy(books: Receivables, **policies: Any) -> None:
    version = (await books.get("/v1/entities/default"))["version"]
    headers = {"if-match": f'"{version}"'}
    answer = await books.http.patch("/v1/entities/default", json={"policies": policies}, headers=headers)
    assert answer.status_code == 200, answer.text


@pytest.fixture
def ben(books: Receivables, token: Callable[..., str]) -> Callable[..., Any]:
    """Another person than the one who calls otherwise."""

    async def post(path: str, body: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {token(subject='ben')}", "idempotency-key": str(uuid4())}
        return await books.http.post(path, json=body, headers=headers)

    return post


async def test_a_claim_given_up_is_bad_debt_and_ends_the_overdue_episode(books: Receivables) -> None:
    issued = await books.issue(await books.customer(), "100.00", due_date="2024-03-02")
    await books.wake_on("2024-03-10")
    await books.dispute(issued["id"], "10.00")

    answer = await write_off(books, issued["id"], note="insolvent since January")

    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "written_off"
    after = await books.invoice(issued["id"])
    assert (after["status"], after["balance"], after["disputed"]) == ("written_off", eur("0.00"), eur("0.00"))
    assert await accounts(books) == {"bad_debt": "100.00", "revenue": "-100.00", "trade_receivables": "0.00"}
    told = [name for name, _ in await books.told(issued["id"])]
    assert told[-3:] == ["invoice.written_off", "invoice.overdue_cleared", "invoice.dispute_resolved"]
    assert pointers(await write_off(books, issued["id"])) == []


async def test_more_than_is_owed_is_not_written_off(books: Receivables) -> None:
    issued = await books.issue(await books.customer(), "100.00")
    assert pointers(await write_off(books, issued["id"], amount=eur("100.01"))) == ["#/amount"]
    wrong = await write_off(books, issued["id"], amount={"amount": "5.00", "currency": "USD"})
    assert pointers(wrong) == ["#/amount/currency"]


@pytest.mark.parametrize(("amount", "status"), [("49.99", 201), ("50.00", 202), ("50.01", 202)])
async def test_from_the_policys_amount_on_a_second_person_decides(books: Receivables, amount: str, status: int) -> None:
    await policy(books, write_offs={"approval_from": [eur("50.00")]})
    issued = await books.issue(await books.customer(), "100.00")
    assert (await write_off(books, issued["id"], amount=eur(amount))).status_code == status


async def test_currencies_that_the_policy_does_not_name_always_need_approval(books: Receivables) -> None:
    await policy(books, write_offs={"approval_from": [eur("50.00")]})
    issued = await books.issue(await books.customer(), "1.00", "USD")
    assert (await write_off(books, issued["id"])).status_code == 202


async def test_nobody_approves_their_own_request_and_a_second_person_does(books: Receivables, ben: Any) -> None:
    await policy(books, write_offs={"approval_from": [eur("50.00")]})
    issued = await books.issue(await books.customer(), "100.00")
    asked = (await write_off(books, issued["id"])).json()
    [waiting] = (await books.get("/v1/approvals", status="open"))["items"]
    path = f"/v1/approvals/{waiting['id']}"

    assert (waiting["id"], waiting["subject_id"]) == (asked["approval_id"], asked["id"])
    assert (await books.invoice(issued["id"]))["balance"] == eur("100.00")
    assert problem(await books.post(f"{path}/approval", {}), 409) == "second-person-needed"
    approved = await ben(f"{path}/approval", {"note": "agreed"})

    assert approved.status_code == 201, approved.text
    assert approved.json()["write_off"]["status"] == "written_off"
    assert (await books.invoice(issued["id"]))["status"] == "written_off"
    assert (await books.get(path))["decided_by"] == "ben"
    assert problem(await ben(f"{path}/rejection", {}), 409) == "approval-decided"
    assert (await books.get("/v1/approvals", status="open"))["items"] == []


async def test_a_rejected_write_off_changes_nothing(books: Receivables, ben: Any) -> None:
    await policy(books, write_offs={"approval_from": [eur("50.00")]})
    issued = await books.issue(await books.customer(), "100.00")
    asked = (await write_off(books, issued["id"])).json()

    answer = await ben(f"/v1/approvals/{asked['approval_id']}/rejection", {"note": "they will pay"})

    assert answer.json()["write_off"]["status"] == "rejected"
    assert (await books.invoice(issued["id"]))["balance"] == eur("100.00")


async def test_an_approval_for_more_than_is_owed_by_now_is_refused_and_stays_open(books: Receivables, ben: Any) -> None:
    await policy(books, write_offs={"approval_from": [eur("50.00")]})
    issued = await books.issue(await books.customer(), "100.00")
    asked = (await write_off(books, issued["id"])).json()
    await books.pay("10.00", reference=issued["number"])

    answer = await ben(f"/v1/approvals/{asked['approval_id']}/approval", {})

    assert problem(answer, 422) == "write-off-amount"
    assert len((await books.get("/v1/approvals", status="open"))["items"]) == 1


async def test_a_payment_that_names_a_written_off_invoice_is_a_recovery(books: Receivables) -> None:
    issued = await books.issue(await books.customer(), "100.00", due_date="2024-03-02")
    await books.wake_on("2024-03-10")
    await write_off(books, issued["id"])
    await books.at("2024-04-01")

    payment = await books.pay("30.00", reference=f"better late than never {issued['number']}")

    assert payment["applied"] == eur("30.00")
    after = await books.invoice(issued["id"])
    assert (after["status"], after["balance"]) == ("written_off", eur("0.00"))
    assert await accounts(books) == {
        "bad_debt": "100.00",
        "bad_debt_recovered": "-30.00",
        "bank": "30.00",
        "revenue": "-100.00",
        "trade_receivables": "0.00",
        "unapplied_cash": "0.00",
    }
    await books.reverse(payment["id"])
    assert (await books.invoice(issued["id"]))["balance"] == eur("30.00")
    assert (await accounts(books))["bad_debt"] == "70.00"
    assert (await accounts(books))["bad_debt_recovered"] == "0.00"


async def test_a_recovery_in_full_settles_and_what_is_more_stays_unapplied(books: Receivables) -> None:
    issued = await books.issue(await books.customer(), "100.00")
    await books.pay("20.00", reference=issued["number"])
    await write_off(books, issued["id"], amount=eur("50.00"))

    payment = await books.pay("90.00", allocations=[{"invoice_number": issued["number"]}])

    assert (payment["applied"], payment["unapplied"]) == (eur("80.00"), eur("10.00"))
    assert (await books.invoice(issued["id"]))["status"] == "settled"


async def test_money_that_names_nothing_leaves_written_off_invoices_alone(books: Receivables) -> None:
    customer = await books.customer()
    issued = await books.issue(customer, "100.00")
    await write_off(books, issued["id"])
    assert (await books.pay("30.00", customer_id=customer))["unapplied"] == eur("30.00")


async def test_tax_in_bad_debt_comes_back_where_the_policy_says_so(books: Receivables) -> None:
    await policy(books, write_offs={"tax_relief": True})
    body = {"customer_id": await books.customer(), "lines": [line("100.00", tax={"category": "S", "rate": "19"})]}
    issued = (await books.post("/v1/invoices", body)).json()

    await write_off(books, issued["id"], amount=eur("33.33"))
    await write_off(books, issued["id"])

    assert await accounts(books) == {
        "bad_debt": "100.00",
        "output_tax": "0.00",
        "revenue": "-100.00",
        "trade_receivables": "0.00",
    }
    await books.pay("119.00", reference=issued["number"])
    assert {name: (await accounts(books))[name] for name in ("bad_debt", "bad_debt_recovered", "output_tax")} == {
        "bad_debt": "100.00",
        "bad_debt_recovered": "-100.00",
        "output_tax": "-19.00",
    }


async def test_a_credit_note_over_what_was_written_off_takes_the_loss_back_first(books: Receivables) -> None:
    issued = await books.issue(await books.customer(), "100.00")
    await books.pay("40.00", reference=issued["number"])
    await write_off(books, issued["id"])

    answer = await books.post(f"/v1/invoices/{issued['id']}/credit-notes", {"reason": "was never delivered"})

    assert answer.json()["unapplied"] == eur("40.00")
    assert (await books.invoice(issued["id"]))["status"] == "settled"
    assert await accounts(books) == {
        "bad_debt": "0.00",
        "bank": "40.00",
        "revenue": "0.00",
        "trade_receivables": "0.00",
        "unapplied_cash": "-40.00",
    }


async def test_approving_takes_a_scope_of_its_own_and_rejecting_does_not(
    books: Receivables, token: Callable[..., str]
) -> None:
    await policy(books, write_offs={"approval_from": [eur("50.00")]})
    issued = await books.issue(await books.customer(), "100.00")
    asked = (await write_off(books, issued["id"])).json()
    cloe = {"authorization": f"Bearer {token('invoices:read invoices:write', subject='cloe')}"}

    async def decides(decision: str) -> httpx.Response:
        headers = {**cloe, "idempotency-key": str(uuid4())}
        return await books.http.post(f"/v1/approvals/{asked['approval_id']}/{decision}", json={}, headers=headers)

    refused = await decides("approval")
    assert problem(refused, 403) == "forbidden"
    assert "invoices:approve" in refused.json()["detail"]
    assert (await books.invoice(issued["id"]))["balance"] == eur("100.00")
    assert (await decides("rejection")).status_code == 201


async def test_who_may_not_approve_does_not_move_the_amount_from_which_it_takes_two(
    books: Receivables, token: Callable[..., str]
) -> None:
    await policy(books, write_offs={"approval_from": [eur("50.00")]})
    seen = await books.http.get("/v1/entities/default")
    cloe = f"Bearer {token('invoices:read invoices:write', subject='cloe')}"

    async def changes(**policies: Any) -> httpx.Response:
        headers = {"authorization": cloe, "if-match": seen.headers["etag"]}
        return await books.http.patch("/v1/entities/default", json={"policies": policies}, headers=headers)

    assert problem(await changes(write_offs={"approval_from": [eur("5000.00")]}), 403) == "forbidden"
    assert problem(await changes(draft_days_max=3), 403) == "forbidden", "what is left out is the default"
    kept = await changes(draft_days_max=3, write_offs={"approval_from": [eur("50.00")]})
    assert kept.status_code == 200, kept.text
