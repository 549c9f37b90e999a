"""Invoices, statements and receipts on their way: over a real mail server, in doubt after a crash, as letters."""

from __future__ import annotations

import hmac
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from typing import Any

import facturx
import httpx
import pytest
from lxml import etree
from pypdf import PdfReader

from deploy.local import embedded
from services.invoice.deliveries.rules import Delivery, Told, tell
from services.invoice.ticks import send_documents
from services.invoice.writing.rules import file_name
from shared.clock import real_now
from shared.db import reading
from shared.ids import new_id
from shared.mail import MailServer, Postman
from shared.ticks import TickContext
from tests.invoice.client import Receivables, line, pointers, problem
from tests.invoice.test_documents_api import describe_seller, words
from tests.mailbox import Mailbox

SECRET = "the mail provider's"
SENDER = "receivables@dueward.example"


class PowerCut(BaseException):
    """Whoever sees this is dead."""


@pytest.fixture
async def desk(books: Receivables, smtp: Mailbox) -> AsyncIterator[Receivables]:
    """The books of an entity that delivers by itself, with a mail server and an agreement with the mail provider."""
    postman = Postman(MailServer(smtp.host, smtp.port, SENDER, tls="never", timeout_seconds=20))
    object.__setattr__(books.resources, "delivery_webhook_secret", SECRET)
    await describe_seller(books, delivery={"automatic": True, "days_max": 2, "owner": "Mia"})
    yield replace(books, resources=replace(books.resources, postman=postman))
    await postman.close()


async def issue(desk: Receivables, customer: str, **more: Any) -> dict[str, Any]:
    lines = [line("100.00", tax={"category": "S", "rate": "19"})]
    answer = await desk.post("/v1/invoices", {"customer_id": customer, "lines": lines, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def deliveries(desk: Receivables, invoice: dict[str, Any]) -> list[dict[str, Any]]:
    return (await desk.get(f"/v1/invoices/{invoice['id']}/deliveries"))["items"]


async def told(desk: Receivables, invoice: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in await desk.published(invoice["id"]) if each["type"] == "invoice.delivered"]


async def tell_of(desk: Receivables, delivery_id: str, event: str, **more: Any) -> httpx.Response:
    body = json.dumps({"events": [{"delivery_id": delivery_id, "event": event, "at": "2024-03-01T09:00:00Z", **more}]})
    return await call(desk, body)


async def call(desk: Receivables, body: str, secret: str = SECRET, age_s: int = 0) -> httpx.Response:
    at = str(int(real_now().timestamp()) - age_s)
    signature = hmac.new(secret.encode(), f"{at}.{body}".encode(), sha256).hexdigest()
    headers = {"dueward-signature": f"t={at},v1={signature}", "content-type": "application/json"}
    return await desk.http.post("/v1/webhooks/deliveries", content=body, headers=headers)


async def test_an_issued_invoice_is_mailed_with_its_pdf_and_its_electronic_form(
    desk: Receivables, smtp: Mailbox
) -> None:
    issued = await issue(desk, await desk.customer(language="de"))

    await desk.tick()

    (mail,) = smtp.messages
    assert mail["subject"] == f"Rechnung {issued['number']} von Nordlicht Maschinenbau GmbH"
    assert mail["to"] == "Ada Lang <ap@acme.example>"
    pdf, xml = [part for part in mail.walk() if part.get_content_disposition() == "attachment"]
    assert pdf.get_filename() == f"{issued['number']}.pdf"
    assert "119,00 €" in words(pdf.get_content())
    assert facturx.get_xml_from_pdf(pdf.get_content())[0] == "factur-x.xml"
    assert etree.QName(etree.fromstring(xml.get_content())).localname == "Invoice"
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        assert "119,00\xa0€" in body.get_content()
        assert "https://pay.example/pay/" in body.get_content()
    (delivery,) = await deliveries(desk, issued)
    assert (delivery["status"], delivery["recipient"]) == ("sent", "ap@acme.example")


async def test_the_delivery_is_published_with_the_days_it_took(desk: Receivables) -> None:
    issued = await issue(desk, await desk.customer(), issue_date="2024-02-27")

    await desk.tick()

    (event,) = await told(desk, issued)
    data = event["data"]
    assert (data["channel"], data["delivered_on"], data["days_from_supply"]) == ("email", "2024-03-01", 3)
    assert event["version"] == data["invoice"]["version"] == 2
    assert (await desk.invoice(issued["id"]))["version"] == 2


async def test_an_entity_as_it_is_out_of_the_box_sends_nothing(books: Receivables) -> None:
    await books.issue(await books.customer())

    await books.tick()

    assert (await books.get("/v1/deliveries"))["items"] == []
    assert (await books.get("/v1/delivery-queue"))["items"] == []


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("en", "Invoice DW-"),
        ("fr", "Facture DW-"),
        ("es", "Factura DW-"),
        ("de", "Rechnung DW-"),
        ("it", "Invoice DW-"),
    ],
)
async def test_the_mail_speaks_the_customers_language(
    desk: Receivables, smtp: Mailbox, language: str, subject: str
) -> None:
    await issue(desk, await desk.customer(language=language))

    await desk.tick()

    assert smtp.messages[0]["subject"].startswith(subject)


