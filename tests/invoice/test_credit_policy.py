"""What issuing makes of credit's answer, under each policy of the selling entity."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from tests.invoice.client import Receivables, invoice, problem


async def _policy(books: Receivables, policy: str) -> None:
    entity = await books.http.get("/v1/entities/default")
    answer = await books.http.patch(
        "/v1/entities/default", json={"credit_policy": policy}, headers={"if-match": entity.headers["etag"]}
    )
    assert answer.status_code == 200, answer.text


async def test_advise_records_what_credit_says(books: Receivables) -> None:
    customer = await books.customer()
    books.credit.outcome = "declined"

    issued = await books.issue(customer, number="R-1")

    assert issued["credit"]["policy"] == "advise"
    assert (issued["credit"]["outcome"], issued["credit"]["reasons"]) == ("declined", ["limit_exceeded"])
    assert issued["credit"]["decision_id"]
    (asked,) = books.credit.asked
    assert asked["customer_id"] == customer
    assert (asked["amount"], asked["reference"]) == ({"amount": "100.00", "currency": "EUR"}, "R-1")


async def test_credit_hears_which_order_the_invoice_is_for(books: Receivables) -> None:
    await books.issue(await books.customer(), reference="PO 7")

    (asked,) = books.credit.asked
    assert asked["order"] == "PO 7"


async def test_advise_issues_also_when_credit_is_away(books: Receivables) -> None:
    customer = await books.customer()
    books.credit.reachable = False

    issued = await books.issue(customer)

    assert (issued["credit"]["outcome"], issued["credit"]["decision_id"]) == ("unavailable", None)


async def test_enforce_refuses_what_credit_declines(books: Receivables) -> None:
    customer = await books.customer()
    await _policy(books, "enforce")
    books.credit.outcome = "declined"

    refused = await books.post("/v1/invoices", invoice(customer))

    assert problem(refused, 422) == "credit-declined"
    assert refused.json()["reasons"] == ["limit_exceeded"]
    assert not await books.anything_written()
    books.credit.outcome = "approved"
    assert (await books.issue(customer))["credit"]["outcome"] == "approved"


async def test_enforce_waits_for_credit(books: Receivables) -> None:
    customer = await books.customer()
    await _policy(books, "enforce")
    books.credit.reachable = False

    refused = await books.post("/v1/invoices", invoice(customer))

    assert problem(refused, 503) == "credit-unavailable"
    assert not await books.anything_written()


async def test_off_does_not_ask(books: Receivables) -> None:
    customer = await books.customer()
    await _policy(books, "off")

    issued = await books.issue(customer)

    assert issued["credit"] == {"policy": "off", "outcome": "not_asked", "reasons": [], "decision_id": None}
    assert books.credit.asked == []


async def test_a_request_tried_again_after_a_refusal_asks_the_same_question(books: Receivables) -> None:
    customer = await books.customer()
    await _policy(books, "enforce")
    books.credit.outcome = "declined"

    await books.post("/v1/invoices", invoice(customer), key="k-1")
    await books.post("/v1/invoices", invoice(customer), key="k-1")
    await books.post("/v1/invoices", invoice(customer, "200.00"), key="k-1")

    first, again, other = (asked["asked_as"] for asked in books.credit.asked)
    assert first == again != other


async def test_an_entity_changed_meanwhile_is_not_overwritten(books: Receivables) -> None:
    stale = await books.http.patch("/v1/entities/default", json={"name": "Us"}, headers={"if-match": '"7"'})
    blind = await books.http.patch("/v1/entities/default", json={"name": "Us"})

    assert problem(stale, 412) == "stale-version"
    assert problem(blind, 428) == "precondition-required"


async def test_each_operation_wants_its_scope(books: Receivables, token: Callable[..., str]) -> None:
    def calling(scopes: str) -> httpx.AsyncClient:
        books.http.headers["authorization"] = f"Bearer {token(scopes)}"
        return books.http

    reader = calling("invoices:read")
    body = {"amount": {"amount": "1.00", "currency": "EUR"}}
    assert problem(await reader.post("/v1/invoices", json={}), 403) == "forbidden"
    assert problem(await reader.post("/v1/payments", json=body), 403) == "forbidden"
    assert problem(await reader.get("/v1/payments"), 403) == "forbidden"
    assert (await reader.get("/v1/invoices")).status_code == 200
    del books.http.headers["authorization"]
    assert problem(await books.http.get("/v1/journal"), 401) == "unauthenticated"
