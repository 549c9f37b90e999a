"""Drafts, and the completeness check before an invoice leaves."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.invoice.client import Receivables, eur, invoice, line, pointers, problem

SELLER = {
    "legal_name": "Dueward GmbH",
    "address": {"lines": ["Hauptstr. 1"], "city": "Berlin", "postal_code": "10115", "country": "DE"},
    "vat_id": "DE136695976",
}
ADDRESS = {"lines": ["Am Ring 2"], "city": "Köln", "postal_code": "50667"}


async def described(books: Receivables, **policies: Any) -> None:
    """The default entity with everything that documents need."""
    entity = await books.http.get("/v1/entities/default")
    headers = {"if-match": entity.headers["etag"]}
    body = {"seller": SELLER, "policies": policies}
    answer = await books.http.patch("/v1/entities/default", json=body, headers=headers)
    assert answer.status_code == 200, answer.text


async def check(books: Receivables, body: dict[str, Any]) -> list[tuple[str, str]]:
    answer = await books.http.post("/v1/invoices/checks", json=body)
    assert answer.status_code == 200, answer.text
    found = answer.json()["findings"]
    assert answer.json()["complete"] == (not found)
    return [(each["code"], each["field"]) for each in found]


def taxed(category: str, rate: str = "0", **more: Any) -> dict[str, Any]:
    return line("100.00", tax={"category": category, "rate": rate, **more})


class TestDrafts:
    async def test_a_draft_is_kept_changed_and_issued_under_its_id(self, books: Receivables) -> None:
        customer = await books.customer()
        kept = await books.post("/v1/invoices", invoice(customer, draft=True, reference="PO 1"))
        assert kept.status_code == 201, kept.text
        draft = kept.json()
        assert (draft["status"], draft["owner"], draft["version"]) == ("draft", "anna", 1)
        assert draft["total"] == eur("100.00")
        path = kept.headers["location"]

        listed = await books.get("/v1/invoices", status="draft", customer_id=customer)
        assert [each["id"] for each in listed["items"]] == [draft["id"]]
        assert (await books.get("/v1/invoices"))["items"] == [], "a draft is no claim"
        assert await books.published() == []
        shown = await books.get(path)
        assert shown["invoice"]["reference"] == "PO 1"
        assert "seller-undescribed" in [each["code"] for each in shown["findings"]]

        changes = {"reference": None, "lines": [line("250.00")], "owner": "bert"}
        changed = await books.http.patch(path, json=changes, headers={"if-match": '"1"'})
        assert changed.status_code == 200, changed.text
        assert (changed.json()["total"], changed.json()["owner"]) == (eur("250.00"), "bert")
        assert "reference" not in changed.json()["invoice"]
        stale = await books.http.patch(path, json={"reference": "x"}, headers={"if-match": '"1"'})
        assert problem(stale, 412) == "stale-version"
        wrong = await books.http.patch(path, json={"lines": []}, headers={"if-match": '"2"'})
        assert pointers(wrong) == ["#/lines"]

        issued = await books.post(f"{path}/issue", {}, key="k")
        assert issued.status_code == 201, issued.text
        assert (issued.json()["id"], issued.json()["number"]) == (draft["id"], "DW-000001")
        assert issued.json()["total"] == eur("250.00")
        assert [each["amount"] for each in books.credit.asked] == [eur("250.00")]
        again = await books.post(f"{path}/issue", {}, key="k")
        anew = await books.post(f"{path}/issue", {})
        assert again.json() == anew.json() == issued.json()
        assert len(await books.published(draft["id"])) == 1
        assert (await books.get("/v1/invoices", status="draft"))["items"] == []
        gone = await books.http.patch(path, json={"reference": "x"}, headers={"if-match": '"2"'})
        assert problem(gone, 404) == "draft-not-found"

    async def test_a_draft_thrown_away_takes_no_number_with_it(self, books: Receivables) -> None:
        customer = await books.customer()
        path = (await books.post("/v1/invoices", invoice(customer, draft=True))).headers["location"]

        assert (await books.http.delete(path)).status_code == 428
        assert (await books.http.delete(path, headers={"if-match": '"1"'})).status_code == 204

        assert problem(await books.http.get(path), 404) == "invoice-not-found"
        assert problem(await books.post(f"{path}/issue", {}), 404) == "invoice-not-found"
        assert (await books.issue(customer))["number"] == "DW-000001"

    async def test_old_drafts_stand_in_a_queue_with_their_owner(self, books: Receivables) -> None:
        customer = await books.customer()
        await described(books, draft_days_max=3)
        for owner in ("ada", "bert"):
            await books.post("/v1/invoices", invoice(customer, draft=True, owner=owner))
            await books.at("2024-03-02")

        await books.at("2024-03-04", hour=8)
        assert (await books.get("/v1/draft-queue"))["items"] == [], "three days are allowed"
        await books.at("2024-03-04", hour=9)
        assert [(e["owner"], e["days"]) for e in (await books.get("/v1/draft-queue"))["items"]] == [("ada", 3)]
        await books.at("2024-03-20")
        first = await books.get("/v1/draft-queue", limit=1)
        then = await books.get("/v1/draft-queue", limit=1, cursor=first["next_cursor"])
        assert [e["owner"] for e in first["items"] + then["items"]] == ["ada", "bert"]
        assert [e["owner"] for e in (await books.get("/v1/draft-queue", owner="bert"))["items"]] == ["bert"]

    async def test_a_draft_issued_by_two_at_once_is_issued_once(self, books: Receivables) -> None:
        import asyncio

        path = (await books.post("/v1/invoices", invoice(await books.customer(), draft=True))).headers["location"]

        answers = await asyncio.gather(*(books.post(f"{path}/issue", {}) for _ in range(4)))

        assert {answer.status_code for answer in answers} <= {201, 409}
        assert len((await books.get("/v1/invoices"))["items"]) == 1


class TestCompleteness:
    async def test_names_everything_that_is_missing_at_once(self, books: Receivables) -> None:
        customer = await books.customer(contacts=[], requires=["buyer_reference", "purchase_order"])

        found = await check(books, invoice(customer, lines=[taxed("K"), taxed("E"), taxed("S")]))

        assert found == [
            ("seller-undescribed", "/entity_id"),
            ("buyer-address-missing", "/customer_id"),
            ("recipient-missing", "/delivery_channel"),
            ("buyer-reference-missing", "/buyer_reference"),
            ("purchase-order-missing", "/order_reference"),
            ("tax-rate-missing", "/lines"),
            ("exemption-reason-missing", "/lines"),
            ("buyer-vat-id-missing", "/customer_id"),
            ("delivery-country-missing", "/deliver_to/country"),
            ("supply-date-missing", "/supplied_on"),
        ]
        assert not await books.anything_written()

    @pytest.mark.parametrize(
        ("about", "found"),
        [
            ({"supplied_on": "2024-03-01", "lines": [taxed("S", "19")]}, []),
            ({"lines": [taxed("S", "19")]}, ["supply-date-missing"]),
            ({"supplied_on": "2024-03-01", "lines": [taxed("S", "19"), taxed("O")]}, ["tax-mixed"]),
            ({"supplied_on": "2024-03-01", "lines": [taxed("E", exemption_code="VATEX-EU-132-1I")]}, []),
            ({"supplied_on": "2024-03-01", "lines": [taxed("AE")]}, []),
            (
                {"supplied_on": "2024-03-01", "lines": [taxed("K")], "deliver_to": {"country": "AT"}},
                [],
            ),
            (
                {"supplied_on": "2024-03-01", "lines": [taxed("K")], "deliver_to": {"country": "CH"}},
                ["not-intra-community"],
            ),
            (
                {"supplied_on": "2024-03-01", "lines": [taxed("G")], "deliver_to": {"country": "FR"}},
                ["export-inside-the-union"],
            ),
        ],
    )
    async def test_tax_has_to_be_consistent(self, books: Receivables, about: dict[str, Any], found: list[str]) -> None:
        await described(books)
        customer = await books.customer(country="AT", address=ADDRESS, vat_id="ATU13585627")

        assert [code for code, _ in await check(books, invoice(customer, **about))] == found

    async def test_a_wrong_vat_id_and_a_supply_at_home_are_seen(self, books: Receivables) -> None:
        await described(books)
        wrong = await books.customer(address=ADDRESS, vat_id="DE136695977")
        home = await books.customer(address=ADDRESS, vat_id="DE136695976")
        body = {"supplied_on": "2024-03-01", "lines": [taxed("K")], "deliver_to": {"country": "AT"}}

        assert ("buyer-vat-id-invalid", "/customer_id") in await check(books, invoice(wrong, **body))
        assert await check(books, invoice(home, **body)) == [("not-intra-community", "/customer_id")]

    async def test_what_may_be_the_same_invoice_is_named(self, books: Receivables) -> None:
        await described(books)
        customer = await books.customer(address=ADDRESS)
        plain = {"supplied_on": "2024-03-01"}
        old = await books.issue(customer, issue_date="2024-01-01", reference="PO 7", **plain)

        assert await check(books, invoice(customer, **plain)) == [], "two months ago, and without its reference"
        assert await check(books, invoice(customer, reference="PO 7", **plain)) == [("suspected-duplicate", "/lines")]
        assert await check(books, invoice(customer, "100.01", reference="PO 7", **plain)) == []
        await books.issue(customer, issue_date="2024-02-15", **plain)
        assert await check(books, invoice(customer, **plain)) == [("suspected-duplicate", "/lines")]
        assert old["findings"] == [], "recording asks no questions of the database"

    async def test_the_entitys_policy_notes_refuses_or_keeps_quiet(self, books: Receivables) -> None:
        customer = await books.customer(requires=["purchase_order"])

        noted = await books.issue(customer)
        assert [each["code"] for each in noted["findings"]] == [
            *("seller-undescribed", "buyer-address-missing", "purchase-order-missing")
        ]
        assert (await books.invoice(noted["id"]))["findings"] == noted["findings"]

        await described(books, completeness="block")
        refused = await books.post("/v1/invoices", invoice(customer))
        assert problem(refused, 422) == "invoice-incomplete"
        assert pointers(refused) == ["#/supplied_on", "#/customer_id", "#/order_reference", "#/lines"]

        complete = await books.customer(address=ADDRESS)
        body = {"supplied_on": "2024-03-01"}
        assert (await books.issue(complete, **body))["number"] == "DW-000002", "a refusal takes no number"
        twice = await books.post("/v1/invoices", invoice(complete, **body))
        assert [each["code"] for each in _findings(twice)] == ["suspected-duplicate"]
        meant = await books.issue(complete, accept=["suspected-duplicate"], **body)
        assert [each["code"] for each in meant["findings"]] == ["suspected-duplicate"]

        await described(books, completeness="off")
        assert (await books.issue(customer))["findings"] == []


def _findings(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 422, answer.text
    return answer.json()["findings"]