@contextmanager
def power_cut(desk: Receivables, *, after: bool) -> Iterator[Receivables]:
    """The process dies at the mail server's door: just before a mail is handed over, or just after."""
    postman = Postman(desk.resources.postman.server)
    carry = postman._carry

    async def fatal(item: Any, write: Any) -> Any:
        if after:
            await carry(item, write)
        raise PowerCut

    postman._carry = fatal  # A process can only be killed at this exact point by standing there.
    with pytest.raises(PowerCut):
        yield replace(desk, resources=replace(desk.resources, postman=postman))


@pytest.mark.parametrize("after", [True, False])
async def test_a_crash_while_sending_leaves_the_mail_in_doubt_and_it_is_never_sent_again(
    desk: Receivables, smtp: Mailbox, after: bool
) -> None:
    issued = await issue(desk, await desk.customer())
    with power_cut(desk, after=after) as dying:
        await dying.tick()
    await desk.database.pool.execute("update delivery set lease_until = $1", real_now() - timedelta(seconds=1))

    await desk.tick()
    await desk.tick()

    (delivery,) = await deliveries(desk, issued)
    assert delivery["status"] == "unknown"
    assert len(smtp.messages) == (1 if after else 0)
    assert await told(desk, issued) == []


async def test_word_of_the_mail_provider_settles_a_doubt(desk: Receivables) -> None:
    issued = await issue(desk, await desk.customer())
    with power_cut(desk, after=True) as dying:
        await dying.tick()
    await desk.database.pool.execute("update delivery set lease_until = $1", real_now() - timedelta(seconds=1))
    await desk.tick()
    (delivery,) = await deliveries(desk, issued)

    assert (await tell_of(desk, delivery["id"], "delivered")).status_code == 200

    assert [each["status"] for each in await deliveries(desk, issued)] == ["delivered"]
    assert len(await told(desk, issued)) == 1


async def test_without_a_mail_server_mails_wait(desk: Receivables, smtp: Mailbox) -> None:
    issued = await issue(desk, await desk.customer())
    nowhere = Postman(MailServer("127.0.0.1", embedded.free_port(), SENDER, timeout_seconds=2))
    away = replace(desk, resources=replace(desk.resources, postman=nowhere))
    now = await desk.database.clock.business_now(desk.database.pool)
    await send_documents(TickContext(away.database, now, away.resources))
    (waiting,) = await deliveries(desk, issued)
    await desk.database.pool.execute("update delivery set retry_at = $1", real_now() - timedelta(seconds=1))
    await desk.tick()

    assert (waiting["status"], waiting["attempts"]) == ("queued", 1)
    assert "cannot be used" in waiting["reason"]
    assert [each["status"] for each in await deliveries(desk, issued)] == ["sent"]
    assert len(smtp.messages) == 1


async def test_a_refused_address_is_put_right_and_the_invoice_sent_again(desk: Receivables, smtp: Mailbox) -> None:
    issued = await issue(desk, await desk.customer())
    smtp.refuse = True
    await desk.tick()
    smtp.refuse = False

    answer = await desk.post(f"/v1/invoices/{issued['id']}/deliveries", {"recipient": "invoices@acme.example"})
    await desk.tick()

    assert answer.status_code == 201
    assert [each["status"] for each in await deliveries(desk, issued)] == ["sent", "failed"]
    assert [mail["to"] for mail in smtp.messages] == ["Ada Lang <invoices@acme.example>"]


