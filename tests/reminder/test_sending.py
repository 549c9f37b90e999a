"""A mail and its row: what leaves, what is tried again, and what is never sent a second time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local import embedded
from services.reminder.deliveries.rules import Delivery, Leave
from services.reminder.mailing import MailSender
from services.reminder.mails.rules import Letter
from services.reminder.ticks import Resources, remind
from shared.clock import real_now
from shared.mail import MailServer, Postman
from shared.ticks import TickContext
from tests.mailbox import Mailbox
from tests.reminder.books import ADA, Customer, Invoice
from tests.reminder.couriers import Courier
from tests.reminder.desk import Desk

DUE = date(2026, 2, 1)
DAY_AFTER = date(2026, 2, 2)


class PowerCut(BaseException):
    """The process ends here: nothing catches it."""


@dataclass
class MoodyMailbox(Mailbox):
    """A mail server with moods: answers to give before it takes mails, and connections it counts."""

    to_rcpt: list[str] = field(default_factory=list)
    to_data: list[str] = field(default_factory=list)
    hang_up: bool = False
    connections: set[int] = field(default_factory=set)

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.connections.add(id(session))
        if self.to_rcpt:
            return self.to_rcpt.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.to_data:
            return self.to_data.pop(0)
        answer = await super().handle_DATA(server, session, envelope)
        if self.hang_up:
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        return answer


@pytest.fixture
def smtp() -> Iterator[MoodyMailbox]:
    mailbox = MoodyMailbox(port=embedded.free_port())
    controller = Controller(mailbox, hostname=mailbox.host, port=mailbox.port)
    controller.start()
    yield mailbox
    controller.stop()


@dataclass
class DyingCourier(Courier):
    """Takes so many letters; while the next one leaves, its process ends."""

    lives_for: int = 0
    died_at: UUID | None = None

    async def _take(self, letter: Letter, leave: Leave) -> Delivery:
        if len(self.letters) == self.lives_for and await leave(letter.contact_id):
            self.died_at = letter.contact_id
            raise PowerCut
        return await super()._take(letter, leave)


@dataclass
class SleepyCourier(Courier):
    """Sleeps after its first letter, until long after its lease."""

    meanwhile: Callable[[], Awaitable[None]] | None = None

    async def _take(self, letter: Letter, leave: Leave) -> Delivery:
        if self.letters and self.meanwhile:
            await self.meanwhile()
        return await super()._take(letter, leave)


async def overdue_since_yesterday(desk: Desk, *, customers: int = 1, **changes: Any) -> list[Invoice]:
    """Customers whose first reminder is due at nine today; it is half past eight."""
    made = []
    for n in range(customers):
        customer = await desk.onboard(**changes)
        made.append(await desk.issue(customer, DUE, f"R-{n}", issued_on=DUE - timedelta(days=3)))
    await desk.until(DAY_AFTER, hour=8)
    return made


async def retry_now(desk: Desk) -> None:
    """Let the real time of all retries be over."""
    await desk.database.pool.execute("update contact set retry_at = null where status = 'planned'")


async def let_leases_end(desk: Desk) -> None:
    await desk.database.pool.execute(
        "update contact set lease_until = $1 where status = 'sending'", real_now() - timedelta(seconds=1)
    )


@asynccontextmanager
async def dies(desk: Desk, *, after: bool) -> AsyncIterator[None]:
    """The process dies at the mail server's door: just before a mail is handed over, or just after."""
    postman = postman_of(desk)
    carry = postman._carry

    async def fatal(letter: Any, at: Any) -> Any:
        if after:
            await carry(letter, at)
        raise PowerCut

    desk.resources = Resources(desk.resources.invoice, {"email": MailSender(replace_carry(postman, fatal))})
    with pytest.raises(PowerCut):
        yield
    desk.resources = Resources(desk.resources.invoice, {"email": MailSender(Postman(postman.server))})


