"""What a customer owes one selling entity is told apart from what it owes another."""

from __future__ import annotations

from tests.invoice.client import Receivables


async def test_a_balance_is_that_of_the_entity_asked_for(books: Receivables) -> None:
    paris = {"id": "paris", "name": "Dueward France", "series": {"invoice": "FR-", "credit_note": "FC-"}}
    assert (await books.post("/v1/entities", paris)).status_code == 201
    customer = await books.customer()
    await books.issue(customer, number="A-1")
    await books.issue(customer, "70.00", number="F-1", entity_id="paris")

    ours = await books.get(f"/v1/customers/{customer}/balance")
    theirs = await books.get(f"/v1/customers/{customer}/balance", entity_id="paris")

    assert [item["number"] for item in ours["items"]] == ["A-1"]
    assert [item["number"] for item in theirs["items"]] == ["F-1"]
    assert theirs["entity"]["name"] == "Dueward France"
    assert ours["pay_link"] != theirs["pay_link"]
    nowhere = await books.http.get(f"/v1/customers/{customer}/balance", params={"entity_id": "nowhere"})
    assert nowhere.status_code == 404
