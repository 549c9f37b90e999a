"""Word of disputes, instalment plans and failed collections by mail: sent once, in the customer's language, or not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.invoice.client import Receivables, eur
from tests.invoice.notices import (
    agree,
    card_left,
    keep_picture,
    kinds,
    owing,
    text_of,
)
from tests.invoice.test_documents_api import describe_seller
from tests.mailbox import Mailbox


async def test_a_dispute_is_acknowledged_at_once_with_the_day_of_the_answer(house: Receivables, smtp: Mailbox) -> None:
    _, issued = await owing(house)

    disputed = await house.post(
        f"/v1/invoices/{issued['id']}/disputes", {"reason": "wet boxes", "amount": eur("40.00")}
    )
    await house.tick()
    await house.tick()

    assert disputed.json()["acknowledgement"] == "sent"
    assert len(smtp.messages) == 2
    mail = smtp.messages[-1]
    assert mail["subject"] == f"Ihre Nachricht zu Rechnung {issued['number']}"
    said = text_of(mail)
    assert "antworten Ihnen bis zum 15. März 2024" in said
    assert f"In Klärung: 40,00 € (Rechnung {issued['number']})" in said
    assert "https://pay.example/pay/" in said
    assert "Anlagen" not in said
    newest = (await house.get(f"/v1/invoices/{issued['id']}/deliveries"))["items"][0]
    assert (newest["kind"], newest["dispute_id"]) == ("dispute_acknowledged", disputed.json()["id"])
    keep_picture(mail, "dispute_acknowledged")


async def test_a_plan_is_confirmed_with_its_instalments_and_thanked_for_when_kept(
    house: Receivables, smtp: Mailbox
) -> None:
    customer, issued = await owing(house, language="en", country="GB")
    plan = await agree(house, customer)
    await house.tick()
    agreed = smtp.messages[-1]
    await house.pay("300.00", customer_id=customer, reference=issued["number"])
    await house.wake_on("2024-03-02")
    kept = smtp.messages[-1]

    assert await kinds(house.database) == ["plan_agreed", "plan_kept"]
    assert agreed["subject"] == "Your instalment plan is agreed"
    assert "1 April 2024: €100.00" in text_of(agreed)
    assert "1 June 2024: €100.00" in text_of(agreed)
    assert kept["subject"] == "Your instalment plan is paid in full"
    assert "Paid in full: €300.00" in text_of(kept)
    assert "View your account: https://pay.example/pay/" in text_of(kept)
    assert (await house.get("/v1/deliveries", customer_id=customer))["items"][0]["plan_id"] == plan["id"]
    keep_picture(agreed, "plan_agreed")
    keep_picture(kept, "plan_kept")


async def test_the_end_of_a_broken_plan_is_told_with_what_is_open(house: Receivables, smtp: Mailbox) -> None:
    customer, issued = await owing(house, language="fr", country="FR")
    await agree(house, customer)
    await house.pay("100.00", customer_id=customer, reference=issued["number"])
    await house.wake_on("2024-05-04")
    assert await kinds(house.database) == ["plan_agreed", "instalment_missed"]

    await house.wake_on("2024-05-05")

    mail = smtp.messages[-1]
    assert mail["subject"] == "Votre échéancier a pris fin"
    assert "L’échéance du 1 mai 2024 ne nous est pas parvenue" in text_of(mail)
    assert "Reste à payer: 200,00 €" in text_of(mail)
    assert "Payer en ligne" in text_of(mail, "html")
    keep_picture(mail, "plan_broken")


async def test_each_refused_charge_says_when_it_is_tried_again_and_the_last_that_it_is_not(
    house: Receivables, smtp: Mailbox
) -> None:
    customer = await house.customer(language="es", country="ES")
    await card_left(house, customer)
    issued = await house.issue(customer, "80.00", due_date="2024-03-15")
    await house.tick()
    smtp.messages.clear()

    for day in ("2024-03-15", "2024-03-18", "2024-03-23", "2024-03-30", "2024-04-30"):
        await house.at(day, 9)
        await house.tick()

    assert [mail["subject"] for mail in smtp.messages] == [f"No se pudo cobrar la factura {issued['number']}"] * 4
    told = [text_of(mail) for mail in smtp.messages]
    for said, day in zip(told, ("18 de marzo de 2024", "23 de marzo de 2024", "30 de marzo de 2024"), strict=False):
        assert f"Lo intentaremos de nuevo el {day}" in said
    assert "No lo intentaremos de nuevo" in told[3]
    assert all("No cobrado: 80,00 €" in said and "https://pay.example/pay/" in said for said in told)
    keep_picture(smtp.messages[0], "collection_refused")
    keep_picture(smtp.messages[3], "collection_given_up")


async def test_an_entity_that_does_not_send_by_itself_tells_nothing(house: Receivables, smtp: Mailbox) -> None:
    await describe_seller(house, disputes={"acknowledge": True})
    customer, issued = await owing(house)
    await card_left(house, customer)
    later = await house.issue(customer, "80.00", due_date="2024-03-15")
    disputed = await house.post(f"/v1/invoices/{later['id']}/disputes", {"reason": "late", "amount": eur("1.00")})
    await agree(house, customer)
    await house.pay("300.00", customer_id=customer, reference=issued["number"])
    await house.at("2024-03-15", 9)
    await house.tick()

    assert disputed.json()["acknowledgement"] == "wanted", "somebody has to tell"
    assert await house.database.pool.fetchval("select count(*) from collection") == 1
    assert await house.database.pool.fetchval("select count(*) from delivery") == 0
    assert smtp.messages == []


async def test_a_customer_without_an_address_is_not_told_and_its_dispute_says_so(
    house: Receivables, smtp: Mailbox
) -> None:
    customer, issued = await owing(house, contacts=[])

    disputed = await house.post(f"/v1/invoices/{issued['id']}/disputes", {"reason": "late", "amount": eur("1.00")})
    await agree(house, customer)
    await house.tick()

    assert disputed.json()["acknowledgement"] == "wanted"
    assert await kinds(house.database) == []
    assert smtp.messages == []


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
async def test_every_notice_is_written_in_each_language(house: Receivables, smtp: Mailbox, language: str) -> None:
    customer, issued = await owing(house, language=language)
    other = await house.issue(customer, "50.00", issue_date="2024-02-01", due_date="2024-03-20")
    await card_left(house, customer)
    late = await house.issue(customer, "80.00", due_date="2024-03-15")
    await house.tick()
    smtp.messages.clear()

    await house.post(f"/v1/invoices/{other['id']}/disputes", {"reason": "late"})
    await agree(house, customer)
    await house.at("2024-03-15", 9)
    await house.tick()
    await house.tick()
    await house.pay("80.00", customer_id=customer, reference=late["number"])
    await house.wake_on("2024-04-05")

    assert await kinds(house.database) == ["dispute_acknowledged", "plan_agreed", "collection_failed", "plan_broken"]
    assert len(smtp.messages) == 4
    for mail in smtp.messages:
        assert "{{" not in text_of(mail)
        assert 'lang="' + language in text_of(mail, "html")
        assert "/pay/" in text_of(mail)
    numbers = [issued["number"], other["number"], late["number"]]
    assert all(any(number in text_of(mail) for number in numbers) for mail in smtp.messages)


async def test_each_message_that_leaves_is_published_once_by_kind_and_channel_and_invoices_are_not_among_them(
    house: Receivables, smtp: Mailbox
) -> None:
    customer, issued = await owing(house)
    await house.dispute(issued["id"], "40.00")
    assert [event["type"] for event in await house.published() if event["type"] == "notice.sent"] == [], "not before"
    await house.tick()
    await house.tick()
    await house.http.put(
        f"/v1/customers/{customer}/document-preferences", json={"paper": True}, headers={"if-match": '"0"'}
    )
    await house.post(f"/v1/invoices/{issued['id']}/credit-notes", {"reason": "goodwill", "amount": eur("1.00")})
    await house.wake_on("2024-03-02")
    [batch] = (await house.get("/v1/letter-batches"))["items"]
    assert len(await notices(house)) == 1, "a letter has left when it is printed"
    await house.post(f"/v1/letter-batches/{batch['id']}/printed", {})

    told = await notices(house)

    assert [(each["kind"], each["channel"], each["sent_on"]) for each in told] == [
        ("dispute_acknowledged", "email", "2024-03-01"),
        ("credit_note", "letter", "2024-03-02"),
    ]
    assert {each["customer_id"] for each in told} == {customer}
    assert len({each["delivery_id"] for each in told}) == 2


async def notices(house: Receivables) -> list[dict[str, Any]]:
    return [event["data"] for event in await house.published() if event["type"] == "notice.sent"]
