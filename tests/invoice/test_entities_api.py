"""Selling entities over HTTP: a second one, with its own name, seller and gapless numbers."""

from __future__ import annotations

from typing import Any

from tests.invoice.client import Receivables


def entity(id: str, invoice_prefix: str, credit_note_prefix: str) -> dict[str, Any]:
    return {
        "id": id,
        "name": "Acme Trading",
        "time_zone": "Europe/Berlin",
        "series": {"invoice": invoice_prefix, "credit_note": credit_note_prefix},
        "seller": {
            "legal_name": "Acme Trading GmbH",
            "address": {"lines": ["Hafenstr. 1"], "city": "Hamburg", "postal_code": "20457", "country": "DE"},
            "vat_id": "DE136695976",
            "bank_accounts": [{"iban": "DE02120300000000202051"}],
        },
    }


async def test_a_second_entity_has_its_own_seller_and_policies(books: Receivables) -> None:
    opened = await books.post("/v1/entities", entity("acme-de", "AD-", "ADC-"))

    assert opened.status_code == 201, opened.text
    assert opened.json()["seller"]["vat_id"] == "DE136695976"
    assert await books.get("/v1/entities/acme-de") == opened.json()


async def test_an_entity_id_and_a_series_prefix_are_taken_once(books: Receivables) -> None:
    await books.post("/v1/entities", entity("acme-at", "AT-", "ATC-"))

    again = await books.post("/v1/entities", entity("acme-at", "X-", "XC-"))
    assert (again.status_code, again.json()["title"]) == (409, "There is a selling entity with this id")
    prefix = await books.post("/v1/entities", entity("acme-ch", "AT-", "CHC-"))
    assert (prefix.status_code, prefix.json()["title"]) == (409, "Another series begins its numbers like this")
    assert (await books.http.get("/v1/entities/acme-ch")).status_code == 404


async def test_a_zone_or_a_bank_account_that_cannot_be_is_named(books: Receivables) -> None:
    body: dict[str, Any] = {**entity("acme-x", "Y-", "YC-"), "time_zone": "Europe/Atlantis"}
    body["seller"]["bank_accounts"] = [{"iban": "no iban"}]
    refused = await books.post("/v1/entities", body)

    assert refused.status_code == 422
    assert {error["pointer"] for error in refused.json()["errors"]} == {
        "#/time_zone",
        "#/seller/bank_accounts/0/iban",
    }


async def test_changing_the_seller_leaves_the_rest(books: Receivables) -> None:
    before = await books.http.get("/v1/entities/default")
    changed = await books.http.patch(
        "/v1/entities/default",
        json={"seller": {"legal_name": "Dueward Ltd"}},
        headers={"if-match": before.headers["etag"]},
    )

    assert changed.status_code == 200, changed.text
    assert changed.json()["seller"]["legal_name"] == "Dueward Ltd"
    assert changed.json()["name"] == before.json()["name"]
