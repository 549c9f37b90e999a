"""Mails to applicants on their way: planned with what they are about, sent outside any transaction, recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.credit.onboarding_mails import rules, store
from services.credit.onboarding_mails.rules import Mail, MailNotFound
from shared.clock import real_now
from shared.db import Tx
from shared.ids import new_id
from shared.mail import Attachment, Parcel, Postman, Receipt, Unwritable, as_message
from shared.mail_address import is_address

MAILS_DUE = store.MAILS_DUE
MAILS_A_RUN = 10
LEASE_TIMEOUTS = 4
"""A send's lease, in timeouts of the mail server: what is begun within it is over within it."""


async def plan(tx: Tx, mail: Mail) -> Mail:
    """The worker sends it once this is committed."""
    await store.add(tx, mail)
    return mail


async def give_up(tx: Tx) -> int:
    """Call those unknown that a crash left on their way. Returns how many."""
    return await store.give_up(tx)


async def take_mails(tx: Tx, lease_seconds: float) -> list[Mail]:
    """The next ones, marked as on their way."""
    return await store.take(tx, lease_seconds, MAILS_A_RUN)


async def send(
    postman: Postman | None, mails: Sequence[Mail], at: datetime, seconds: float
) -> list[tuple[Mail, Receipt]]:
    """Hand the mails over; `at` dates them. Raises nothing."""
    if postman is None:
        return [(mail, Receipt("refused", "no mail server is set up")) for mail in mails]
    sender = postman.server.sender

    async def write(mail: Mail) -> Parcel:
        if not is_address(mail.recipient):
            raise Unwritable(f"the address {mail.recipient!r} cannot be written to", address_refused=True)
        message = as_message(
            id=mail.id,
            sender=sender,
            sender_name=mail.sender_name,
            recipient=mail.recipient,
            recipient_name=mail.recipient_name,
            subject=mail.subject,
            text=mail.plain,
            html=mail.html,
            at=at,
            headers=answers_to(mail.reply_to),
            attachments=(Attachment("terms.pdf", "application/pdf", mail.pdf),) if mail.pdf else (),
        )
        return Parcel(mail.recipient, message)

    return await postman.deliver(mails, write, seconds)


def answers_to(address: str | None) -> Mapping[str, str]:
    """The head of a mail that says where answers go, where that is an address."""
    return {"Reply-To": address} if address and is_address(address) else {}


async def record(tx: Tx, sent: Sequence[tuple[Mail, Receipt]]) -> None:
    """Write down what became of them."""
    for mail, receipt in sent:
        await store.record(tx, mail.id, rules.after(mail, receipt.fate, receipt.reason, real_now()))


async def repeat_mail(tx: Tx, application_id: UUID, mail_id: UUID, by: str) -> Mail:
    """Write one once more, because a person says so: one that was refused, or whose fate nobody knows. Raises
    MailNotFound, MailUnderWay."""
    mail = await store.read(tx, mail_id)
    if mail is None or mail.application_id != application_id:
        raise MailNotFound(f"The application has no mail {mail_id}.")
    rules.expect_ended(mail)
    again = replace(
        mail, id=new_id(), planned_at=tx.now, planned_by=by, status="planned", attempts=0, ended_at=None, reason=None
    )
    return await plan(tx, again)


async def list_mails(tx: Tx, application_id: UUID) -> Sequence[Mail]:
    """The oldest first."""
    return await store.of_application(tx, application_id)