async def test_a_customer_without_an_address_stands_in_the_queue_with_its_owner(desk: Receivables) -> None:
    issued = await issue(desk, await desk.customer(contacts=[], name="Quiet Ltd"))
    await desk.tick()
    await desk.at("2024-03-03")
    assert (await desk.get("/v1/delivery-queue"))["items"] == [], "two days are allowed"

    await desk.at("2024-03-04")
    (item,) = (await desk.get("/v1/delivery-queue"))["items"]

    assert (item["number"], item["customer_name"], item["days"]) == (issued["number"], "Quiet Ltd", 3)
    assert (item["status"], item["owner"]) == ("failed", "Mia")
    refused = await desk.post(f"/v1/invoices/{issued['id']}/deliveries", {})
    assert pointers(refused) == ["#/recipient"]
    await desk.post(f"/v1/invoices/{issued['id']}/deliveries", {"recipient": "someone@quiet.example"})
    await desk.tick()
    assert (await desk.get("/v1/delivery-queue"))["items"] == []


async def test_the_provider_tells_of_delivered_opened_and_bounced(desk: Receivables) -> None:
    issued = await issue(desk, await desk.customer())
    await desk.tick()
    (delivery,) = await deliveries(desk, issued)

    for event, status in (("delivered", "delivered"), ("opened", "opened"), ("delivered", "opened")):
        assert (await tell_of(desk, delivery["id"], event)).json() == {"taken": 1, "unknown": []}
        assert [each["status"] for each in await deliveries(desk, issued)] == [status]
    assert len(await told(desk, issued)) == 1, "it was delivered once"


async def test_a_mail_that_came_back_is_undelivered_again(desk: Receivables) -> None:
    issued = await issue(desk, await desk.customer())
    await desk.tick()
    (delivery,) = await deliveries(desk, issued)

    await tell_of(desk, delivery["id"], "bounced", reason="550 no such user")
    await desk.at("2024-03-04")

    (item,) = (await desk.get("/v1/delivery-queue"))["items"]
    assert (item["status"], item["reason"]) == ("bounced", "550 no such user")


async def test_a_call_that_is_not_the_providers_changes_nothing(desk: Receivables) -> None:
    issued = await issue(desk, await desk.customer())
    await desk.tick()
    (delivery,) = await deliveries(desk, issued)
    event = {"delivery_id": delivery["id"], "event": "bounced", "at": "2024-03-01T09:00:00Z"}
    body = json.dumps({"events": [event]})

    assert problem(await call(desk, body, secret="guessed"), 401) == "webhook-signature"
    assert problem(await call(desk, body, age_s=600), 401) == "webhook-signature"
    unsigned = await desk.http.post("/v1/webhooks/deliveries", content=body)
    assert problem(unsigned, 401) == "webhook-signature"
    assert problem(await call(desk, '{"events": "none"}'), 422) == "webhook-body"
    stranger = str(new_id())
    assert (await tell_of(desk, stranger, "opened")).json() == {"taken": 0, "unknown": [stranger]}
    assert [each["status"] for each in await deliveries(desk, issued)] == ["sent"]


async def test_letters_are_gathered_when_their_day_is_over_and_printed_together(desk: Receivables) -> None:
    ids = [await desk.customer(name=name) for name in ("Alpha AG", "Beta AG")]
    letters = [await issue(desk, customer, delivery_channel="letter") for customer in ids]
    await desk.tick()
    assert (await desk.get("/v1/letter-batches"))["items"] == []

    await desk.wake_on("2024-03-02")
    (batch,) = (await desk.get("/v1/letter-batches"))["items"]
    pdf = await desk.http.get(f"/v1/letter-batches/{batch['id']}.pdf")
    manifest = await desk.get(f"/v1/letter-batches/{batch['id']}")

    assert (batch["day"], batch["letters"], batch["printed_on"]) == ("2024-03-01", 2, None)
    assert [each["customer_name"] for each in manifest["manifest"]] == ["Alpha AG", "Beta AG"]
    book = PdfReader(BytesIO(pdf.content))
    assert [getattr(each, "title", None) for each in book.outline] == [each["number"] for each in letters]
    assert "Alpha AG" in words(pdf.content)
    printed = await desk.post(f"/v1/letter-batches/{batch['id']}/printed", {})
    assert printed.status_code == 200, printed.text
    assert [each["data"]["channel"] for each in await told(desk, letters[0])] == ["letter"]
    assert problem(await desk.post(f"/v1/letter-batches/{batch['id']}/printed", {}), 409) == "letter-batch-printed"
    assert problem(await desk.post("/v1/letter-batches", {}), 409) == "no-letters"