def postman_of(desk: Desk) -> Postman:
    sender = desk.resources.senders["email"]
    assert isinstance(sender, MailSender)
    return sender.postman


def replace_carry(postman: Postman, carry: Any) -> Postman:
    copy = Postman(postman.server)
    copy._carry = carry  # A process can only be killed at this exact point by standing there.
    return copy


async def test_a_crash_while_sending_leaves_the_mail_in_doubt_and_it_is_never_sent_again(desk: Desk) -> None:
    await overdue_since_yesterday(desk)
    async with dies(desk, after=True):
        await desk.until(DAY_AFTER)
    assert [c["status"] for c in await desk.contacts()] == ["sending"]
    assert await desk.next_due() is not None, "a mail under way is work that is not done"
    await desk.tick()
    assert [c["status"] for c in await desk.contacts()] == ["sending"], "its lease still runs"

    await let_leases_end(desk)
    await desk.until(date(2026, 2, 7))
    (contact,) = await desk.contacts()
    assert (contact["status"], contact["sent_at"]) == ("unknown", None)
    assert len(desk.mails()) == 1
    (task,) = (await desk.get("/v1/tasks", status="open"))["items"]
    assert task["kind"] == "fate_unknown"
    assert "reminder.failed" in await desk.types()
    assert (await desk.get(f"/v1/cases/{contact['customer_id']}"))["level"] == 1


async def test_a_mail_that_had_not_left_when_its_sender_crashed_is_sent_when_the_lease_is_over(desk: Desk) -> None:
    await overdue_since_yesterday(desk)
    async with dies(desk, after=False):
        await desk.until(DAY_AFTER)
    await desk.tick()
    assert [c["status"] for c in await desk.contacts()] == ["sending"], "its lease still runs"
    await let_leases_end(desk)
    await desk.tick()
    assert await desk.sent() == [("2026-02-02", "first-reminder")]
    assert len(desk.mails()) == 1
    assert (await desk.get("/v1/tasks"))["items"] == []


async def test_a_crash_in_the_middle_of_a_round_leaves_only_what_was_leaving_in_doubt(desk: Desk) -> None:
    await overdue_since_yesterday(desk, customers=10)
    courier = DyingCourier(lives_for=3)
    desk.resources = Resources(desk.resources.invoice, {"email": courier})
    with pytest.raises(PowerCut):
        await desk.until(DAY_AFTER)
    left = [letter.contact_id for letter in courier.letters]
    courier.lives_for = 100
    await let_leases_end(desk)
    await desk.tick()
    assert Counter(c["status"] for c in await desk.contacts()) == {"unknown": 4, "sent": 6}
    doubtful = {UUID(c["id"]) for c in await desk.contacts(status="unknown")}
    assert doubtful == {*left, courier.died_at}
    assert len({letter.contact_id for letter in courier.letters}) == len(courier.letters) == 9


async def test_a_sender_that_woke_up_too_late_sends_nothing_that_another_has_sent_since(desk: Desk) -> None:
    await overdue_since_yesterday(desk, customers=2)
    invoice, courier = desk.resources.invoice, Courier()

    async def another_worker() -> None:
        await let_leases_end(desk)
        await remind(TickContext(desk.database, await desk.now(), Resources(invoice, {"email": courier})))

    sleepy = SleepyCourier(meanwhile=another_worker)
    desk.resources = Resources(invoice, {"email": sleepy})
    await desk.until(DAY_AFTER)
    assert (len(sleepy.letters), len(courier.letters)) == (1, 1)
    assert Counter(c["status"] for c in await desk.contacts()) == {"unknown": 1, "sent": 1}


async def test_a_crash_after_planning_loses_nothing(desk: Desk) -> None:
    await overdue_since_yesterday(desk)
    desk.invoice_service.down = True
    await desk.until(DAY_AFTER)
    assert [c["status"] for c in await desk.contacts()] == ["planned"]
    desk.invoice_service.down = False
    await retry_now(desk)
    await desk.tick()
    assert await desk.sent() == [("2026-02-02", "first-reminder")]


