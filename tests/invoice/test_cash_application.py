"""Cash application over the real application: files come in, what is sure applies itself, the rest waits."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import Adjustment
from services.invoice.journal.rules import Entry
from services.invoice.matching import handlers as matching
from services.invoice.movements.rules import charge as charge_to
from shared.db import transaction
from shared.ids import new_id
from tests.invoice.bank_files import ACCOUNT, BAKER_IBAN, camt, detail, entry
from tests.invoice.client import Receivables, eur, problem
from tests.invoice.test_write_offs import policy


async def send(
    books: Receivables, body: bytes, key: str | None = None, content_type: str = "application/xml", **query: Any
) -> httpx.Response:
    headers = {"idempotency-key": key or str(uuid4()), "content-type": content_type}
    return await books.http.post("/v1/bank-statements", content=body, headers=headers, params=query)


async def received(books: Receivables, *entries: str, **more: Any) -> list[dict[str, Any]]:
    """Send a camt.053 with these entries, let what is due run, and say what became of each."""
    answer = await send(books, camt(*entries, **more))
    assert answer.status_code == 201, answer.text
    await books.tick()
    return (await books.get("/v1/cash-application", bank_statement_id=answer.json()["id"]))["items"]


async def policies(books: Receivables, **cash: Any) -> None:
    entity = await books.http.get("/v1/entities/default")
    body = {"policies": {"cash_application": cash}}
    answer = await books.http.patch("/v1/entities/default", json=body, headers={"if-match": entity.headers["etag"]})
    assert answer.status_code == 200, answer.text


async def confirm(books: Receivables, application: dict[str, Any], **body: Any) -> httpx.Response:
    return await books.post(f"/v1/cash-application/{application['id']}/confirmation", body)


TOLERANT = {"tolerance_amounts": [eur("2.00")], "tolerance_percent": 5}


async def test_a_payment_with_the_rf_reference_applies_itself(books: Receivables) -> None:
    customer = await books.customer()
    await books.issue(customer, number="A-0", issue_date="2024-01-05")
    issued = await books.issue(customer, number="A-1", issue_date="2024-02-01")
    assert (await books.invoice(issued["id"]))["payment_reference"] == issued["payment_reference"]

    [applied] = await received(books, entry("100.00", detail(rf=issued["payment_reference"]), ref="B-1"))

    assert (applied["status"], applied["decided_by"], applied["confidence"]) == ("automatic", "automatic", 99)
    assert "RF" in applied["reason"]
    assert "A-1" in applied["reason"]
    paid = await books.invoice(issued["id"])
    assert (paid["status"], paid["settled_on"]) == ("settled", "2024-02-28")
    payment = await books.get(f"/v1/payments/{applied['payment_id']}")
    assert (payment["status"], payment["amount"], payment["received_on"]) == ("applied", eur("100.00"), "2024-02-28")
    assert [each["type"] for each in await books.published(payment["id"])] == ["payment.received", "payment.applied"]


async def test_a_payment_recorded_by_hand_finds_its_invoice_by_rf_reference_too(books: Receivables) -> None:
    issued = await books.issue(await books.customer(), number="A-1")
    await books.issue(await books.customer(), number="A-2")
    blocks = " ".join(issued["payment_reference"][n : n + 4] for n in range(0, 25, 4))

    payment = await books.pay("40.00", reference=f"Ref {blocks}")

    assert (payment["customer_id"], payment["applied_by"]) == (issued["customer_id"], "reference")
    assert (await books.invoice(issued["id"]))["balance"] == eur("60.00")


async def test_references_are_found_in_every_field(books: Receivables) -> None:
    customer = await books.customer()
    numbers = [f"A-{n}" for n in range(10, 14)]
    issued = [await books.issue(customer, f"{n}.00", number=number) for n, number in enumerate(numbers, start=1)]
    spaced = " ".join(issued[1]["payment_reference"][n : n + 4] for n in range(0, 25, 4))

    found = await received(
        books,
        entry("1.00", detail(end_to_end="A-10", iban="")),
        entry("2.00", detail(text=f"Rechnung {spaced} vom 1.3.", iban="")),
        entry("3.00", detail(text="Inv. A-12/2024, thanks", iban="")),
        entry("4.00", detail(rf=numbers[3], iban="")),
    )

    assert [each["status"] for each in found] == ["automatic"] * 4
    assert [each["confidence"] for each in found] == [97, 98, 96, 97]
    assert {(await books.invoice(each["id"]))["status"] for each in issued} == {"settled"}


async def test_the_same_statement_twice_and_the_same_entry_in_two_messages_change_nothing(books: Receivables) -> None:
    customer = await books.customer()
    issued = await books.issue(customer, "300.00", number="A-1")
    told = entry("100.00", detail(text="A-1"), ref="B-1")
    first = await send(books, camt(told, kind="054"))
    await books.tick()

    again = await send(books, camt(told, kind="054"))
    nightly = await send(books, camt(told, entry("50.00", detail(text="A-1"), ref="B-2")))
    await books.tick()

    assert (again.status_code, again.json()) == (200, first.json())
    assert (nightly.json()["entries"], nightly.json()["entries_new"]) == (2, 1)
    assert (await books.invoice(issued["id"]))["balance"] == eur("150.00")
    assert len((await books.get("/v1/payments"))["items"]) == 2
    entries = await books.get(f"/v1/bank-statements/{nightly.json()['id']}/entries")
    assert [each["bank_reference"] for each in entries["items"]] == ["B-2"]


async def test_files_sent_at_once_are_recorded_once(books: Receivables) -> None:
    customer = await books.customer()
    issued = await books.issue(customer, "300.00", number="A-1")
    bodies = [camt(entry("100.00", detail(text="A-1"), ref="B-1"), kind=kind) for kind in ("053", "054", "053", "054")]

    answers = await asyncio.gather(*(send(books, body) for body in bodies))
    await books.tick()

    assert sorted(answer.status_code for answer in answers) == [200, 200, 201, 201]
    assert sum(answer.json()["entries_new"] for answer in {a.json()["id"]: a for a in answers}.values()) == 1
    assert (await books.invoice(issued["id"]))["balance"] == eur("200.00")


async def test_the_details_of_a_batch_take_the_place_of_its_sum(books: Receivables) -> None:
    customer = await books.customer()
    for n in (1, 2):
        await books.issue(customer, f"{n}00.00", number=f"A-{n}")
    bare = entry("300.00", ref="B-1")
    details = entry("300.00", detail("100.00", text="A-1") + detail("200.00", text="A-2"), ref="B-1")

    [waiting] = await received(books, bare)
    assert (waiting["status"], waiting["confidence"]) == ("open", 0)
    told = await received(books, details, kind="054")
    repeated = await send(books, camt(bare, entry("1.00", ref="B-9")))

    assert [each["status"] for each in told] == ["automatic", "automatic"]
    assert problem(await books.http.get(f"/v1/cash-application/{waiting['id']}"), 404) == "cash-application-not-found"
    assert (await books.get("/v1/cash-application", status="open"))["items"] == []
    assert repeated.json()["entries_new"] == 1
    assert (await books.get(f"/v1/customers/{customer}/balance"))["totals"] == [], "nothing owed, nothing unapplied"


async def test_a_batch_applied_as_a_whole_is_not_applied_again_by_its_details(books: Receivables) -> None:
    customer = await books.customer()
    for n in (1, 2):
        await books.issue(customer, f"{n}00.00", number=f"A-{n}")
    [waiting] = await received(books, entry("300.00", ref="B-1"))
    named = [{"invoice_number": "A-1"}, {"invoice_number": "A-2"}]
    assert (await confirm(books, waiting, customer_id=customer, allocations=named)).status_code == 201

    details = entry("300.00", detail("100.00", text="A-1") + detail("200.00", text="A-2"), ref="B-1")
    assert await received(books, details, kind="054") == []
    assert len((await books.get("/v1/payments"))["items"]) == 1


async def test_debits_and_charges_are_recorded_and_not_applied(books: Receivables) -> None:
    answer = await send(books, camt(entry("130.00", detail(text="rent"), side="DBIT"), entry("7.90", side="DBIT")))
    await books.tick()

    assert (answer.json()["entries"], answer.json()["entries_new"]) == (2, 2)
    entries = (await books.get(f"/v1/bank-statements/{answer.json()['id']}/entries"))["items"]
    assert [(each["kind"], each["direction"]) for each in entries] == [("debit", "debit")] * 2
    assert (await books.get("/v1/cash-application"))["items"] == []


async def test_a_days_statement_in_latin_1_goes_its_way(books: Receivables) -> None:
    """A batch with its parts, a return, our own transfer, a fee, and a payment of which banks kept 1.50."""
    from tests.invoice import bank_files

    await policies(books, **TOLERANT)
    customer = await books.customer(name="Acme GmbH")
    kept = await books.issue(customer, "101.00", number="A-1")
    collected = [await books.issue(customer, f"{n}00.00", number=f"DD-{n}") for n in (1, 2)]

    answer = await send(books, bank_files.CAMT_053_V02)
    await books.tick()

    assert (answer.json()["message"], answer.json()["entries_new"]) == ("camt.053.001.02", 8)
    [statement] = answer.json()["statements"]
    assert (statement["opening"], statement["closing"], statement["entries"]) == ("1000.00", "1611.60", 8)
    found = (await books.get("/v1/cash-application"))["items"]
    assert [(each["kind"], each["amount"]["amount"], each["status"]) for each in found] == [
        ("receipt", "250.00", "open"),
        ("receipt", "99.50", "automatic"),
        ("receipt", "100.00", "automatic"),
        ("receipt", "200.00", "automatic"),
        ("receipt", "300.00", "open"),
        ("return", "200.00", "automatic"),
    ]
    assert found[0]["party_name"] == "Müller & Söhne"
    assert "the charges that banks kept" in found[1]["reason"]
    assert (await books.invoice(kept["id"]))["status"] == "settled"
    assert [(await books.invoice(each["id"]))["status"] for each in collected] == ["settled", "open"]
    assert found[5]["return_reason"] == "AM04"


async def test_an_empty_statement_is_taken(books: Receivables) -> None:
    answer = await send(books, camt())

    assert (answer.status_code, answer.json()["entries"]) == (201, 0)
    assert answer.json()["statements"][0]["account"] == ACCOUNT


async def test_a_damaged_file_is_refused_with_its_line_and_nothing_is_booked(books: Receivables) -> None:
    await books.issue(await books.customer(), number="A-1")
    body = camt(entry("100.00", detail(text="A-1"), ref="B-1"), entry("9x.00"))

    answer = await send(books, body)

    assert problem(answer, 422) == "bank-statement-refused"
    assert answer.json()["line"] == 11
    assert "line 11" in answer.json()["detail"]
    assert (await books.get("/v1/bank-statements"))["items"] == []
    assert await books.database.pool.fetchval("select count(*) from bank_entry") == 0


async def test_a_file_goes_as_a_form_or_as_a_body_and_a_csv_by_its_profile(books: Receivables) -> None:
    from tests.invoice import bank_files

    headers = {"if-none-match": "*"}
    kept = await books.http.put("/v1/bank-csv-profiles/sparkasse", json=bank_files.CSV_PROFILE, headers=headers)
    again = await books.http.put("/v1/bank-csv-profiles/sparkasse", json=bank_files.CSV_PROFILE, headers=headers)
    csv = await send(books, bank_files.CSV.encode("windows-1252"), content_type="text/csv", profile="sparkasse")
    mt940 = await send(books, bank_files.MT940.encode("latin-1"), content_type="text/plain")
    form = await books.http.post(
        "/v1/bank-statements",
        files={"file": ("s.xml", camt(entry("1.00")), "application/xml")},
        headers={"idempotency-key": "k-1"},
    )
    nothing = await books.http.post(
        "/v1/bank-statements", files={"other": ("s", b"x")}, headers={"idempotency-key": "k-2"}
    )

    assert (kept.status_code, kept.headers["etag"]) == (201, '"1"')
    assert again.status_code == 412
    assert (csv.status_code, csv.json()["entries"], csv.json()["format"]) == (201, 3, "csv")
    assert (mt940.status_code, mt940.json()["entries"], len(mt940.json()["statements"])) == (201, 4, 2)
    assert (form.status_code, form.json()["message"]) == (201, "camt.053.001.08")
    assert problem(nothing, 400) == "malformed-request"
    assert problem(await send(books, b"a;b\n1;2\n"), 422) == "bank-statement-refused"
    assert problem(await send(books, b"a;b\n", profile="none"), 404) == "csv-profile-not-found"
    assert problem(await send(books, b"x" * (16 * 1024 * 1024 + 1)), 413) == "body-too-large"
    future = await send(books, camt(entry("1.00", on="2024-03-03")))
    assert problem(future, 422) == "bank-statement-refused"


async def test_the_account_says_whose_the_statement_is(books: Receivables) -> None:
    opened = await books.post(
        "/v1/entities",
        {
            "id": "acme-fr",
            "name": "Acme France",
            "series": {"invoice": "FR-", "credit_note": "FRC-"},
            "seller": {"bank_accounts": [{"iban": "FR1420041010050500013M02606"}]},
        },
    )
    assert opened.status_code == 201, opened.text

    french = await send(books, camt(entry("1.00"), account="FR1420041010050500013M02606"))
    default = await send(books, camt(entry("1.00")))

    assert french.json()["entity_id"] == "acme-fr"
    assert default.json()["entity_id"] == "default"


async def test_an_entry_pays_the_invoices_of_its_own_entity(books: Receivables) -> None:
    await books.post(
        "/v1/entities",
        {
            "id": "acme-fr",
            "name": "Acme France",
            "series": {"invoice": "FR-", "credit_note": "FRC-"},
            "seller": {"bank_accounts": [{"iban": "FR1420041010050500013M02606"}]},
        },
    )
    customer = await books.customer()
    ours = await books.issue(customer, number="A-1", entity_id="acme-fr")
    await books.issue(customer, number="A-2")

    one, two = await received(
        books,
        entry("100.00", detail(text="A-1", iban=""), ref="B-1"),
        entry("100.00", detail(text="A-2", iban=""), ref="B-2"),
        account="FR1420041010050500013M02606",
    )
    by_hand = await books.pay("1.00", customer_id=customer, entity_id="acme-fr", apply="none")
    nobody = await books.post(
        "/v1/payments", {"amount": eur("1.00"), "customer_id": customer, "entity_id": "no-such", "apply": "none"}
    )

    assert (one["status"], one["entity_id"]) == ("automatic", "acme-fr")
    assert (await books.invoice(ours["id"]))["status"] == "settled"
    assert two["status"] == "open", "the invoice named is another entity's"
    assert by_hand["entity_id"] == "acme-fr"
    assert problem(nobody, 404) == "entity-not-found"


async def test_a_known_account_and_the_exact_amount_apply_themselves(books: Receivables) -> None:
    customer = await books.customer(name="Acme GmbH")
    [unknown] = await received(books, entry("100.00", detail(name="ACME"), ref="B-0"))
    assert (unknown["status"], unknown["proposals"]) == ("open", [])
    assert (await confirm(books, unknown, customer_id=customer)).status_code == 201

    for n, amount in enumerate(("80.00", "120.00", "44.00", "7.00")):
        await books.issue(customer, amount, number=f"A-{n}", due_date=f"2024-03-1{n}")
    one, both, rest = await received(
        books,
        entry("120.00", detail(name="ACME", text="invoice"), ref="B-1"),
        entry("87.00", detail(name="ACME"), ref="B-2"),
        entry("44.00", detail(name="ACME"), ref="B-3"),
    )

    assert [each["status"] for each in (one, both, rest)] == ["automatic"] * 3
    assert one["basis"] == "payer"
    assert "has paid from this account before" in one["reason"]
    assert [part["invoice_number"] for part in both["proposals"][0]["parts"]] == ["A-0", "A-3"]
    [total] = (await books.get(f"/v1/customers/{customer}/balance"))["totals"]
    assert (total["open"], total["unapplied"]) == (eur("0.00"), eur("100.00"))


async def test_a_name_alone_is_proposed_and_what_is_confirmed_is_learned(books: Receivables) -> None:
    customer = await books.customer(name="Acme GmbH")
    await books.issue(customer, "80.00", number="A-1")
    await books.issue(customer, "90.00", number="A-2")
    first, second = await received(
        books,
        entry("80.00", detail(name="ACME GMBH"), ref="B-1"),
        entry("90.00", detail(name="A. Lang"), ref="B-2"),
    )
    assert (first["status"], first["customer_id"]) == ("open", customer)
    assert (second["status"], second["proposals"][0]["basis"]) == ("open", "amount")

    confirmed = await confirm(books, first, proposal_id=first["proposals"][0]["id"])

    assert confirmed.status_code == 201, confirmed.text
    assert (confirmed.json()["status"], confirmed.json()["decided_by"]) == ("confirmed", "anna")
    await books.tick()
    learned = await books.get(f"/v1/cash-application/{second['id']}")
    assert (learned["status"], learned["basis"]) == ("automatic", "payer"), "the same account is known now"


async def test_a_small_difference_within_the_tolerance_settles_the_invoice(books: Receivables) -> None:
    await policies(books, **TOLERANT)
    customer = await books.customer()
    exact = await books.issue(customer, number="A-1")
    beyond = await books.issue(customer, number="A-2")

    short, too_short = await received(
        books,
        entry("98.00", detail(text="A-1"), ref="B-1"),
        entry("97.99", detail(text="A-2"), ref="B-2"),
    )

    settled = await books.invoice(exact["id"])
    assert (short["status"], settled["status"], settled["balance"]) == ("automatic", "settled", eur("0.00"))
    assert "2.00 EUR short" in short["reason"]
    assert [type_ for type_, _ in await books.told(exact["id"])] == [
        "invoice.issued",
        "invoice.balance_changed",
        "invoice.settled",
    ]
    assert (await books.invoice(beyond["id"]))["balance"] == eur("2.01")
    assert too_short["status"] == "automatic", "a part payment of the invoice named"
    accounts = {each["account"]: each for each in (await books.get("/v1/journal/trial-balance"))["items"]}
    assert accounts["small_differences"]["balance"] == eur("2.00")

    reversed_ = await books.reverse(short["payment_id"])
    assert reversed_.status_code == 201, reversed_.text
    assert (await books.invoice(exact["id"]))["balance"] == eur("100.00")
    accounts = {each["account"]: each for each in (await books.get("/v1/journal/trial-balance"))["items"]}
    assert accounts["small_differences"]["balance"] == eur("0.00")
    [total] = (await books.get("/v1/journal/trial-balance"))["totals"]
    assert total["difference"] == eur("0.00")


async def test_a_discount_in_time_is_recognised_also_when_the_payment_is_a_little_short(books: Receivables) -> None:
    await policies(books, **TOLERANT)
    customer = await books.customer()
    terms = {"net_days": 30, "discounts": [{"percent": "2", "days": 9}]}
    dates = {"issue_date": "2024-02-20", "payment_terms": terms}
    issued = [await books.issue(customer, number=f"A-{n}", **dates) for n in range(1, 5)]

    exact, short, both, late = await received(
        books,
        entry("98.00", detail(text="A-1"), ref="B-1"),
        entry("97.50", detail(text="A-2"), ref="B-2"),
        entry("98.00", detail(name="no reference"), ref="B-3"),
        entry("98.00", detail(text="A-4"), ref="B-4", on="2024-03-01"),
    )

    assert [each["status"] for each in (exact, short, both, late)] == ["automatic"] * 4
    assert "less the discount" in exact["reason"]
    [part] = short["proposals"][0]["parts"]
    assert (part["amount"], part["discount"], part["difference"]) == (eur("97.50"), eur("2.00"), eur("0.50"))
    assert {(await books.invoice(each["id"]))["status"] for each in issued} == {"settled"}
    accounts = {each["account"]: each for each in (await books.get("/v1/journal/trial-balance"))["items"]}
    assert accounts["small_differences"]["balance"] == eur("2.50"), "of the short one, and of the late one"
    assert (await books.reverse(short["payment_id"])).status_code == 201
    assert (await books.invoice(issued[1]["id"]))["balance"] == eur("100.00")
    [total] = (await books.get("/v1/journal/trial-balance"))["totals"]
    assert total["difference"] == eur("0.00")


async def test_a_proposal_settled_by_another_payment_meanwhile_is_a_conflict(books: Receivables) -> None:
    customer = await books.customer(name="Acme GmbH")
    await books.issue(customer, "80.00", number="A-1")
    [waiting] = await received(books, entry("80.00", detail(name="Acme GmbH"), ref="B-1"))
    proposal = waiting["proposals"][0]["id"]
    await books.pay("80.00", reference="A-1")
    before = len(await books.published())

    answer = await confirm(books, waiting, proposal_id=proposal)
    unknown = await confirm(books, waiting, proposal_id="0" * 16)
    too_much = await confirm(
        books, waiting, customer_id=customer, allocations=[{"invoice_number": "A-1", "amount": eur("80.00")}]
    )

    assert problem(answer, 409) == "proposal-outdated"
    assert (answer.json()["invoice_number"], "owes 0.00 EUR now" in answer.json()["detail"]) == ("A-1", True)
    assert problem(unknown, 409) == "proposal-outdated"
    assert problem(too_much, 422) == "over-allocation"
    assert len(await books.published()) == before
    anew = await books.post(f"/v1/cash-application/{waiting['id']}/proposals", {})
    assert anew.json()["proposals"] == []
    on_account = await confirm(books, waiting, customer_id=customer)
    assert on_account.json()["status"] == "confirmed"
    assert problem(await confirm(books, waiting, customer_id=customer), 409) == "cash-already-applied"
    payment = await books.get(f"/v1/payments/{on_account.json()['payment_id']}")
    assert payment["unapplied"] == eur("80.00")


async def test_an_entry_can_be_changed_marked_as_not_ours_and_reopened(books: Receivables) -> None:
    await policies(books, **TOLERANT)
    customer = await books.customer(name="Acme GmbH")
    one = await books.issue(customer, "80.00", number="A-1")
    two = await books.issue(customer, "30.00", number="A-2")
    waiting, loan = await received(
        books,
        entry("100.00", detail(name="Acme GmbH"), ref="B-1"),
        entry("5.00", detail(name="Somebody"), ref="B-2"),
    )
    changed = await confirm(
        books,
        waiting,
        customer_id=customer,
        allocations=[
            {"invoice_id": two["id"]},
            {"invoice_id": one["id"], "amount": eur("70.00"), "difference": eur("10.00")},
        ],
    )
    rejected = await books.post(f"/v1/cash-application/{loan['id']}/rejection", {"reason": "repayment of a loan"})
    twice = await books.post(f"/v1/cash-application/{loan['id']}/rejection", {"reason": "again"})

    assert changed.status_code == 201, changed.text
    assert (await books.invoice(one["id"]))["status"] == (await books.invoice(two["id"]))["status"] == "settled"
    assert (rejected.json()["status"], rejected.json()["payment_id"]) == ("not_ours", None)
    assert problem(twice, 409) == "cash-already-applied"

    reopened = await books.post(f"/v1/cash-application/{waiting['id']}/reopening", {"reason": "wrong customer"})
    assert (reopened.json()["status"], reopened.json()["payment_id"]) == ("open", None)
    assert (await books.invoice(one["id"]))["balance"] == eur("80.00")
    assert (await books.get(f"/v1/payments/{changed.json()['payment_id']}"))["status"] == "reversed"
    assert await books.database.pool.fetchval("select count(*) from payer_account") == 0
    anew = await books.post(f"/v1/cash-application/{loan['id']}/reopening", {"reason": "it is ours"})
    assert anew.json()["status"] == "open"
    once_more = await books.post(f"/v1/cash-application/{loan['id']}/reopening", {"reason": "it is ours"})
    assert problem(once_more, 409) == "cash-not-applied"
    confirmed = await confirm(books, waiting, customer_id=customer, allocations=[{"invoice_id": one["id"]}])
    assert confirmed.json()["status"] == "confirmed"


async def test_a_returned_direct_debit_takes_its_payment_back(books: Receivables) -> None:
    customer = await books.customer()
    issued = await books.issue(customer, number="A-1", issue_date="2024-01-05", due_date="2024-02-01")
    debited = entry("100.00", detail(end_to_end="A-1"), ref="B-1", on="2024-02-20")
    returned = entry("100.00", detail(end_to_end="A-1", returned="AM04"), ref="B-2", side="DBIT", reversal=True)

    paid, back = await received(books, debited, returned)

    assert [paid["status"], back["status"]] == ["automatic", "automatic"]
    assert (back["kind"], back["payment_id"], back["confidence"]) == ("return", paid["payment_id"], 99)
    payment = await books.get(f"/v1/payments/{paid['payment_id']}")
    assert payment["status"] == "reversed"
    assert "AM04" in payment["reversal_reason"]
    assert (await books.invoice(issued["id"]))["balance"] == eur("100.00")
    again = await send(books, camt(debited, returned, kind="054"))
    assert again.json()["entries_new"] == 0


@pytest.mark.parametrize(("passes_on", "owed"), [(True, "103.00"), (False, "100.00")])
async def test_what_the_bank_took_for_a_return_is_passed_on_where_the_policy_says_so(
    books: Receivables, passes_on: bool, owed: str
) -> None:
    await policy(books, pass_on_bank_charges=passes_on)
    issued = await books.issue(await books.customer(), number="A-1", issue_date="2024-01-05", due_date="2024-02-01")
    debited = entry("100.00", detail(end_to_end="A-1"), ref="B-1", on="2024-02-20")
    took = '<Chrgs><Rcrd><Amt Ccy="EUR">3.00</Amt><CdtDbtInd>DBIT</CdtDbtInd></Rcrd></Chrgs>'
    details = detail(end_to_end="A-1", returned="MD06").replace("<RltdPties>", f"{took}<RltdPties>")

    paid, back = await received(books, debited, entry("103.00", details, ref="B-2", side="DBIT", reversal=True))

    assert (back["status"], back["payment_id"]) == ("automatic", paid["payment_id"])
    payment = await books.get(f"/v1/payments/{paid['payment_id']}")
    assert (payment["status"], payment["reversal_kind"]) == ("reversed", "charged_back")
    assert (await books.invoice(issued["id"]))["balance"] == eur(owed)
    charges = (await books.get(f"/v1/invoices/{issued['id']}/charges"))["items"]
    assert [(each["kind"], each["reason"]) for each in charges] == [("fee", "returned payment (MD06)")] * passes_on


async def test_a_return_of_a_payment_reversed_already_or_of_none_changes_no_balance(books: Receivables) -> None:
    customer = await books.customer()
    issued = await books.issue(customer, number="A-1")
    [paid] = await received(books, entry("100.00", detail(end_to_end="A-1"), ref="B-1", on="2024-02-20"))
    await books.reverse(paid["payment_id"])

    known, stray = await received(
        books,
        entry("100.00", detail(end_to_end="A-1", returned="MD06"), ref="B-2", side="DBIT"),
        entry("55.00", detail(end_to_end="X-1", iban=BAKER_IBAN, returned="MD06"), ref="B-3", side="DBIT"),
    )

    assert (known["status"], known["payment_id"]) == ("automatic", paid["payment_id"])
    assert "reversed already" in known["reason"]
    assert (stray["status"], stray["proposals"]) == ("open", [])
    assert (await books.invoice(issued["id"]))["balance"] == eur("100.00")
    other = await books.pay("55.00", customer_id=customer, apply="none")
    by_hand = await confirm(books, stray, payment_id=other["id"])
    assert by_hand.json()["status"] == "confirmed"
    assert (await books.get(f"/v1/payments/{other['id']}"))["status"] == "reversed"


async def test_an_invoice_issued_after_its_payment_takes_it_the_next_morning(books: Receivables) -> None:
    customer = await books.customer()
    [early] = await received(books, entry("100.00", detail(text="order A-1"), ref="B-1"))
    assert early["status"] == "open"

    issued = await books.issue(customer, number="A-1")
    await books.tick()
    assert (await books.get(f"/v1/cash-application/{early['id']}"))["status"] == "open"
    await books.wake_on("2024-03-02")

    assert (await books.get(f"/v1/cash-application/{early['id']}"))["status"] == "automatic"
    assert (await books.invoice(issued["id"]))["status"] == "settled"


async def test_the_rate_tells_what_went_by_itself(books: Receivables) -> None:
    customer = await books.customer(name="Acme GmbH")
    await books.issue(customer, "60.00", number="A-1")
    await books.issue(customer, "30.00", number="A-2")
    _, named, _, alien = await received(
        books,
        entry("60.00", detail(text="A-1", iban=""), ref="B-1"),
        entry("30.00", detail(name="ACME GMBH", iban=""), ref="B-2"),
        entry("10.00", detail(name="Somebody", iban=""), ref="B-3"),
        entry("500.00", detail(name="Anybody", iban=""), ref="B-4"),
    )
    await confirm(books, named, proposal_id=named["proposals"][0]["id"])
    await books.post(f"/v1/cash-application/{alien['id']}/rejection", {"reason": "not a customer"})

    rate = await books.get("/v1/cash-application/rate", **{"from": "2024-02-01", "to": "2024-02-29"})

    assert rate["straight_through"] == "33.33"
    [euros] = rate["items"]
    assert (euros["entries"], euros["amount"], euros["not_ours"]) == (3, eur("100.00"), 1)
    assert euros["automatic"] == {
        "entries": 1,
        "amount": eur("60.00"),
        "share": "33.33",
        "share_of_amount": "60.00",
    }
    assert (euros["confirmed"]["share_of_amount"], euros["open"]["share_of_amount"]) == ("30.00", "10.00")
    empty = await books.get("/v1/cash-application/rate", **{"from": "2023-01-01", "to": "2023-12-31"})
    assert (empty["straight_through"], empty["items"]) == (None, [])


async def test_hundreds_of_entries_killed_in_the_middle_go_on_without_a_double(books: Receivables) -> None:
    customer = await books.customer()
    for n in range(120):
        await books.issue(customer, "1.00", number=f"N-{n}")
    entries = [entry("1.00", detail(text=f"N-{n}", iban=""), ref=f"B-{n}") for n in range(120)]
    answer = await send(books, camt(*entries))
    assert answer.json()["entries_new"] == 120

    for _ in range(5):
        async with transaction(books.database) as tx:
            assert await matching.apply_next(tx)
    with pytest.raises(RuntimeError, match="killed"):
        await _apply_and_die(books)
    assert len((await books.get("/v1/payments"))["items"]) == 5
    await books.tick()

    applied = (await books.get("/v1/cash-application", status="automatic", limit=500))["items"]
    assert len(applied) == len({each["payment_id"] for each in applied}) == 120
    assert (await books.get(f"/v1/customers/{customer}/balance"))["totals"] == [], "nothing owed, nothing unapplied"


async def _apply_and_die(books: Receivables) -> None:
    async with transaction(books.database) as tx:
        await matching.apply_next(tx)
        raise RuntimeError("killed before the commit")


async def test_workers_at_once_apply_each_entry_once(books: Receivables) -> None:
    customer = await books.customer()
    for n in range(12):
        await books.issue(customer, "1.00", number=f"N-{n}")
    await send(books, camt(*(entry("1.00", detail(text=f"N-{n}", iban=""), ref=f"B-{n}") for n in range(12))))

    async def work() -> None:
        while True:
            async with transaction(books.database) as tx:
                if not await matching.apply_next(tx):
                    return

    await asyncio.gather(*(work() for _ in range(4)))
    await books.tick()

    assert len((await books.get("/v1/payments"))["items"]) == 12
    assert (await books.get(f"/v1/customers/{customer}/balance"))["totals"] == [], "nothing owed, nothing unapplied"


async def test_people_confirm_while_workers_judge(books: Receivables) -> None:
    customer = await books.customer()
    amounts = [f"{n}.00" for n in range(1, 13)]
    for n, amount in enumerate(amounts):
        await books.issue(customer, amount, number=f"N-{n}")
    waiting = await received(books, *(entry(amount, ref=f"B-{amount}") for amount in amounts))
    told = await received(books, *(entry(amount, detail(name="A. Lang"), ref=f"C-{amount}") for amount in amounts))
    assert {each["status"] for each in (*waiting, *told)} == {"open"}

    async def work() -> None:
        await books.wake_on("2024-03-02")

    answers = await asyncio.gather(*(confirm(books, each, customer_id=customer) for each in told[:6]), work(), work())

    assert {answer.status_code for answer in answers if answer is not None} <= {201, 409}
    await books.wake_on("2024-03-03")
    paid = [each for each in (await books.get("/v1/cash-application"))["items"] if each["payment_id"]]
    assert len({each["payment_id"] for each in paid}) == len(paid) == len((await books.get("/v1/payments"))["items"])


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "nothing": ({}, 422, "invalid-request"),
    "two ways": ({"proposal_id": "x", "customer_id": str(uuid4())}, 422, "invalid-request"),
    "allocations of nobody": ({"proposal_id": "x", "allocations": [{"invoice_number": "A-1"}]}, 422, "invalid-request"),
    "an unknown customer": ({"customer_id": str(uuid4())}, 422, "customer-unknown"),
    "a payment for a receipt": ({"payment_id": str(uuid4())}, 422, "confirmation-refused"),
    "an unknown field": ({"customer": "x"}, 422, "invalid-request"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_confirmation_that_makes_no_sense_is_refused(books: Receivables, name: str) -> None:
    body, status, kind = REFUSED[name]
    [waiting] = await received(books, entry("1.00", detail(name="Somebody")))

    assert problem(await confirm(books, waiting, **body), status) == kind
    assert (await books.get(f"/v1/cash-application/{waiting['id']}"))["status"] == "open"


async def test_nobody_without_the_scope_gets_in(books: Receivables, token: Any) -> None:
    books.http.headers["authorization"] = f"Bearer {token('invoices:read')}"

    assert (await send(books, camt())).status_code == 403
    assert (await books.http.get("/v1/cash-application")).status_code == 403
    assert (await confirm(books, {"id": uuid4()}, proposal_id="x")).status_code == 403


async def test_charges_are_paid_before_the_principal_or_after_it(books: Receivables) -> None:
    customer = await books.customer()
    issued = [await books.issue(customer, number=f"A-{n}") for n in (1, 2)]
    for each in issued:
        await _charge(books, each["id"], 1_000)

    first = await books.pay("4.00", reference="A-1")
    second = await books.pay("30.00", reference="A-1")
    await policies(books, allocation_order="principal_first")
    third = await books.pay("104.00", reference="A-2")

    def parts(payment: dict[str, Any]) -> tuple[str, str]:
        [allocation] = payment["allocations"]
        return allocation["charges"]["amount"], allocation["principal"]["amount"]

    assert (parts(first), parts(second), parts(third)) == (("4.00", "0.00"), ("6.00", "24.00"), ("4.00", "100.00"))


async def _charge(books: Receivables, invoice_id: str, minor: int) -> None:
    """Interest on an invoice, as the feature that charges it would book it."""
    async with transaction(books.database) as tx:
        account, invoice = await invoices.lock_invoice(tx, UUID(invoice_id))
        today = account.entity.today(tx.now)
        charge = Adjustment(new_id(), invoice.id, "charge", minor, today, today, "interest", new_id())
        booked = Entry(
            invoice.entity_id,
            invoice.customer_id,
            today,
            today,
            "charge",
            "trade_receivables",
            "interest_income",
            minor,
            invoice.currency,
            invoice.id,
            source_id=charge.id,
        )
        await invoices.adjust(tx, account, [(charge, charge_to(invoice, charge, "interest"))], [booked])
