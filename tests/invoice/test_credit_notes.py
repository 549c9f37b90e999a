"""Credit notes and voids: an invoice taken back whole, in part, by line, paid or not."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.invoice.credit_notes import rules
from services.invoice.credit_notes.rules import Credit, LineAsked
from services.invoice.invoices.rules import CreditAnswer, Document, Filed, draft
from services.invoice.pricing.rules import Line, price
from shared.errors import Refused
from shared.ids import new_id
from shared.money import Money
from tests.invoice.client import Receivables, eur, line, pointers, problem

TODAY, NOW = date(2024, 3, 1), datetime(2024, 3, 1, 8, tzinfo=UTC)
S19 = {"category": "S", "rate": "19"}
S7 = {"category": "S", "rate": "7"}


async def credit(books: Receivables, invoice_id: str, **body: Any) -> dict[str, Any]:
    answer = await books.post(f"/v1/invoices/{invoice_id}/credit-notes", {"reason": "goods returned", **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def accounts(books: Receivables) -> dict[str, str]:
    balance = await books.get("/v1/journal/trial-balance")
    assert all(each["difference"]["amount"] == "0.00" for each in balance["totals"])
    return {each["account"]: each["balance"]["amount"] for each in balance["items"]}


async def taxed(books: Receivables, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    given = lines or (line("100.00", quantity="3", tax=S19), line("10.00", tax=S7))
    answer = await books.post("/v1/invoices", {"customer_id": await books.customer(), "lines": [*given], **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_an_invoice_credited_whole_owes_nothing_and_its_tax_is_taken_back(books: Receivables) -> None:
    issued = await taxed(books)

    note = await credit(books, issued["id"])

    assert note["number"] == "DWC-000001"
    assert (note["net"], note["tax"], note["total"]) == (eur("310.00"), eur("57.70"), eur("367.70"))
    assert [(each["invoice_position"], each["quantity"]) for each in note["lines"]] == [(1, "3"), (2, "1")]
    after = await books.invoice(issued["id"])
    assert (after["status"], after["balance"]) == ("settled", eur("0.00"))
    assert await accounts(books) == {"output_tax": "0.00", "revenue": "0.00", "trade_receivables": "0.00"}
    told = [event["type"] for event in await books.published(issued["id"])]
    assert told == ["invoice.issued", "invoice.credited", "invoice.settled"]
    assert problem(await books.post(f"/v1/invoices/{issued['id']}/credit-notes", {"reason": "x"}), 409) == (
        "nothing-to-credit"
    )


async def test_lines_are_credited_by_quantity_until_nothing_of_them_is_left(books: Receivables) -> None:
    issued = await taxed(books)

    one = await credit(books, issued["id"], lines=[{"position": 1, "quantity": "1"}])
    rest = await credit(books, issued["id"], lines=[{"position": 1}])

    assert (one["total"], rest["total"]) == (eur("119.00"), eur("238.00"))
    path = f"/v1/invoices/{issued['id']}/credit-notes"
    over = {"reason": "x", "lines": [{"position": 2, "quantity": "2"}]}
    assert pointers(await books.post(path, over)) == ["#/lines/0/quantity"]
    assert pointers(await books.post(path, {"reason": "x", "lines": [{"position": 1}]})) == ["#/lines/0"]
    assert pointers(await books.post(path, {"reason": "x", "lines": [{"position": 9}]})) == ["#/lines/0"]
    assert (await books.invoice(issued["id"]))["balance"] == eur("10.70")


async def test_an_amount_is_spread_over_the_taxes_of_the_invoice(books: Receivables) -> None:
    issued = await taxed(books, line("100.00", tax=S19), line("100.00", tax=S7))

    note = await credit(books, issued["id"], amount=eur("113.00"))

    by_rate = {tax["rate"]: (tax["taxable"]["amount"], tax["tax"]["amount"]) for tax in note["taxes"]}
    assert by_rate == {"19": ("50.00", "9.50"), "7": ("50.00", "3.50")}
    path = f"/v1/invoices/{issued['id']}/credit-notes"
    assert pointers(await books.post(path, {"reason": "x", "amount": eur("113.01")})) == ["#/amount"]
    last = await credit(books, issued["id"], amount=eur("113.00"))
    assert last["taxes"] == note["taxes"]


async def test_what_was_paid_and_is_credited_becomes_unapplied_cash_the_newest_payment_first(
    books: Receivables,
) -> None:
    issued = await books.issue(await books.customer(), "100.00")
    first = await books.pay("60.00", reference=issued["number"])
    second = await books.pay("30.00", reference=issued["number"])

    note = await credit(books, issued["id"], amount=eur("50.00"))

    assert note["unapplied"] == eur("40.00")
    assert (await books.get(f"/v1/payments/{second['id']}"))["unapplied"] == eur("30.00")
    older = await books.get(f"/v1/payments/{first['id']}")
    assert (older["applied"], older["unapplied"]) == (eur("50.00"), eur("10.00"))
    assert [(each["amount"], each["reversed_on"]) for each in older["allocations"]] == [
        (eur("50.00"), None),
        (eur("10.00"), "2024-03-01"),
    ]
    after = await books.invoice(issued["id"])
    assert (after["status"], after["balance"]) == ("settled", eur("0.00"))
    assert [type_ for type_, _ in await books.told(first["id"])][-1] == "payment.unapplied"
    assert await accounts(books) == {
        "bank": "90.00",
        "revenue": "-50.00",
        "trade_receivables": "0.00",
        "unapplied_cash": "-40.00",
    }
    assert (await books.reverse(first["id"])).status_code == 201
    assert (await books.invoice(issued["id"]))["balance"] == eur("50.00")
    assert (await accounts(books))["trade_receivables"] == "50.00"


async def test_a_credit_note_shrinks_a_dispute_to_what_is_still_owed(books: Receivables) -> None:
    issued = await books.issue(await books.customer(), "100.00")
    await books.dispute(issued["id"], "80.00")

    await credit(books, issued["id"], amount=eur("70.00"))

    after = await books.invoice(issued["id"])
    assert (after["balance"], after["disputed"]) == (eur("30.00"), eur("30.00"))


async def test_credit_notes_are_listed_and_numbered_without_gaps(books: Receivables) -> None:
    issued = await books.issue(await books.customer(), "100.00")
    await credit(books, issued["id"], amount=eur("10.00"))
    await books.post(f"/v1/invoices/{issued['id']}/credit-notes", {"reason": "x", "amount": eur("1000.00")})
    note = await credit(books, issued["id"], amount=eur("10.00"))

    found = (await books.get("/v1/credit-notes", invoice_id=issued["id"]))["items"]
    assert [each["number"] for each in found] == ["DWC-000001", "DWC-000002"]
    assert (await books.get(f"/v1/credit-notes/{note['id']}"))["invoice_number"] == issued["number"]
    assert (await books.get("/v1/credit-notes", number="DWC-000002"))["items"][0]["id"] == note["id"]


async def test_a_credit_note_may_not_be_dated_before_its_invoice(books: Receivables) -> None:
    issued = await books.issue(await books.customer(), "100.00", issue_date="2024-02-20")
    path = f"/v1/invoices/{issued['id']}/credit-notes"

    assert pointers(await books.post(path, {"reason": "x", "issue_date": "2024-02-19"})) == ["#/issue_date"]
    assert pointers(await books.post(path, {"reason": "x", "issue_date": "2024-03-02"})) == ["#/issue_date"]
    assert (await credit(books, issued["id"], issue_date="2024-02-20"))["effective_on"] == "2024-02-20"


async def test_an_invoice_issued_by_mistake_is_voided_and_keeps_its_number(books: Receivables) -> None:
    issued = await taxed(books)
    await books.dispute(issued["id"])

    answer = await books.post(f"/v1/invoices/{issued['id']}/void", {"reason": "wrong customer"})

    assert answer.status_code == 201, answer.text
    after = await books.invoice(issued["id"])
    assert (after["status"], after["number"], after["balance"], after["disputed"]) == (
        "voided",
        issued["number"],
        eur("0.00"),
        eur("0.00"),
    )
    entries = (await books.get("/v1/journal"))["items"]
    assert Counter(each["kind"] for each in entries) == {"invoice": 1, "tax": 1, "void": 2}
    assert (await accounts(books))["trade_receivables"] == "0.00"
    assert problem(await books.post(f"/v1/invoices/{issued['id']}/void", {"reason": "again"}), 409)
    assert problem(await books.post(f"/v1/invoices/{issued['id']}/credit-notes", {"reason": "x"}), 409)


async def test_an_invoice_of_which_something_was_paid_is_not_voided_but_credited(books: Receivables) -> None:
    issued = await books.issue(await books.customer(), "100.00")
    await books.pay("1.00", reference=issued["number"])

    answer = await books.post(f"/v1/invoices/{issued['id']}/void", {"reason": "wrong customer"})

    assert problem(answer, 409) == "invoice-not-voidable"
    assert "issue a credit note" in answer.json()["detail"]


# --- the rules alone ---

QUANTITIES = st.integers(1, 9_000_000)
LINES = st.lists(
    st.builds(
        Line,
        st.just("Work"),
        QUANTITIES,
        st.integers(1, 99_999).map(lambda minor: Money(minor, "EUR")),
        st.just("S"),
        st.sampled_from([1_900, 700, 550, 10_000]),
    ),
    min_size=1,
    max_size=4,
)


def document(lines: list[Line]) -> Document:
    priced = price(lines)
    invoice = draft(
        priced,
        invoice_id=new_id(),
        entity_id="default",
        customer_id=UUID(int=1),
        number="A-1",
        issued_on=TODAY,
        due_on=TODAY,
        delivery_channel="email",
        reference=None,
    )
    return Document(Filed(invoice, CreditAnswer("off", "not_asked"), NOW), priced.lines, priced.taxes)


@given(LINES, st.data())
def test_notes_in_any_mix_never_take_back_more_than_the_invoice_and_in_the_end_exactly_it(
    lines: list[Line], data: st.DataObject
) -> None:
    try:
        issued = document(lines)
    except Refused:
        return
    notes: list[Credit] = []
    for _ in range(data.draw(st.integers(0, 5))):
        left = issued.invoice.total_minor - sum(note.total_minor for note in notes)
        if left <= 0:
            break
        if data.draw(st.booleans()):
            asked = Money(data.draw(st.integers(1, left)), "EUR")
            notes.append(rules.by_amount(issued, notes, asked, "less"))
            assert notes[-1].total_minor == asked.minor
            continue
        position = data.draw(st.integers(1, len(lines)))
        quantity = data.draw(st.none() | QUANTITIES)
        try:
            notes.append(rules.by_lines(issued, notes, [LineAsked(position, quantity)]))
        except Refused:
            continue
    if sum(note.total_minor for note in notes) < issued.invoice.total_minor:
        notes.append(rules.whole(issued, notes, "the rest"))

    for group in issued.taxes:
        own = [tax for note in notes for tax in note.taxes if tax.group == (group.category, group.rate_bp)]
        assert sum(tax.taxable_minor for tax in own) == group.taxable_minor
        assert sum(tax.tax_minor for tax in own) == group.tax_minor
        assert all(tax.taxable_minor >= 0 and tax.tax_minor >= 0 for tax in own)
    for note in notes:
        assert note.total_minor > 0
        for tax in note.taxes:
            assert sum(each.net_minor for each in note.lines if each.group == tax.group) == tax.taxable_minor
        for each in note.lines:
            assert abs(each.quantity_millionths * each.unit_price_minor - each.net_minor * 1_000_000) <= 500_000


@given(st.lists(st.integers(-500, 5_000), min_size=1, max_size=6), st.data())
def test_an_amount_spread_adds_up_and_no_part_exceeds_its_share(over: list[int], data: st.DataObject) -> None:
    if sum(over) <= 0:
        return
    amount = data.draw(st.integers(0, sum(over)))
    parts = rules.spread(amount, over)
    assert sum(parts) == amount
    assert all(min(0, whole) <= part <= max(0, whole) for part, whole in zip(parts, over, strict=True))


async def test_a_voided_credit_note_is_owed_again_and_may_be_credited_anew(books: Receivables) -> None:
    customer = await books.customer()
    issued = await books.issue(customer, "100.00", lines=[line("100.00", tax={"category": "S", "rate": "19"})])
    await books.pay("119.00", customer_id=customer)
    before = await accounts(books)
    path = f"/v1/invoices/{issued['id']}/credit-notes"
    note = (await books.post(path, {"reason": "wrong invoice", "amount": eur("59.50")})).json()

    answer = await books.post(f"/v1/credit-notes/{note['id']}/void", {"reason": "credited to the wrong invoice"})

    assert answer.status_code == 201, answer.text
    assert (answer.json()["balance"], answer.json()["status"]) == (eur("59.50"), "partly_paid")
    assert (await books.get(f"/v1/credit-notes/{note['id']}"))["voided_on"] == "2024-03-01"
    assert await accounts(books) == {
        **before,
        "trade_receivables": "59.50",
        "unapplied_cash": "-59.50",
    }, "the money it had set free stays unapplied; sales and tax are as before"
    told = (await books.published(issued["id"]))[-1]
    assert (told["type"], told["data"]["reason"]) == ("invoice.balance_changed", "restored")
    again = await books.post(f"/v1/credit-notes/{note['id']}/void", {"reason": "x"})
    assert problem(again, 409) == "credit-note-not-voidable"
    anew = await books.post(path, {"reason": "all of it"})
    assert anew.json()["total"] == eur("119.00"), "what was voided is left to credit"
    assert anew.json()["number"] > note["number"]


async def test_a_credit_note_over_an_accepted_dispute_is_not_voided(books: Receivables) -> None:
    issued = await books.issue(await books.customer(), "100.00")
    dispute = (await books.dispute(issued["id"], "40.00")).json()
    resolution = f"/v1/invoices/{issued['id']}/disputes/{dispute['id']}/resolution"
    assert (await books.post(resolution, {"outcome": "accepted"})).status_code == 201
    [note] = (await books.get("/v1/credit-notes", invoice_id=issued["id"]))["items"]
    refused = await books.post(f"/v1/credit-notes/{note['id']}/void", {"reason": "x"})
    assert problem(refused, 409) == "credit-note-not-voidable"
