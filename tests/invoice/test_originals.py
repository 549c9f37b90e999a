"""What was sent is what is shown: the document as it left, whatever changes afterwards, and copies that say so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
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
from shared.mail import MailServer, Postman
from tests.invoice.client import ACME, Receivables
from tests.invoice.test_dispatch import issue
from tests.invoice.test_documents_api import describe_seller
from tests.mailbox import Mailbox


@pytest.fixture
async def mailing(books: Receivables, smtp: Mailbox) -> AsyncIterator[Receivables]:
    """The books of an entity that delivers by itself, with a mail server."""
    postman = Postman(MailServer(smtp.host, smtp.port, "ar@dueward.example", tls="never", timeout_seconds=20))
    await describe_seller(books, delivery={"automatic": True})
    yield replace(books, resources=replace(books.resources, postman=postman))
    await postman.close()


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
    mailing: Receivables,
    smtp: Mailbox,
) -> None:
    customer = await mailing.customer(name="Old Name GmbH")
    invoice = await issue(mailing, customer)
    assert (await pdf(mailing, invoice))[0] == "unsent"
    await mailing.tick()
    sent = attached(smtp.messages[-1], "pdf")

    await move_house(mailing, customer, name="New Name GmbH")
    seen = await mailing.http.get("/v1/entities/default")
    seller = {**seen.json()["seller"], "legal_name": "Another Seller AG"}
    changed = await mailing.http.patch(
        "/v1/entities/default", json={"seller": seller}, headers={"if-match": seen.headers["etag"]}
    )
    assert changed.status_code == 200, changed.text

    assert await pdf(mailing, invoice) == ("original", sent)
    xml = await mailing.http.get(f"/v1/invoices/{invoice['id']}/document.xml")
    assert xml.content == attached(smtp.messages[-1], "xml")
    assert "Old Name GmbH" in (await mailing.http.get(f"/v1/invoices/{invoice['id']}/document.xml?format=cii")).text


async def test_a_copy_says_that_it_is_one_and_names_everybody_as_on_the_original(
    mailing: Receivables,
    smtp: Mailbox,
) -> None:
    customer = await mailing.customer(name="Old Name GmbH")
    invoice = await issue(mailing, customer)
    await mailing.tick()
    await move_house(mailing, customer, name="New Name GmbH")

    same, french = await pdf(mailing, invoice, copy=True), await pdf(mailing, invoice, language="fr")

    assert (same[0], french[0]) == ("copy", "copy")
    assert "Kopie des am 1. März 2024 versandten Dokuments" in words(same[1])
    assert "Copie du document envoyé le 1 mars 2024" in words(french[1])
    assert "Old Name GmbH" in words(same[1])
    assert "Old Name GmbH" in words(french[1])
    assert not PdfReader(BytesIO(same[1])).attachments


async def test_sent_again_to_a_corrected_address_it_is_the_same_document(
    mailing: Receivables,
    smtp: Mailbox,
) -> None:
    customer = await mailing.customer(name="Old Name GmbH")
    invoice = await issue(mailing, customer)
    await mailing.tick()
    await move_house(mailing, customer, name="New Name GmbH")
    await mailing.at("2024-05-01")

    await mailing.post(f"/v1/invoices/{invoice['id']}/deliveries", {"recipient": "right@acme.example"})
    await mailing.tick()

    first, again = smtp.messages
    assert again["to"].endswith("right@acme.example>") or again["to"] == "right@acme.example"
    assert attached(first, "pdf") == attached(again, "pdf")


async def test_a_credit_note_is_kept_as_it_was_sent(mailing: Receivables, smtp: Mailbox) -> None:
    customer = await mailing.customer(name="Old Name GmbH")
    invoice = await issue(mailing, customer)
    note = (await mailing.post(f"/v1/invoices/{invoice['id']}/credit-notes", {"reason": "returned"})).json()
    await mailing.tick()
    await move_house(mailing, customer, name="New Name GmbH")

    answer = await mailing.http.get(f"/v1/credit-notes/{note['id']}/document.pdf")

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


async def test_an_original_cannot_be_changed(mailing: Receivables, smtp: Mailbox) -> None:
    await issue(mailing, await mailing.customer())
    await mailing.tick()
    pool = mailing.database.pool

    kept = await pool.fetchrow("select pdf, sha256 from original_document")
    assert kept["sha256"] == sha256(kept["pdf"]).hexdigest()
    for change in ("update original_document set pdf = 'other'", "delete from original_document"):
        with pytest.raises(asyncpg.RestrictViolationError):
            await pool.execute(change)