async def test_while_the_invoice_service_is_down_nothing_leaves_and_a_payment_made_then_counts(desk: Desk) -> None:
    (invoice,) = await overdue_since_yesterday(desk)
    desk.invoice_service.down = True
    await desk.until(DAY_AFTER)
    invoice.pay()
    desk.invoice_service.down = False
    await retry_now(desk)
    await desk.tick()
    (contact,) = await desk.contacts()
    assert (contact["status"], contact["reason"]) == ("suppressed", "nothing_collectable")
    assert desk.mails() == []


async def test_a_payment_heard_of_between_planning_and_sending_suppresses_the_mail(desk: Desk) -> None:
    """The balance was answered a moment too early to know; the case has been closed since."""
    (invoice,) = await overdue_since_yesterday(desk)

    async def pay() -> None:
        await desk.hear(*invoice.pay())

    desk.invoice_service.meanwhile = pay
    await desk.until(DAY_AFTER)
    (contact,) = await desk.contacts()
    assert (contact["status"], contact["reason"]) == ("suppressed", "episode_over")
    assert desk.mails() == []
    assert (await desk.types())[-3:] == ["reminder.planned", "case.closed", "reminder.suppressed"]
    assert await desk.next_due() is None


async def test_an_address_refused_for_good_fails_and_a_new_one_gets_the_same_step(
    desk: Desk, smtp: MoodyMailbox
) -> None:
    (invoice,) = await overdue_since_yesterday(desk)
    smtp.to_rcpt = ["550 No such mailbox here"]
    await desk.until(date(2026, 2, 6))
    (failed,) = await desk.contacts()
    assert (failed["status"], failed["reason"]) == ("failed", "the address was refused: 550 No such mailbox here")
    assert [task["kind"] for task in (await desk.get("/v1/tasks"))["items"]] == ["unreachable"]
    customer = Customer.new(id=invoice.customer_id, version=1)
    await desk.hear(customer.change(contacts=(ADA.model_copy(update={"email": "new@acme.example"}),)))
    await desk.until(date(2026, 2, 7))
    assert await desk.sent() == [("2026-02-07", "first-reminder")]


async def test_a_message_refused_for_good_fails(desk: Desk, smtp: MoodyMailbox) -> None:
    await overdue_since_yesterday(desk)
    smtp.to_data = ["554 Looks like spam"]
    await desk.until(DAY_AFTER)
    assert [(c["status"], c["reason"]) for c in await desk.contacts()] == [("failed", "refused: 554 Looks like spam")]


@pytest.mark.parametrize("word", ["to_rcpt", "to_data"])
async def test_a_temporary_refusal_is_tried_again_in_place(desk: Desk, smtp: MoodyMailbox, word: str) -> None:
    await overdue_since_yesterday(desk)
    setattr(smtp, word, ["451 Try again later"])
    await desk.until(DAY_AFTER)
    (waiting,) = await desk.contacts()
    assert (waiting["status"], waiting["sent_at"]) == ("planned", None)
    assert await desk.next_due() is not None
    await desk.tick()
    assert desk.mails() == [], "not before its pause is over"
    await retry_now(desk)
    await desk.tick()
    assert [c["status"] for c in await desk.contacts()] == ["sent"]
    assert len(desk.mails()) == 1


async def test_a_mailbox_that_keeps_refusing_for_now_fails_in_the_end(desk: Desk, smtp: MoodyMailbox) -> None:
    await overdue_since_yesterday(desk)
    smtp.to_rcpt = ["452 Mailbox full"] * 100
    await desk.until(DAY_AFTER)
    for _ in range(20):
        await retry_now(desk)
        await desk.tick()
    assert [c["status"] for c in await desk.contacts()] == ["failed"]
    assert len(smtp.to_rcpt) == 85


