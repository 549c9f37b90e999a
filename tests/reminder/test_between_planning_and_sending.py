"""Something happens between the plan to remind a customer and the sending: nothing goes out, and the case says why."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

import pytest

from services.reminder.consumers import subscriptions
from shared.delivery import deliver_batch
from shared.events.event import Event
from tests.reminder.books import Customer, Invoice, receive, without_email
from tests.reminder.desk import Desk
from tests.reminder.test_inbound_mails import mail
from tests.reminder.test_replies import deliver
from tests.service_client import post

DUE = date(2026, 2, 1)
DAY_AFTER = date(2026, 2, 2)
Happening = Callable[[Desk, Customer, Invoice], Awaitable[None]]


def pays(invoice: Invoice) -> list[Event]:
    return invoice.pay()


def pays_in_two_parts(invoice: Invoice) -> list[Event]:
    return [*invoice.pay(9_999), *invoice.pay(1)]


def disputes(invoice: Invoice) -> list[Event]:
    return [invoice.dispute()]


def agrees_a_plan(invoice: Invoice) -> list[Event]:
    return [invoice.agree_plan()]


def is_voided(invoice: Invoice) -> list[Event]:
    return invoice.give_up("voided")


def is_written_off(invoice: Invoice) -> list[Event]:
    return invoice.give_up("written_off")


def heard(of: Callable[[Invoice], list[Event]]) -> Happening:
    async def happens(desk: Desk, _: Customer, invoice: Invoice) -> None:
        await redelivered(desk, *of(invoice))

    return happens


async def names_a_day_on_its_page(desk: Desk, _: Customer, invoice: Invoice) -> None:
    await redelivered(desk, invoice.promise(DAY_AFTER + timedelta(days=5)))


async def promises_on_the_phone(desk: Desk, customer: Customer, _: Invoice) -> None:
    promised = {"amount": {"amount": "100.00", "currency": "EUR"}, "on": str(DAY_AFTER + timedelta(days=5))}
    await ask(desk, f"/v1/cases/{customer.id}/promises", promised)


async def is_paused(desk: Desk, customer: Customer, _: Invoice) -> None:
    until = str(DAY_AFTER + timedelta(days=5))
    await ask(desk, f"/v1/cases/{customer.id}/pauses", {"until": until, "reason": "sales_asked"})


async def wants_no_mails(desk: Desk, customer: Customer, _: Invoice) -> None:
    await ask(desk, f"/v1/customers/{customer.id}/opt-outs", {"channel": "email", "reason": "said so"})


async def wants_no_mails_about_it(desk: Desk, customer: Customer, invoice: Invoice) -> None:
    said = {"channel": "email", "reason": "said so", "invoice_number": invoice.number}
    await ask(desk, f"/v1/customers/{customer.id}/opt-outs", said)


async def is_sued(desk: Desk, customer: Customer, _: Invoice) -> None:
    await ask(desk, f"/v1/cases/{customer.id}/proceedings", {"kind": "legal_action", "opened_on": str(DAY_AFTER)})


async def is_insolvent(desk: Desk, customer: Customer, _: Invoice) -> None:
    await ask(desk, f"/v1/cases/{customer.id}/proceedings", {"kind": "insolvency", "opened_on": str(DAY_AFTER)})


async def answers(desk: Desk, customer: Customer, _: Invoice) -> None:
    case = await desk.get(f"/v1/cases/{customer.id}")
    await deliver(desk, mail(References=f"<case-{case['id']}-1@northwind.example>"))


async def loses_its_address(desk: Desk, customer: Customer, _: Invoice) -> None:
    await redelivered(desk, customer.change(contacts=(without_email(),)))


async def ask(desk: Desk, path: str, body: dict[str, Any]) -> None:
    answer = await post(desk.http, path, body)
    assert answer.status_code == 201, answer.text


async def redelivered(desk: Desk, *events: Event) -> None:
    """As a broker may: each alone, then all of them again, the last first."""
    messages = [receive(event) for event in events]
    for message in (*messages, *reversed(messages)):
        await deliver_batch(desk.database, subscriptions, [message])


SETTLING = (pays, pays_in_two_parts, disputes, agrees_a_plan, is_voided, is_written_off)
NOTHING_OWED = {"nothing_collectable", "episode_over"}
HAPPENINGS = [
    *(pytest.param(heard(each), NOTHING_OWED, id=each.__name__) for each in SETTLING),
    *(
        pytest.param(each, {because}, id=each.__name__)
        for each, because in (
            (names_a_day_on_its_page, "promised"),
            (promises_on_the_phone, "promised"),
            (is_paused, "paused"),
            (wants_no_mails, "opted_out"),
            (is_sued, "legal"),
            (is_insolvent, "insolvent"),
            (answers, "replied"),
            (loses_its_address, "unreachable"),
        )
    ),
]
ABOUT_IT = pytest.param(wants_no_mails_about_it, {"opted_out"}, id="wants_no_mails_about_it")


async def eve(desk: Desk) -> tuple[Customer, Invoice]:
    """The first reminder is due at nine; it is eight."""
    customer = await desk.onboard()
    invoice = await desk.issue(customer, DUE, issued_on=DUE - timedelta(days=3))
    await desk.until(DAY_AFTER, hour=8)
    return customer, invoice


async def nothing_went_out(desk: Desk, customer: Customer, because: set[str]) -> None:
    assert desk.mails() == []
    (contact,) = await desk.contacts()
    assert contact["status"] == "suppressed"
    assert contact["reason"] in because
    said = await desk.get(f"/v1/cases/{customer.id}/explanation")
    assert "did not go out" in said["last_suppression"] or "not sent" in said["last_suppression"], said
    told = [event["data"]["contact"] for event in await desk.published() if event["type"] == "reminder.suppressed"]
    assert [each["reason"] for each in told] == [contact["reason"]]


@pytest.mark.parametrize(("happens", "because"), [*HAPPENINGS, ABOUT_IT])
async def test_it_happens_while_the_balance_is_asked_for(desk: Desk, happens: Happening, because: set[str]) -> None:
    """The answer is already on its way, and a moment too old."""
    customer, invoice = await eve(desk)

    async def meanwhile() -> None:
        await happens(desk, customer, invoice)

    desk.invoice_service.meanwhile = meanwhile
    await desk.until(DAY_AFTER, hour=11)
    await nothing_went_out(desk, customer, because)


@pytest.mark.parametrize(("happens", "because"), [*HAPPENINGS, ABOUT_IT])
async def test_it_happens_while_the_invoice_service_is_down(desk: Desk, happens: Happening, because: set[str]) -> None:
    """Nothing goes out while it is down, nor when it is back."""
    customer, invoice = await eve(desk)
    desk.invoice_service.down = True
    await desk.until(DAY_AFTER, hour=10)
    await happens(desk, customer, invoice)
    await once_more(desk)
    assert desk.mails() == []
    desk.invoice_service.down = False
    await once_more(desk)
    await nothing_went_out(desk, customer, because)


@pytest.mark.parametrize(("happens", "because"), HAPPENINGS)
async def test_the_invoice_service_stays_down_and_the_case_says_all_the_same_why_nothing_went_out(
    desk: Desk, happens: Happening, because: set[str]
) -> None:
    customer, invoice = await eve(desk)
    desk.invoice_service.down = True
    await desk.until(DAY_AFTER, hour=10)
    await happens(desk, customer, invoice)
    await once_more(desk)
    await nothing_went_out(desk, customer, because)


@pytest.mark.parametrize("happens", SETTLING, ids=lambda each: each.__name__)
async def test_only_the_invoice_service_knows_of_it_yet(desk: Desk, happens: Callable[[Invoice], list[Event]]) -> None:
    """Its event is still on the way when the balance is asked for."""
    customer, invoice = await eve(desk)
    late = happens(invoice)
    await desk.until(DAY_AFTER, hour=10)
    await nothing_went_out(desk, customer, NOTHING_OWED)
    await redelivered(desk, *late)
    await desk.until(DAY_AFTER + timedelta(days=30))
    assert desk.mails() == []


async def once_more(desk: Desk) -> None:
    """The real time of retries is over."""
    await desk.database.pool.execute("update contact set retry_at = null where status = 'planned'")
    await desk.tick()


@pytest.mark.parametrize(
    ("paid", "asked_for"), [(1, "99,99"), (9_999, "0,01"), (10_000, None)], ids=["a cent", "all but a cent", "all"]
)
@pytest.mark.parametrize("known", ["while asked", "while down", "not yet"])
async def test_what_is_paid_in_part_is_not_asked_for_any_more(
    desk: Desk, paid: int, asked_for: str | None, known: str
) -> None:
    _, invoice = await eve(desk)

    async def meanwhile() -> None:
        await redelivered(desk, *invoice.pay(paid))

    if known == "while asked":
        desk.invoice_service.meanwhile = meanwhile
        await desk.until(DAY_AFTER, hour=11)
    elif known == "while down":
        desk.invoice_service.down = True
        await desk.until(DAY_AFTER, hour=10)
        await meanwhile()
        desk.invoice_service.down = False
        await once_more(desk)
    else:
        invoice.pay(paid)
        await desk.until(DAY_AFTER, hour=10)
    (contact,) = await desk.contacts()
    assert contact["status"] == ("sent" if asked_for else "suppressed")
    assert len(desk.mails()) == (1 if asked_for else 0)
    for sent in desk.mails():
        text = sent.get_body(("plain",))
        assert text is not None
        assert str(asked_for) in text.get_content()
        assert "100,00" not in text.get_content()


@pytest.mark.parametrize("happens", [pays, disputes, agrees_a_plan, is_voided], ids=lambda each: each.__name__)
async def test_one_of_two_invoices_is_settled_while_the_balance_is_asked_for_and_the_mail_is_about_the_other(
    desk: Desk, happens: Callable[[Invoice], list[Event]]
) -> None:
    customer, invoice = await eve(desk)
    await desk.issue(customer, DUE, "R-2", 7_700, issued_on=DUE - timedelta(days=3))
    await desk.until(DAY_AFTER, hour=8)

    async def meanwhile() -> None:
        await redelivered(desk, *happens(invoice))

    desk.invoice_service.meanwhile = meanwhile
    await desk.until(DAY_AFTER, hour=11)
    (contact,) = await desk.contacts()
    assert (contact["status"], contact["invoices"]) == ("sent", ["R-2"])
    assert [amount["amount"] for amount in contact["amounts"]] == ["77.00"]
    (sent,) = desk.mails()
    text = sent.get_body(("plain",))
    assert text is not None
    assert "R-1" not in text.get_content()
    assert "77,00" in text.get_content()


async def test_a_payment_and_the_last_look_at_the_very_same_moment_leave_books_and_mailbox_in_accord(
    desk: Desk,
) -> None:
    """Whichever comes first has the customer's lock: a mail that went out was marked before the payment was heard."""
    for n in range(6):
        customer = await desk.onboard(name=f"Customer {n}")
        await desk.issue(customer, DUE, f"R-{n}", issued_on=DUE - timedelta(days=3))
    await desk.until(DAY_AFTER, hour=8)
    await asyncio.gather(
        desk.until(DAY_AFTER, hour=11),
        *(desk.hear(*invoice.pay()) for invoice in desk.invoice_service.invoices),
    )
    contacts = await desk.contacts()
    assert len(desk.mails()) == len([c for c in contacts if c["status"] == "sent"])
    assert {c["status"] for c in contacts} <= {"sent", "suppressed"}
