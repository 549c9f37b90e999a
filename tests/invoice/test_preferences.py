"""What customers want sent: statements in a rhythm of their own, and paper for those who like it."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pypdf import PdfReader

from tests.invoice.client import Receivables, line
from tests.invoice.test_documents_api import describe_seller
from tests.mailbox import Mailbox


async def prefer(books: Receivables, customer: str, version: int = 0, **wanted: Any) -> httpx.Response:
    return await books.http.put(
        f"/v1/customers/{customer}/document-preferences", json=wanted, headers={"if-match": f'"{version}"'}
    )


async def statements(books: Receivables, customer: str) -> list[tuple[str, str, str]]:
    found = (await books.get("/v1/deliveries", customer_id=customer))["items"]
    return sorted((d["period_first"], d["period_last"], d["channel"]) for d in found if d["kind"] == "statement")


@pytest.mark.parametrize(
    ("entity", "wanted", "expected"),
    [
        ("never", "weekly", [("2024-02-26", "2024-03-03"), ("2024-03-04", "2024-03-10")]),
        ("never", "monthly", [("2024-03-01", "2024-03-31")]),
        ("monthly", "never", []),
        ("monthly", None, [("2024-03-01", "2024-03-31")]),
        ("monthly", "monthly", [("2024-03-01", "2024-03-31")]),
        ("never", None, []),
    ],
)
async def test_a_customer_has_its_own_rhythm_of_statements(
    books: Receivables, entity: str, wanted: str | None, expected: list[tuple[str, str]]
) -> None:
    await describe_seller(books, delivery={"statements": entity})
    customer = await books.customer()
    await books.issue(customer, issue_date="2024-02-26")
    await prefer(books, customer, statements=wanted)
    await books.tick()

    await books.wake_on("2024-03-11" if wanted == "weekly" else "2024-04-01")

    assert await statements(books, customer) == [(first, last, "email") for first, last in expected]


@pytest.mark.parametrize(("day", "made"), [("2024-03-03", 0), ("2024-03-04", 1), ("2024-03-10", 1), ("2024-03-11", 2)])
async def test_a_weeks_statement_is_made_on_the_monday_after_it(books: Receivables, day: str, made: int) -> None:
    customer = await books.customer()
    await books.issue(customer)
    await prefer(books, customer, statements="weekly")

    await books.wake_on(day)

    assert len(await statements(books, customer)) == made


async def test_preferences_are_kept_by_version_and_begin_as_the_entitys(books: Receivables) -> None:
    customer = await books.customer()
    path = f"/v1/customers/{customer}/document-preferences"

    first = await books.http.get(path)
    changed = await prefer(books, customer, statements="weekly", paper=True)
    stale = await prefer(books, customer, statements="never")

    assert (first.headers["etag"], first.json()["statements"], first.json()["paper"]) == ('"0"', None, False)
    assert (changed.status_code, changed.json()["next_statement_from"]) == (200, "2024-02-26")
    assert stale.status_code == 412
    assert (await books.http.get(path.replace(customer, str(uuid4())))).status_code == 404
    assert (await books.http.put(path, json={})).status_code == 428


async def test_paper_customers_get_statements_receipts_and_notices_as_letters(
    books: Receivables, smtp: Mailbox
) -> None:
    await describe_seller(books, delivery={"automatic": True, "receipts": True})
    customer = await books.customer(
        name="Bäckerei Krume",
        contacts=[],
        address={"lines": ["Mühlweg 3"], "city": "Lübeck", "postal_code": "23552"},
    )
    await prefer(books, customer, statements="weekly", paper=True)
    issued = await books.issue(
        customer, "300.00", issue_date="2024-01-10", due_date="2024-02-09", delivery_channel="letter"
    )
    await books.pay("90.00", customer_id=customer, reference=issued["number"])
    await books.post(f"/v1/customers/{customer}/plans", {"count": 3, "first_on": "2024-04-01"})
    await books.post(
        f"/v1/invoices/{(await books.issue(customer, '50.00', delivery_channel='letter'))['id']}/credit-notes",
        {"reason": "returned"},
    )

    await books.wake_on("2024-03-04")
    await books.wake_on("2024-03-05")

    batches = (await books.get("/v1/letter-batches"))["items"]
    kinds, pages = [], ""
    for batch in batches:
        found = await books.get(f"/v1/letter-batches/{batch['id']}")
        kinds += [sheet["kind"] for sheet in found["manifest"]]
        pdf = await books.http.get(f"/v1/letter-batches/{batch['id']}.pdf")
        assert pdf.status_code == 200, pdf.text
        pages += " ".join(page.extract_text() for page in PdfReader(BytesIO(pdf.content)).pages)
    assert sorted(kinds) == ["credit_note", "invoice", "invoice", "plan_agreed", "receipt", "statement"]
    for said in ("Ihr Ratenplan", "Zahlungsbestätigung", "Kontoauszug", "Mühlweg 3", "70,00"):
        assert said in pages
    assert smtp.messages == []

    for batch in batches:
        assert (await books.post(f"/v1/letter-batches/{batch['id']}/printed", {})).status_code == 200
    states = {each["status"] for each in (await books.get("/v1/deliveries", customer_id=customer))["items"]}
    assert states == {"sent"}


async def test_without_a_provider_the_page_offers_the_transfer_alone(books: Receivables) -> None:
    await describe_seller(books)
    customer = await books.customer()
    await books.issue(customer)
    link = (await books.get(f"/v1/customers/{customer}/pay-link"))["url"]

    page = (await books.http.get(link.removeprefix("https://pay.example"))).text

    assert "Per Überweisung zahlen" in page
    assert "Oder per Überweisung" not in page
    assert "hinterlegen" not in page


async def test_a_dispute_is_acknowledged_on_paper_to_who_wants_paper_with_or_without_an_address(
    books: Receivables, smtp: Mailbox
) -> None:
    await describe_seller(books, delivery={"automatic": True}, disputes={"acknowledge": True})
    told = {}
    for name, contacts in {
        "with": [{"role": "billing", "name": "Ada", "email": "ap@acme.example"}],
        "without": [],
    }.items():
        customer = await books.customer(contacts=contacts)
        await prefer(books, customer, paper=True)
        issued = await books.issue(customer)
        disputed = await books.dispute(issued["id"], "40.00")
        newest = (await books.get("/v1/deliveries", customer_id=customer))["items"][0]
        told[name] = (disputed.json()["acknowledgement"], newest["kind"], newest["channel"])

    assert told == dict.fromkeys(("with", "without"), ("sent", "dispute_acknowledged", "letter"))
    assert smtp.messages == []


@pytest.mark.parametrize(
    ("paper", "said", "channel"),
    [
        (True, None, "letter"),
        (True, "email", "email"),
        (False, None, "email"),
        (False, "letter", "letter"),
    ],
)
async def test_an_invoice_is_delivered_as_said_else_as_the_customer_wants_its_documents(
    books: Receivables, paper: bool, said: str | None, channel: str
) -> None:
    customer = await books.customer()
    await prefer(books, customer, paper=paper)
    about = {"delivery_channel": said} if said else {}

    await books.issue(customer, **about)
    agreed = await books.post(
        "/v1/recurring-invoices",
        {
            "customer_id": customer,
            "rrule": "FREQ=MONTHLY",
            "starts_on": "2024-03-01",
            "lines": [line("10.00")],
            **about,
        },
    )
    assert agreed.status_code == 201, agreed.text
    row = json.dumps({"customer_id": customer, "lines": [line("20.00")], **about})
    imported = await books.http.post(
        "/v1/imports",
        content=row,
        headers={"content-type": "application/x-ndjson", "idempotency-key": uuid4().hex},
    )
    assert imported.status_code == 202, imported.text
    await books.wake_on("2024-03-01")

    issued = (await books.get("/v1/invoices", customer_id=customer))["items"]
    assert [each["delivery_channel"] for each in issued] == [channel] * 3


async def test_an_import_taken_again_after_the_customer_chose_paper_finds_its_invoice(books: Receivables) -> None:
    customer = await books.customer()
    row = json.dumps({"customer_id": customer, "number": "A-1", "lines": [line("20.00")]})
    states = []
    for _ in range(2):
        headers = {"content-type": "application/x-ndjson", "idempotency-key": uuid4().hex}
        taken = (await books.http.post("/v1/imports", content=row, headers=headers)).json()
        await books.tick()
        states.append(await books.get(f"/v1/imports/{taken['id']}"))
        await prefer(books, customer, paper=True)

    assert [(each["accepted"], each["present"], each["rejected"]) for each in states] == [(1, 0, 0), (0, 1, 0)]
