"""Disputes over the real application: only what is contested is held back, and payments shrink it."""

from __future__ import annotations

import pytest

from tests.invoice.client import Receivables, eur, pointers, problem


async def test_a_part_is_held_back_and_collected_again_when_rejected(books: Receivables) -> None:
    customer = await books.customer()
    issued = await books.issue(customer)

    opened = await books.dispute(issued["id"], "40.00")

    assert opened.status_code == 201, opened.text
    dispute = opened.json()
    assert (dispute["status"], dispute["amount"], dispute["held"]) == ("open", eur("40.00"), eur("40.00"))
    held = await books.invoice(issued["id"])
    assert (held["disputed"], held["collectable"], held["balance"]) == (eur("40.00"), eur("60.00"), eur("100.00"))

    path = f"/v1/invoices/{issued['id']}/disputes/{dispute['id']}/resolution"
    resolved = await books.post(path, {"outcome": "rejected"})

    assert (resolved.json()["status"], resolved.json()["held"]) == ("rejected", eur("0.00"))
    assert (await books.invoice(issued["id"]))["collectable"] == eur("100.00")
    assert (await books.get(f"/v1/invoices/{issued['id']}/disputes"))["items"] == [resolved.json()]
    _, disputed, ended = await books.published(issued["id"])
    assert (disputed["type"], ended["type"]) == ("invoice.disputed", "invoice.dispute_resolved")
    assert disputed["data"]["dispute_id"] == ended["data"]["dispute_id"] == dispute["id"]
    assert disputed["data"]["amount"] == ended["data"]["amount"] == eur("40.00")
    assert (disputed["data"]["reason"], ended["data"]["outcome"]) == ("damaged in transit", "rejected")
    assert problem(await books.post(path, {"outcome": "withdrawn"}), 409) == "dispute-closed"


async def test_without_an_amount_all_that_is_left_is_disputed(books: Receivables) -> None:
    issued = await books.issue(await books.customer())

    part = await books.dispute(issued["id"], "25.00")
    rest = await books.dispute(issued["id"])
    none_left = await books.dispute(issued["id"])

    assert (part.json()["amount"], rest.json()["amount"]) == (eur("25.00"), eur("75.00"))
    assert problem(none_left, 422) == "dispute-amount"
    assert (await books.invoice(issued["id"]))["collectable"] == eur("0.00")


async def test_more_than_is_owed_cannot_be_disputed(books: Receivables) -> None:
    issued = await books.issue(await books.customer())
    before = len(await books.published())

    assert pointers(await books.dispute(issued["id"], "100.01")) == ["#/amount"]
    assert pointers(await books.dispute(issued["id"], "0.00")) == ["#/amount"]
    assert pointers(await books.dispute(issued["id"], "1.00", "USD")) == ["#/amount/currency"]
    assert len(await books.published()) == before


async def test_a_payment_shrinks_disputes_to_what_is_still_owed_the_oldest_first(books: Receivables) -> None:
    issued = await books.issue(await books.customer())
    first = (await books.dispute(issued["id"], "30.00")).json()
    await books.at("2024-03-02")
    second = (await books.dispute(issued["id"], "50.00")).json()

    await books.pay("60.00", allocations=[{"invoice_id": issued["id"]}])

    after = await books.invoice(issued["id"])
    assert (after["balance"], after["disputed"], after["collectable"]) == (eur("40.00"), eur("40.00"), eur("0.00"))
    disputes = {each["id"]: each for each in (await books.get(f"/v1/invoices/{issued['id']}/disputes"))["items"]}
    assert (disputes[first["id"]]["status"], disputes[first["id"]]["held"]) == ("paid", eur("0.00"))
    assert (disputes[second["id"]]["status"], disputes[second["id"]]["held"]) == ("open", eur("40.00"))
    ended = (await books.published(issued["id"]))[-1]
    assert (ended["type"], ended["data"]["outcome"]) == ("invoice.dispute_resolved", "paid")
    assert (ended["data"]["dispute_id"], ended["data"]["amount"]) == (first["id"], eur("30.00"))


async def test_paying_all_ends_every_dispute(books: Receivables) -> None:
    issued = await books.issue(await books.customer())
    dispute = (await books.dispute(issued["id"])).json()

    await books.pay("100.00", reference=issued["number"])

    assert [event["type"] for event in await books.published(issued["id"])] == [
        *("invoice.issued", "invoice.disputed", "invoice.settled", "invoice.dispute_resolved")
    ]
    path = f"/v1/invoices/{issued['id']}/disputes/{dispute['id']}/resolution"
    assert problem(await books.post(path, {"outcome": "rejected"}), 409) == "dispute-closed"
    assert problem(await books.dispute(issued["id"]), 422) == "dispute-amount"


async def test_a_dispute_of_another_invoice_is_not_found(books: Receivables) -> None:
    customer = await books.customer()
    one, two = await books.issue(customer), await books.issue(customer)
    dispute = (await books.dispute(one["id"])).json()

    path = f"/v1/invoices/{two['id']}/disputes/{dispute['id']}/resolution"

    assert problem(await books.post(path, {"outcome": "rejected"}), 404) == "dispute-not-found"


@pytest.mark.parametrize(
    ("disputed", "noted"), [("100.00", True), ("30.00", False)], ids=["over all of it", "over a part"]
)
async def test_a_credit_note_that_leaves_nothing_to_dispute_gives_the_customer_right(
    books: Receivables, disputed: str, noted: bool
) -> None:
    issued = await books.issue(await books.customer())
    dispute = (await books.dispute(issued["id"], disputed)).json()

    note = (await books.post(f"/v1/invoices/{issued['id']}/credit-notes", {"reason": "damaged"})).json()

    [ended] = (await books.get(f"/v1/invoices/{issued['id']}/disputes"))["items"]
    assert (ended["status"], ended["accepted"], ended["held"]) == ("accepted", eur(disputed), eur("0.00"))
    assert ended["credit_note_id"] == (note["id"] if noted else None)
    told = next(e for e in await books.published(issued["id"]) if e["type"] == "invoice.dispute_resolved")
    assert (told["data"]["outcome"], told["data"]["accepted"]) == ("accepted", eur(disputed))
    assert told["data"]["dispute_id"] == dispute["id"]
