"""A parent company that takes the messages of its subsidiaries gets one a day, not one for each of them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest

from services.reminder.contacts.handlers import RecordBounce
from services.reminder.reminders import handlers as reminders
from services.reminder.ticks import Resources
from shared.db import transaction
from tests.reminder.books import ADA, Customer, Invoice
from tests.reminder.couriers import hire
from tests.reminder.desk import Desk
from tests.reminder.test_contact_policy import put
from tests.reminder.test_sending import DyingCourier, PowerCut, let_leases_end

DUE = date(2026, 2, 1)
FRESH = DUE - timedelta(days=2)
HEDY = ADA.model_copy(update={"name": "Hedy Head", "email": "hedy@holding.example", "phone": "+4930123456"})


async def a_group(desk: Desk, *branches: str, **more: Any) -> tuple[Customer, list[Customer]]:
    parent = await desk.onboard(name="Holding", contacts=(HEDY,))
    made = [await desk.onboard(name=name, parent_id=parent.id, contact_parent=True, **more) for name in branches]
    return parent, made


async def owing(desk: Desk, *customers: Customer, due_on: date = DUE, **more: Any) -> list[Invoice]:
    issued_on = due_on - timedelta(days=2)
    made = []
    for customer in customers:
        number = f"{customer.state.name}-{len(desk.invoice_service.invoices)}"
        made.append(await desk.issue(customer, due_on, number, issued_on=issued_on, **more))
    return made


def words(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body
    return body.get_content()


async def test_what_several_subsidiaries_owe_goes_to_the_parent_as_one_message(desk: Desk) -> None:
    parent, branches = await a_group(desk, "Osaka", "Kyoto", "Nara")
    alone = await desk.onboard(name="Alone")
    await owing(desk, parent, *branches, alone)
    await desk.until(date(2026, 2, 2))
    to_alone, to_parent = sorted(desk.mails(), key=lambda mail: str(mail["To"]))
    assert ("hedy@holding.example" in to_parent["To"], "ada@acme.example" in to_alone["To"]) == (True, True)
    text = words(to_parent)
    names = [line for line in text.splitlines() if line in ("Holding", "Osaka", "Kyoto", "Nara")]
    assert names == ["Holding", "Kyoto", "Nara", "Osaka"]
    links = [line.rpartition("/")[2] for line in text.splitlines() if "https://pay.example/pay/" in line]
    assert sorted(links) == sorted(str(customer.id) for customer in (parent, *branches)), "each pays for itself"
    assert "Total overdue: 400,00 €" in " ".join(text.split())

    contacts = await desk.contacts()
    assert Counter(c["status"] for c in contacts) == {"sent": 5}
    assert len({c["customer_id"] for c in contacts}) == 5
    assert [(await desk.get(f"/v1/cases/{c['customer_id']}"))["level"] for c in contacts] == [1] * 5
    assert sorted(Counter(c["delivery_id"] for c in contacts).values()) == [1, 4]
    assert {c["delivery_id"] for c in contacts if c["customer_id"] == str(alone.id)} == {None}


async def test_the_sharpest_step_chooses_the_words(desk: Desk) -> None:
    _, (late, later) = await a_group(desk, "Late", "Later")
    await owing(desk, later)
    await desk.until(date(2026, 2, 7))
    await owing(desk, late, due_on=date(2026, 2, 7), minor=5_000)
    await desk.until(date(2026, 2, 8))
    sent = [(c["step"], c["sent_at"][:10]) for c in await desk.contacts(status="sent")]
    assert sorted(sent[-2:]) == [("first-reminder", "2026-02-08"), ("second-reminder", "2026-02-08")]
    assert len(desk.mails()) == 2
    first, both = desk.mails()
    assert {"Late", "Later"} <= set(words(both).splitlines())
    assert both["Subject"] != first["Subject"]


async def test_a_subsidiary_that_has_paid_by_the_last_look_drops_out(desk: Desk) -> None:
    _, branches = await a_group(desk, "One", "Two", "Three")
    one, two, three = await owing(desk, *branches)
    await desk.until(date(2026, 2, 2), 8)
    two.pay()  # Nobody has heard of it yet.
    await desk.until(date(2026, 2, 2))
    (mail,) = desk.mails()
    assert (one.number in words(mail), two.number in words(mail), three.number in words(mail)) == (True, False, True)
    assert Counter((c["status"], c["reason"]) for c in await desk.contacts()) == {
        ("sent", None): 2,
        ("suppressed", "nothing_collectable"): 1,
    }


@pytest.mark.parametrize("left", [0, 1])
async def test_when_one_or_none_is_left_there_is_an_ordinary_message_or_none(desk: Desk, left: int) -> None:
    _, branches = await a_group(desk, "One", "Two")
    owed = await owing(desk, *branches)
    await desk.until(date(2026, 2, 2), 8)
    for invoice in owed[left:]:
        invoice.pay()
    await desk.until(date(2026, 2, 2))
    assert len(desk.mails()) == left
    assert all("One" in words(mail) and str(branches[0].id) in words(mail) for mail in desk.mails())


async def test_nothing_goes_out_while_the_balance_of_one_of_them_cannot_be_had(desk: Desk) -> None:
    _, branches = await a_group(desk, "One", "Two", "Three")
    await owing(desk, *branches)
    desk.invoice_service.down = True
    await desk.until(date(2026, 2, 2))
    desk.invoice_service.down = False
    await desk.database.pool.execute("update contact set retry_at = null")
    await desk.tick()
    assert (len(desk.mails()), len(await desk.contacts(status="sent"))) == (1, 3)


async def test_the_contact_policy_counts_it_once_and_for_all_of_them(desk: Desk) -> None:
    await put(desk, 0, contacts_max=1, within_days=7)
    parent, (first, second, third) = await a_group(desk, "First", "Second", "Third")
    await owing(desk, first, second)
    await owing(desk, third, due_on=date(2026, 2, 3))
    await desk.until(date(2026, 2, 8))
    assert [mail["To"] for mail in desk.mails()] == ["Hedy Head <hedy@holding.example>"]
    refused = await desk.contacts(customer_id=str(third.id))
    assert [(c["status"], c["reason"]) for c in refused] == [("suppressed", "contact_cap")]
    await owing(desk, parent, due_on=date(2026, 2, 8))
    await desk.until(date(2026, 2, 9))
    assert len(desk.mails()) == 2, "when it is free again, one message for all of them"
    assert {c["customer_id"] for c in (await desk.contacts(status="sent"))[2:]} >= {str(third.id), str(parent.id)}


async def test_messages_before_due_and_reminders_are_not_mixed(desk: Desk) -> None:
    _, (late, soon) = await a_group(desk, "Late", "Soon")
    await owing(desk, late)
    await desk.issue(soon, date(2026, 2, 9), "S-1")
    await desk.until(date(2026, 2, 2))
    assert len(desk.mails()) == 1
    assert [c["customer_id"] for c in await desk.contacts(status="sent")] == [str(late.id)]
    await desk.until(date(2026, 2, 3))
    assert [c["step"] for c in await desk.contacts(status="sent")] == ["first-reminder", "due-soon"]


async def test_more_subsidiaries_than_a_round_holds_are_one_message_on_each_channel(desk: Desk) -> None:
    couriers = hire(desk, "email")
    _, branches = await a_group(desk, *(f"Branch {n:02}" for n in range(30)))
    await owing(desk, *branches)
    await desk.until(date(2026, 2, 2))
    (letter,) = couriers["email"].letters
    assert len(letter.parts) == len(letter.items) == 30
    assert len(await desk.contacts(status="sent")) == 30


async def test_of_a_message_in_doubt_all_its_contacts_are(desk: Desk) -> None:
    _, branches = await a_group(desk, "One", "Two")
    await owing(desk, *branches)
    desk.resources = Resources(desk.resources.invoice, {"email": DyingCourier()})
    with pytest.raises(PowerCut):
        await desk.until(date(2026, 2, 2))
    desk.resources = Resources(desk.resources.invoice, {"email": hire(desk, "email")["email"]})
    await let_leases_end(desk)
    await desk.tick()
    doubtful = {c["customer_id"] for c in await desk.contacts(status="unknown")}
    assert doubtful == {str(branch.id) for branch in branches}
    tasks = (await desk.get("/v1/tasks", kind="fate_unknown"))["items"]
    assert {task["customer_id"] for task in tasks} == doubtful


async def test_a_message_that_came_back_came_back_for_all_of_them(desk: Desk) -> None:
    _, branches = await a_group(desk, "One", "Two")
    await owing(desk, *branches)
    await desk.until(date(2026, 2, 2))
    first = (await desk.contacts())[0]
    async with transaction(desk.database) as tx:
        at = datetime(2026, 2, 2, 13, tzinfo=UTC)
        await reminders.bounce_contact(tx, RecordBounce(UUID(first["id"]), at, "550 no such user"))
    assert [c["bounce_reason"] for c in await desk.contacts()] == ["550 no such user"] * 2
    await desk.until(date(2026, 2, 12))
    assert len(desk.mails()) == 1


async def test_sellers_are_not_mixed(desk: Desk) -> None:
    _, branches = await a_group(desk, "One", "Two")
    await owing(desk, branches[0])
    await owing(desk, branches[1], entity_id="south")
    await desk.until(date(2026, 2, 2))
    assert len(desk.mails()) == 1
    await desk.until(date(2026, 2, 3))
    assert len({mail["From"] for mail in desk.mails()}) == len(desk.mails()) == 2
