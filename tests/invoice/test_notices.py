"""Word of disputes, instalment plans and failed collections by mail: sent once, in the customer's language, or not."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.invoice.autopay import handlers as autopay
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from shared.db import Database, transaction
from shared.errors import Refused
from shared.mail import MailServer, Postman
from shared.money import Money
from tests.invoice.client import Receivables, eur
from tests.invoice.test_documents_api import describe_seller
from tests.mailbox import Mailbox

SENDER = "receivables@dueward.example"


@dataclass(frozen=True)
class Intent:
    id: str
    status: str
    method_id: str | None = "pm_1"
    customer_id: str | None = "cus_1"
    mandate_id: str | None = None
    failure: str | None = None
    failure_code: str | None = None


@dataclass(frozen=True)
class Label:
    kind: str = "card"
    label: str = "Visa •••• 4242"
    last4: str | None = "4242"


@dataclass
class EmptyCard:
    """A provider that knows the card and refuses to charge it."""

    asked: list[str] = field(default_factory=list)

    async def intent(self, intent_id: str) -> Intent:
        return Intent(intent_id, "succeeded")

    async def method(self, method_id: str) -> Label:
        return Label()

    async def mandate(self, mandate_id: str) -> Label:
        return Label()

    async def charge(self, *, key: str, amount: Money, customer_id: str, method_id: str, kind: str) -> Intent:
        self.asked.append(key)
        raise Refused("insufficient funds")


@pytest.fixture
async def desk(books: Receivables, smtp: Mailbox) -> AsyncIterator[Receivables]:
    """The books of an entity that sends by itself and acknowledges disputes, with a mail server and a provider whose
    card is empty."""
    postman = Postman(MailServer(smtp.host, smtp.port, SENDER, tls="never", timeout_seconds=20))
    await describe_seller(books, delivery={"automatic": True}, disputes={"acknowledge": True})
    yield replace(books, resources=replace(books.resources, postman=postman, stripe=EmptyCard()))
    await postman.close()


async def owing(desk: Receivables, amount: str = "300.00", **about: Any) -> tuple[str, dict[str, Any]]:
    """A customer with an overdue invoice, whose mail has left."""
    customer = await desk.customer(**about)
    issued = await desk.issue(customer, amount, issue_date="2024-01-10", due_date="2024-02-09")
    await desk.tick()
    return customer, issued


async def agree(desk: Receivables, customer: str) -> dict[str, Any]:
    parts = {"count": 3, "every": "month", "first_on": "2024-04-01"}
    answer = await desk.post(f"/v1/customers/{customer}/plans", parts)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def card_left(desk: Receivables, customer: str) -> None:
    """The customer left a card for later invoices."""
    async with transaction(desk.database) as tx:
        account = await customers.lock_account(tx, CustomerRef(customer_id=UUID(customer)), "default")
        await autopay.want_method(tx, account, f"pi_{uuid4().hex}")
    await desk.tick()


def text_of(mail: Any, kind: str = "plain") -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return " ".join(body.get_content().split())


def keep_picture(mail: Any, name: str) -> None:
    if folder := os.environ.get("PICTURES"):
        body = mail.get_body(("html",))
        Path(folder, f"{name}.html").write_text(body.get_content())


async def kinds(database: Database) -> list[str]:
    return [
        row[0] for row in await database.pool.fetch("select kind from delivery where kind <> 'invoice' order by id")
    ]


async def test_a_dispute_is_acknowledged_at_once_with_the_day_of_the_answer(desk: Receivables, smtp: Mailbox) -> None:
    _, issued = await owing(desk)

    disputed = await desk.post(f"/v1/invoices/{issued['id']}/disputes", {"reason": "wet boxes", "amount": eur("40.00")})
    await desk.tick()
    await desk.tick()

    assert disputed.json()["acknowledgement"] == "sent"
    assert len(smtp.messages) == 2
    mail = smtp.messages[-1]
    assert mail["subject"] == f"Ihre Nachricht zu Rechnung {issued['number']}"
    said = text_of(mail)
    assert "antworten Ihnen bis zum 15. März 2024" in said
    assert f"In Klärung: 40,00 € (Rechnung {issued['number']})" in said
    assert "https://pay.example/pay/" in said
    assert "Anlagen" not in said
    newest = (await desk.get(f"/v1/invoices/{issued['id']}/deliveries"))["items"][0]
    assert (newest["kind"], newest["dispute_id"]) == ("dispute_acknowledged", disputed.json()["id"])
    keep_picture(mail, "dispute_acknowledged")


async def test_a_plan_is_confirmed_with_its_instalments_and_thanked_for_when_kept(
    desk: Receivables, smtp: Mailbox
) -> None:
    customer, issued = await owing(desk, language="en", country="GB")
    plan = await agree(desk, customer)
    await desk.tick()
    agreed = smtp.messages[-1]
    await desk.pay("300.00", customer_id=customer, reference=issued["number"])
    await desk.wake_on("2024-03-02")
    kept = smtp.messages[-1]

    assert await kinds(desk.database) == ["plan_agreed", "plan_kept"]
    assert agreed["subject"] == "Your instalment plan is agreed"
    assert "1 April 2024: €100.00" in text_of(agreed)
    assert "1 June 2024: €100.00" in text_of(agreed)
    assert kept["subject"] == "Your instalment plan is paid in full"
    assert "Paid in full: €300.00" in text_of(kept)
    assert "View your account: https://pay.example/pay/" in text_of(kept)
    assert (await desk.get("/v1/deliveries", customer_id=customer))["items"][0]["plan_id"] == plan["id"]
    keep_picture(agreed, "plan_agreed")
    keep_picture(kept, "plan_kept")


async def test_the_end_of_a_broken_plan_is_told_with_what_is_open(desk: Receivables, smtp: Mailbox) -> None:
    customer, issued = await owing(desk, language="fr", country="FR")
    await agree(desk, customer)
    await desk.pay("100.00", customer_id=customer, reference=issued["number"])
    await desk.wake_on("2024-05-04")
    assert await kinds(desk.database) == ["plan_agreed", "instalment_missed"]

    await desk.wake_on("2024-05-05")

    mail = smtp.messages[-1]
    assert mail["subject"] == "Votre échéancier a pris fin"
    assert "L’échéance du 1 mai 2024 ne nous est pas parvenue" in text_of(mail)
    assert "Reste à payer: 200,00 €" in text_of(mail)
    assert "Payer en ligne" in text_of(mail, "html")
    keep_picture(mail, "plan_broken")


async def test_each_refused_charge_says_when_it_is_tried_again_and_the_last_that_it_is_not(
    desk: Receivables, smtp: Mailbox
) -> None:
    customer = await desk.customer(language="es", country="ES")
    await card_left(desk, customer)
    issued = await desk.issue(customer, "80.00", due_date="2024-03-15")
    await desk.tick()
    smtp.messages.clear()

    for day in ("2024-03-15", "2024-03-18", "2024-03-23", "2024-03-30", "2024-04-30"):
        await desk.at(day, 9)
        await desk.tick()

    assert [mail["subject"] for mail in smtp.messages] == [f"No se pudo cobrar la factura {issued['number']}"] * 4
    told = [text_of(mail) for mail in smtp.messages]
    for said, day in zip(told, ("18 de marzo de 2024", "23 de marzo de 2024", "30 de marzo de 2024"), strict=False):
        assert f"Lo intentaremos de nuevo el {day}" in said
    assert "No lo intentaremos de nuevo" in told[3]
    assert all("No cobrado: 80,00 €" in said and "https://pay.example/pay/" in said for said in told)
    keep_picture(smtp.messages[0], "collection_refused")
    keep_picture(smtp.messages[3], "collection_given_up")


async def test_an_entity_that_does_not_send_by_itself_tells_nothing(desk: Receivables, smtp: Mailbox) -> None:
    await describe_seller(desk, disputes={"acknowledge": True})
    customer, issued = await owing(desk)
    await card_left(desk, customer)
    later = await desk.issue(customer, "80.00", due_date="2024-03-15")
    disputed = await desk.post(f"/v1/invoices/{later['id']}/disputes", {"reason": "late", "amount": eur("1.00")})
    await agree(desk, customer)
    await desk.pay("300.00", customer_id=customer, reference=issued["number"])
    await desk.at("2024-03-15", 9)
    await desk.tick()

    assert disputed.json()["acknowledgement"] == "wanted", "somebody has to tell"
    assert await desk.database.pool.fetchval("select count(*) from collection") == 1
    assert await desk.database.pool.fetchval("select count(*) from delivery") == 0
    assert smtp.messages == []


async def test_a_customer_without_an_address_is_not_told_and_its_dispute_says_so(
    desk: Receivables, smtp: Mailbox
) -> None:
    customer, issued = await owing(desk, contacts=[])

    disputed = await desk.post(f"/v1/invoices/{issued['id']}/disputes", {"reason": "late", "amount": eur("1.00")})
    await agree(desk, customer)
    await desk.tick()

    assert disputed.json()["acknowledgement"] == "wanted"
    assert await kinds(desk.database) == []
    assert smtp.messages == []


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
async def test_every_notice_is_written_in_each_language(desk: Receivables, smtp: Mailbox, language: str) -> None:
    customer, issued = await owing(desk, language=language)
    other = await desk.issue(customer, "50.00", issue_date="2024-02-01", due_date="2024-03-20")
    await card_left(desk, customer)
    late = await desk.issue(customer, "80.00", due_date="2024-03-15")
    await desk.tick()
    smtp.messages.clear()

    await desk.post(f"/v1/invoices/{other['id']}/disputes", {"reason": "late"})
    await agree(desk, customer)
    await desk.at("2024-03-15", 9)
    await desk.tick()
    await desk.tick()
    await desk.pay("80.00", customer_id=customer, reference=late["number"])
    await desk.wake_on("2024-04-05")

    assert await kinds(desk.database) == ["dispute_acknowledged", "plan_agreed", "collection_failed", "plan_broken"]
    assert len(smtp.messages) == 4
    for mail in smtp.messages:
        assert "{{" not in text_of(mail)
        assert 'lang="' + language in text_of(mail, "html")
        assert "/pay/" in text_of(mail)
    numbers = [issued["number"], other["number"], late["number"]]
    assert all(any(number in text_of(mail) for number in numbers) for mail in smtp.messages)


async def test_each_message_that_leaves_is_published_once_by_kind_and_channel_and_invoices_are_not_among_them(
    desk: Receivables, smtp: Mailbox
) -> None:
    customer, issued = await owing(desk)
    await desk.dispute(issued["id"], "40.00")
    assert [event["type"] for event in await desk.published() if event["type"] == "notice.sent"] == [], "not before"
    await desk.tick()
    await desk.tick()
    await desk.http.put(
        f"/v1/customers/{customer}/document-preferences", json={"paper": True}, headers={"if-match": '"0"'}
    )
    await desk.post(f"/v1/invoices/{issued['id']}/credit-notes", {"reason": "goodwill", "amount": eur("1.00")})
    await desk.wake_on("2024-03-02")
    [batch] = (await desk.get("/v1/letter-batches"))["items"]
    assert len(await notices(desk)) == 1, "a letter has left when it is printed"
    await desk.post(f"/v1/letter-batches/{batch['id']}/printed", {})

    told = await notices(desk)

    assert [(each["kind"], each["channel"], each["sent_on"]) for each in told] == [
        ("dispute_acknowledged", "email", "2024-03-01"),
        ("credit_note", "letter", "2024-03-02"),
    ]
    assert {each["customer_id"] for each in told} == {customer}
    assert len({each["delivery_id"] for each in told}) == 2


async def notices(desk: Receivables) -> list[dict[str, Any]]:
    return [event["data"] for event in await desk.published() if event["type"] == "notice.sent"]
