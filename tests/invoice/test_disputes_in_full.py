"""Disputes worked on: reasons, lines, owners and deadlines, the thread with its files, and what they are counted by."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoice.disputes import rules
from services.invoice.disputes.rules import SoldLine
from tests.invoice.client import Receivables, eur, line, pointers, problem

PDF = b"%PDF-1.7\nwhat the driver signed"


async def put_policies(books: Receivables, **policies: Any) -> None:
    answer = await books.http.get("/v1/entities/default")
    changed = await books.http.patch(
        "/v1/entities/default", json={"policies": policies}, headers={"if-match": answer.headers["etag"]}
    )
    assert changed.status_code == 200, changed.text


async def dispute(books: Receivables, invoice_id: str, **about: Any) -> dict[str, Any]:
    answer = await books.post(f"/v1/invoices/{invoice_id}/disputes", {"reason": "three of five came", **about})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def attach(books: Receivables, dispute_id: str, content: bytes, **about: Any) -> httpx.Response:
    body = {"name": "proof.pdf", "media_type": "application/pdf", "content": b64encode(content).decode(), **about}
    return await books.post(f"/v1/disputes/{dispute_id}/attachments", body)


@given(st.integers(1, 10**9), st.lists(st.integers(-100, 10**6), min_size=1, max_size=9))
def test_the_shares_of_a_disputed_amount_add_up_to_it(amount: int, gross: list[int]) -> None:
    found = rules.shares(amount, [SoldLine(n, minor) for n, minor in enumerate(gross)])

    assert sum(share.amount_minor for share in found) == (amount if any(minor > 0 for minor in gross) else 0)


async def test_lines_are_disputed_for_what_they_come_to_with_their_tax(books: Receivables) -> None:
    tax = {"category": "S", "rate": "19.00"}
    lines = [line("100.00", tax=tax), line("33.33", tax=tax), line("50.00")]
    issued = await books.issue(await books.customer(), lines=lines)

    opened = await dispute(books, issued["id"], lines=[2, 3], code="wrong_quantity")

    # 19 % of 133.33 is 25.33; the second line's part of it by net is 25.33 x 33.33 / 133.33 = 6.33.
    assert (opened["amount"], opened["lines"], opened["code"]) == (eur("89.66"), [2, 3], "wrong_quantity")
    told = (await books.published(issued["id"]))[-1]["data"]
    assert (told["code"], told["reason"], told["answer_by"]) == ("wrong_quantity", "three of five came", "2024-03-15")


async def test_codes_are_the_entitys_own(books: Receivables) -> None:
    issued = await books.issue(await books.customer())
    path = f"/v1/invoices/{issued['id']}/disputes"

    assert problem(await books.post(path, {"reason": "late", "code": "too_late"}), 422) == "dispute-code"
    await put_policies(books, disputes={"codes": ["too_late", "other"], "answer_days": 3})

    opened = await dispute(books, issued["id"], code="too_late")
    assert (opened["code"], opened["answer_by"]) == ("too_late", "2024-03-04")
    assert pointers(await books.post(path, {"reason": "late", "lines": [9]})) == ["#/lines/0"]


async def test_an_unanswered_dispute_is_escalated_the_day_after_its_deadline(books: Receivables) -> None:
    issued = await books.issue(await books.customer(), "90.00")
    late = await dispute(books, issued["id"], amount=eur("30.00"), answer_by="2024-03-10")
    resolved = await dispute(books, issued["id"], amount=eur("30.00"), answer_by="2024-03-10")
    await books.post(f"/v1/invoices/{issued['id']}/disputes/{resolved['id']}/resolution", {"outcome": "withdrawn"})

    await books.wake_on("2024-03-10")
    assert (await books.get(f"/v1/disputes/{late['id']}"))["escalated_on"] is None
    await books.wake_on("2024-03-11")

    assert [each["id"] for each in (await books.get("/v1/disputes", escalated="true"))["items"]] == [late["id"]]
    assert (await books.get(f"/v1/disputes/{late['id']}"))["escalated_on"] == "2024-03-11"


async def test_an_owner_takes_it_and_sees_what_was_said_and_sent(books: Receivables) -> None:
    issued = await books.issue(await books.customer())
    opened = await dispute(books, issued["id"])
    path = f"/v1/disputes/{opened['id']}"

    taken = await books.http.patch(path, json={"owner": "bea", "answer_by": "2024-03-05"}, headers={"if-match": '"1"'})
    await books.post(f"{path}/messages", {"body": "Where are the other two?", "from_customer": True})
    await books.post(f"{path}/messages", {"body": "The driver says you signed for five."})
    proof = (await attach(books, opened["id"], PDF)).json()
    again = (await attach(books, opened["id"], PDF, name="again.pdf")).json()

    assert (taken.status_code, taken.json()["owner"], taken.headers["etag"]) == (200, "bea", '"2"')
    assert again["id"] == proof["id"]
    seen = await books.get(path)
    assert [(each["body"][:9], each["from_customer"]) for each in seen["messages"]] == [
        *(("Where are", True), ("The drive", False))
    ]
    assert [each["name"] for each in seen["attachments"]] == ["proof.pdf"]
    assert [each["id"] for each in (await books.get("/v1/disputes", owner="bea"))["items"]] == [opened["id"]]
    stale = await books.http.patch(path, json={"owner": "carl"}, headers={"if-match": '"1"'})
    assert problem(stale, 412) == "stale-version"


async def test_an_attachment_comes_back_as_it_was_and_no_browser_runs_it(books: Receivables) -> None:
    opened = await dispute(books, (await books.issue(await books.customer()))["id"])
    proof = (await attach(books, opened["id"], PDF, name='Lieferschein "März".pdf')).json()

    answer = await books.http.get(f"/v1/disputes/{opened['id']}/attachments/{proof['id']}")

    assert (answer.status_code, answer.content, proof["size_bytes"]) == (200, PDF, len(PDF))
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''Lieferschein%20%22M%C3%A4rz%22.pdf"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["content-type"] == "application/pdf"


@pytest.mark.parametrize(
    ("content", "about", "field"),
    [
        (b"<script>", {"media_type": "text/html"}, "#/media_type"),
        (b"<svg/>", {"media_type": "image/svg+xml"}, "#/media_type"),
        (b"MZ\x90", {}, "#/content"),
        (b"\xff\xfe\x00", {"media_type": "text/plain"}, "#/content"),
        (b"%PDF-" + b"0" * rules.ATTACHMENT_BYTES_MAX, {}, "#/content"),
        (PDF, {"name": "../../etc/passwd"}, "#/name"),
    ],
)
async def test_what_may_not_be_attached_is_refused(
    books: Receivables, content: bytes, about: dict[str, str], field: str
) -> None:
    opened = await dispute(books, (await books.issue(await books.customer()))["id"])

    assert pointers(await attach(books, opened["id"], content, **about)) == [field]


async def test_a_rejected_dispute_is_collected_after_fresh_days(books: Receivables) -> None:
    issued = await books.issue(await books.customer())
    one = await dispute(books, issued["id"], amount=eur("10.00"))
    two = await dispute(books, issued["id"], amount=eur("10.00"))
    path = f"/v1/invoices/{issued['id']}/disputes"

    by_policy = await books.post(f"{path}/{one['id']}/resolution", {"outcome": "rejected", "note": "signed for"})
    at_once = await books.post(f"{path}/{two['id']}/resolution", {"outcome": "rejected", "fresh_days": 0})

    assert (by_policy.json()["collect_again_on"], at_once.json()["collect_again_on"]) == ("2024-03-08", None)
    told = [event["data"]["collect_again_on"] for event in (await books.published(issued["id"]))[-2:]]
    assert told == ["2024-03-08", None]


async def test_disputes_are_counted_by_reason_product_and_seller(books: Receivables) -> None:
    lines = [
        line("60.00", product_code="bolt", seller_code="bea"),
        line("30.00", product_code="nut", seller_code="bea"),
        line("10.00"),
    ]
    issued = await books.issue(await books.customer(), lines=lines)
    await dispute(books, issued["id"], amount=eur("50.00"), code="damaged")
    await books.at("2024-03-05")
    second = await dispute(books, issued["id"], lines=[2], code="wrong_price")
    await books.at("2024-03-08")
    await books.post(f"/v1/invoices/{issued['id']}/disputes/{second['id']}/resolution", {"outcome": "rejected"})
    span = {"from": "2024-03-01", "to": "2024-03-31"}

    by_reason = (await books.get("/v1/dispute-statistics", **span))["items"]
    by_product = (await books.get("/v1/dispute-statistics", by="product", **span))["items"]
    by_seller = (await books.get("/v1/dispute-statistics", by="seller", **span))["items"]

    assert [(each["key"], each["disputes"], each["amount"], each["rejected"]) for each in by_reason] == [
        ("damaged", 1, eur("50.00"), 0),
        ("wrong_price", 1, eur("30.00"), 1),
    ]
    assert by_reason[1]["days_to_resolve"] == "3.0"
    assert [(each["key"], each["amount"]) for each in by_product] == [
        ("nut", eur("45.00")),
        ("bolt", eur("30.00")),
        (None, eur("5.00")),
    ]
    assert [(each["key"], each["disputes"], each["amount"]) for each in by_seller] == [
        ("bea", 2, eur("75.00")),
        (None, 1, eur("5.00")),
    ]
    assert (await books.get("/v1/dispute-statistics", **{"from": "2024-03-06", "to": "2024-03-31"}))["items"] == []


async def test_the_customer_is_to_be_told_at_once_where_the_policy_wants_it(books: Receivables) -> None:
    issued = await books.issue(await books.customer())
    quiet = await dispute(books, issued["id"], amount=eur("10.00"))
    await put_policies(books, disputes={"acknowledge": True})
    told = await dispute(books, issued["id"], amount=eur("10.00"))

    assert (quiet["acknowledgement"], told["acknowledgement"]) == ("none", "wanted")


async def resolve(books: Receivables, opened: dict[str, Any], **about: Any) -> httpx.Response:
    path = f"/v1/invoices/{opened['invoice_id']}/disputes/{opened['id']}/resolution"
    return await books.post(path, {"outcome": "accepted", **about})


async def test_an_accepted_dispute_is_credited_by_the_lines_it_was_about(books: Receivables) -> None:
    lines = [
        line("100.00", tax={"category": "S", "rate": "19.00"}),
        line("40.00", tax={"category": "S", "rate": "7.00"}),
    ]
    issued = await books.issue(await books.customer(), lines=lines)
    opened = await dispute(books, issued["id"], lines=[2], code="damaged")
    assert opened["amount"] == eur("42.80")

    ended = await resolve(books, opened, note="the driver confirmed it")

    assert ended.status_code == 201, ended.text
    about = ended.json()
    assert (about["status"], about["accepted"], about["collect_again_on"]) == ("accepted", eur("42.80"), None)
    after = await books.invoice(issued["id"])
    assert (after["balance"], after["disputed"], after["collectable"]) == (eur("119.00"), eur("0.00"), eur("119.00"))
    note = await books.get(f"/v1/credit-notes/{about['credit_note_id']}")
    assert (note["reason"], [each["rate"] for each in note["taxes"]]) == ("the driver confirmed it", ["7"])
    told = (await books.published(issued["id"]))[-2:]
    assert [event["type"] for event in told] == ["invoice.dispute_resolved", "invoice.credited"]
    assert (told[0]["data"]["outcome"], told[0]["data"]["accepted"]) == ("accepted", eur("42.80"))
    assert problem(await resolve(books, opened), 409) == "dispute-closed"


async def test_of_a_dispute_accepted_in_part_the_rest_is_collected_after_fresh_days(books: Receivables) -> None:
    issued = await books.issue(await books.customer())
    opened = await dispute(books, issued["id"], amount=eur("50.00"))

    assert pointers(await resolve(books, opened, amount=eur("50.01"))) == ["#/amount"]
    assert pointers(await resolve(books, opened, outcome="rejected", amount=eur("5.00"))) == ["#"]
    about = (await resolve(books, opened, amount=eur("30.00"))).json()

    assert (about["accepted"], about["held"], about["collect_again_on"]) == (eur("30.00"), eur("0.00"), "2024-03-08")
    after = await books.invoice(issued["id"])
    assert (after["balance"], after["collectable"]) == (eur("70.00"), eur("70.00"))


async def test_what_was_disputed_with_reason_bears_no_interest_and_what_was_charged_for_it_is_taken_back(
    books: Receivables,
) -> None:
    """1,000.00 from 1 February to 1 March bear 10.273972..., the 600.00 that were owed 6.164383..."""
    await put_policies(books, interest={"otherwise": {"law": "eu"}})
    dates = {"issue_date": "2024-01-01", "due_date": "2024-01-31"}
    issued = await books.issue(await books.customer(), "1000.00", **dates)
    await books.post(f"/v1/invoices/{issued['id']}/charges", {"kind": "interest"})
    opened = await dispute(books, issued["id"], amount=eur("400.00"))

    await resolve(books, opened)
    await books.tick()

    assert (await books.invoice(issued["id"]))["balance"] == eur("606.16")
