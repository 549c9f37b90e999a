"""What was sent is what is shown: the document as it left, whatever changes afterwards, and copies that say so."""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from pypdf import PdfReader

from services.invoice.customers import handlers as customers
from shared.db import transaction
from shared.events.credit import CustomerState
from tests.invoice.client import ACME, Receivables
from tests.invoice.test_dispatch import desk, issue  # noqa: F401  # A fixture, and a step.
from tests.invoice.test_documents_api import describe_seller
from tests.mailbox import Mailbox


def words(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages).split())


def attached(mail: Any, kind: str) -> bytes:
    return next(part.get_content() for part in mail.iter_attachments() if part.get_content_subtype() == kind)


async def move_house(books: Receivables, customer: str, **changes: Any) -> None:
    """The customer's record changes, as credit tells."""
    about = {**ACME, "id": UUID(customer), "external_id": customer, "version": 2, **changes}
    async with transaction(books.database) as tx:
        await customers.keep_customer(tx, CustomerState.model_validate(about))


async def pdf(books: Receivables, invoice: dict[str, Any], **query: Any) -> tuple[str, bytes]:
    answer = await books.http.get(f"/v1/invoices/{invoice['id']}/document.pdf", params=query)
    assert answer.status_code == 200, answer.text
    return answer.headers["document-status"], answer.content


async def test_what_was_sent_is_shown_though_customer_and_seller_have_changed(
    desk: Receivables,
    smtp: Mailbox,  # noqa: F811
) -> None:
    customer = await desk.customer(name="Old Name GmbH")
    invoice = await issue(desk, customer)
    assert (await pdf(desk, invoice))[0] == "unsent"
    await desk.tick()
    sent = attached(smtp.messages[-1], "pdf")

    await move_house(desk, customer, name="New Name GmbH")
    seen = await desk.http.get("/v1/entities/default")
    seller = {**seen.json()["seller"], "legal_name": "Another Seller AG"}
    changed = await desk.http.patch(
        "/v1/entities/default", json={"seller": seller}, headers={"if-match": seen.headers["etag"]}
    )
    assert changed.status_code == 200, changed.text

    assert await pdf(desk, invoice) == ("original", sent)
    xml = await desk.http.get(f"/v1/invoices/{invoice['id']}/document.xml")
    assert xml.content == attached(smtp.messages[-1], "xml")
    assert "Old Name GmbH" in (await desk.http.get(f"/v1/invoices/{invoice['id']}/document.xml?format=cii")).text


async def test_a_copy_says_that_it_is_one_and_names_everybody_as_on_the_original(
    desk: Receivables,
    smtp: Mailbox,  # noqa: F811
) -> None:
    customer = await desk.customer(name="Old Name GmbH")
    invoice = await issue(desk, customer)
    await desk.tick()
    await move_house(desk, customer, name="New Name GmbH")

    same, french = await pdf(desk, invoice, copy=True), await pdf(desk, invoice, language="fr")

    assert (same[0], french[0]) == ("copy", "copy")
    assert "Kopie des am 1. März 2024 versandten Dokuments" in words(same[1])
    assert "Copie du document envoyé le 1 mars 2024" in words(french[1])
    assert "Old Name GmbH" in words(same[1])
    assert "Old Name GmbH" in words(french[1])
    assert not PdfReader(BytesIO(same[1])).attachments


async def test_sent_again_to_a_corrected_address_it_is_the_same_document(
    desk: Receivables,
    smtp: Mailbox,  # noqa: F811
) -> None:
    customer = await desk.customer(name="Old Name GmbH")
    invoice = await issue(desk, customer)
    await desk.tick()
    await move_house(desk, customer, name="New Name GmbH")
    await desk.at("2024-05-01")

    await desk.post(f"/v1/invoices/{invoice['id']}/deliveries", {"recipient": "right@acme.example"})
    await desk.tick()

    first, again = smtp.messages
    assert again["to"].endswith("right@acme.example>") or again["to"] == "right@acme.example"
    assert attached(first, "pdf") == attached(again, "pdf")


async def test_a_credit_note_is_kept_as_it_was_sent(desk: Receivables, smtp: Mailbox) -> None:  # noqa: F811
    customer = await desk.customer(name="Old Name GmbH")
    invoice = await issue(desk, customer)
    note = (await desk.post(f"/v1/invoices/{invoice['id']}/credit-notes", {"reason": "returned"})).json()
    await desk.tick()
    await move_house(desk, customer, name="New Name GmbH")

    answer = await desk.http.get(f"/v1/credit-notes/{note['id']}/document.pdf")

    assert answer.headers["document-status"] == "original"
    assert "Old Name GmbH" in words(answer.content)


async def test_a_printed_letter_is_kept_as_it_was_printed(books: Receivables) -> None:
    await describe_seller(books, delivery={"automatic": True})
    customer = await books.customer(name="Old Name GmbH")
    invoice = await issue(books, customer, delivery_channel="letter")
    batch = (await books.post("/v1/letter-batches", {})).json()
    printed = await books.http.get(f"/v1/letter-batches/{batch['id']}.pdf")
    await move_house(books, customer, name="New Name GmbH")

    again = await books.http.get(f"/v1/letter-batches/{batch['id']}.pdf")

    assert words(again.content) == words(printed.content)
    assert "Old Name GmbH" in words(again.content)
    assert (await pdf(books, invoice))[0] == "original"


async def test_an_original_cannot_be_changed(desk: Receivables, smtp: Mailbox) -> None:  # noqa: F811
    await issue(desk, await desk.customer())
    await desk.tick()
    pool = desk.database.pool

    kept = await pool.fetchrow("select pdf, sha256 from original_document")
    assert kept["sha256"] == sha256(kept["pdf"]).hexdigest()
    for change in ("update original_document set pdf = 'other'", "delete from original_document"):
        with pytest.raises(asyncpg.RestrictViolationError):
            await pool.execute(change)