async def test_without_a_mail_server_reminders_wait_as_long_as_it_takes(desk: Desk) -> None:
    await overdue_since_yesterday(desk)
    working = desk.resources
    nowhere = MailServer("127.0.0.1", embedded.free_port(), "receivables@northwind.example", timeout_seconds=2)
    desk.resources = Resources(working.invoice, {"email": MailSender(Postman(nowhere))})
    await desk.until(DAY_AFTER)
    for _ in range(20):
        await retry_now(desk)
        await desk.tick()
    (waiting,) = await desk.contacts()
    assert waiting["status"] == "planned"
    desk.resources = working
    await retry_now(desk)
    await desk.tick()
    assert await desk.sent() == [("2026-02-02", "first-reminder")]


async def test_a_connection_lost_after_the_mail_went_out_leaves_it_in_doubt(desk: Desk, smtp: MoodyMailbox) -> None:
    await overdue_since_yesterday(desk)
    smtp.hang_up = True
    await desk.until(DAY_AFTER)
    (contact,) = await desk.contacts()
    assert contact["status"] == "unknown"
    smtp.hang_up = False
    await desk.until(date(2026, 2, 7))
    assert len(desk.mails()) == 1


async def test_an_address_that_is_none_fails_alone(desk: Desk) -> None:
    await overdue_since_yesterday(desk, contacts=(ADA.model_copy(update={"email": "ada@@acme"}),))
    await overdue_since_yesterday(desk)
    await desk.until(DAY_AFTER)
    assert sorted(c["status"] for c in await desk.contacts()) == ["failed", "sent"]


async def test_many_customers_are_written_to_over_a_few_connections(desk: Desk, smtp: MoodyMailbox) -> None:
    await overdue_since_yesterday(desk, customers=60)
    await desk.until(DAY_AFTER)
    assert len(desk.mails()) == 60
    assert len({mail["Message-ID"] for mail in desk.mails()}) == 60
    assert len(smtp.connections) <= 4
    assert len(desk.invoice_service.asked) == 60


async def test_two_workers_on_the_same_work_send_each_mail_once(desk: Desk) -> None:
    await overdue_since_yesterday(desk, customers=30)
    await desk.set_clock(desk.invoice_service.now + timedelta(hours=1))
    postman = Postman(postman_of(desk).server)
    other = Resources(desk.resources.invoice, {"email": MailSender(postman)})
    now = await desk.now()
    await asyncio.gather(
        *(remind(TickContext(desk.database, now, resources)) for resources in (desk.resources, other, desk.resources))
    )
    assert len(desk.mails()) == 30
    assert len({mail["To"] for mail in desk.mails()}) == 1
    assert len(await desk.contacts(status="sent")) == 30
    await postman.close()


async def test_a_kept_connection_that_went_stale_is_replaced(desk: Desk, smtp: MoodyMailbox) -> None:
    await overdue_since_yesterday(desk)
    await desk.until(DAY_AFTER)
    for line in postman_of(desk)._idle:
        line.close()
    await desk.until(date(2026, 2, 8))
    assert [step for _, step in await desk.sent()] == ["first-reminder", "second-reminder"]


async def test_the_database_refuses_a_second_message_of_a_step(desk: Desk) -> None:
    """Invariant 4: even a case that forgot what it had sent cannot send it again."""
    await overdue_since_yesterday(desk)
    await desk.until(DAY_AFTER)
    await desk.database.pool.execute(
        "update collection_case set level = 0, step = null, climbed_on = null, rest_until = null, check_at = $1",
        await desk.now() + timedelta(days=1),
    )
    await desk.until(date(2026, 2, 7))
    assert [(c["status"], c["reason"]) for c in await desk.contacts()] == [
        ("sent", None),
        ("suppressed", "already_reminded"),
    ]
    assert len(desk.mails()) == 1
    await desk.until(date(2026, 2, 8))
    assert [step for _, step in await desk.sent()] == ["first-reminder", "second-reminder"]