async def test_statements_go_out_on_the_first_of_the_month_once(desk: Receivables, smtp: Mailbox) -> None:
    busy, quiet = await desk.customer(), await desk.customer()
    await describe_seller(desk, delivery={"statements": "monthly"})
    await desk.issue(busy, "70.00")
    await desk.wake_on("2024-03-31")
    assert smtp.messages == []

    await desk.wake_on("2024-04-01")
    await desk.tick()

    (mail,) = smtp.messages
    assert mail["subject"] == "Kontoauszug vom 1. März 2024 bis 31. März 2024"
    (sent,) = (await desk.get("/v1/deliveries", customer_id=busy))["items"]
    assert (sent["kind"], sent["period_first"], sent["period_last"]) == ("statement", "2024-03-01", "2024-03-31")
    assert (await desk.get("/v1/deliveries", customer_id=quiet))["items"] == []


async def test_a_payment_is_thanked_for_with_a_receipt(desk: Receivables, smtp: Mailbox) -> None:
    await describe_seller(desk, delivery={"receipts": True})
    customer = await desk.customer(language="en")
    await desk.issue(customer, "70.00", number="R-1")

    await desk.pay("50.00", customer_id=customer)
    await desk.tick()

    (mail,) = smtp.messages
    assert "We received your payment of" in mail["subject"]
    (pdf,) = [part for part in mail.walk() if part.get_content_disposition() == "attachment"]
    assert "Invoice R-1" in words(pdf.get_content())


async def test_imported_invoices_are_on_their_way_too(desk: Receivables, smtp: Mailbox) -> None:
    customer = await desk.customer()
    row = json.dumps({"customer_id": customer, "lines": [line("10.00")]})
    headers = {"idempotency-key": "import", "content-type": "application/x-ndjson"}
    answer = await desk.http.post("/v1/imports", content=f"{row}\n{row}\n", headers=headers)
    assert answer.status_code == 202, answer.text

    await desk.tick()

    assert len(smtp.messages) == 2
    async with reading(desk.database) as tx:
        assert await tx.fetchval("select count(*) from delivery where status = 'sent'") == 2


@pytest.mark.parametrize(
    ("status", "said", "afterwards"),
    [
        ("sent", "delivered", "delivered"),
        ("sent", "opened", "opened"),
        ("sent", "bounced", "bounced"),
        ("unknown", "opened", "opened"),
        ("opened", "delivered", "opened"),
        ("opened", "bounced", "opened"),
        ("bounced", "opened", "bounced"),
        ("queued", "delivered", "queued"),
        ("failed", "bounced", "failed"),
    ],
)
def test_word_of_the_provider_only_moves_a_delivery_onwards(status: Any, said: Told, afterwards: str) -> None:
    now = real_now()
    before = Delivery(new_id(), "default", new_id(), "invoice", "email", status, "a@b.example", now.date(), now)

    assert tell(before, said, now, None).status == afterwards


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("DW-1.pdf", "DW-1.pdf"),
        ("A/7#2", "A-7-2"),
        ("Relevé de compte.pdf", "Releve-de-compte.pdf"),
        ("Bestätigung", "Bestaetigung"),
        ("…", "document"),
    ],
)
def test_file_names_are_plain(text: str, name: str) -> None:
    assert file_name(text) == name


async def test_a_credit_note_follows_its_invoice(desk: Receivables, smtp: Mailbox) -> None:
    issued = await issue(desk, await desk.customer(language="fr"))
    await desk.tick()

    note = await desk.post(f"/v1/invoices/{issued['id']}/credit-notes", {"reason": "rendu"})
    await desk.tick()

    number = note.json()["number"]
    assert smtp.messages[-1]["subject"] == f"Avoir {number} de Nordlicht Maschinenbau GmbH"
    pdf, xml = [part for part in smtp.messages[-1].walk() if part.get_content_disposition() == "attachment"]
    assert f"Avoir {number}" in words(pdf.get_content())
    assert etree.QName(etree.fromstring(xml.get_content())).localname == "CreditNote"
    assert len(await told(desk, issued)) == 1, "the invoice was delivered once"
    assert [each["kind"] for each in await deliveries(desk, issued)] == ["credit_note", "invoice"]
