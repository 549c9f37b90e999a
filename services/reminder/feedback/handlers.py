"""What becomes known of a message after it was sent: it arrived, came back, or was called unwanted."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.reminder.contacts import handlers as contacts
from services.reminder.contacts.handlers import RecordBounce
from services.reminder.contacts.rules import Contact, ContactNotFound
from services.reminder.feedback.rules import Told
from services.reminder.policies import handlers as policies
from services.reminder.policies.handlers import OptOut
from services.reminder.receivables import handlers as receivables
from services.reminder.reminders import handlers as reminders
from services.reminder.tasks import handlers as tasks
from services.reminder.tasks.handlers import FinishTask
from services.reminder.tasks.rules import AssignTask
from shared.db import Tx

LEFT = ("sending", "sent", "unknown")
"""Only of a message that left, or may have, can anything become known."""


@dataclass(frozen=True, slots=True)
class TellContact:
    """`lasting`: nothing will ever reach that address; else only this message did not arrive."""

    contact_id: UUID
    told: Told
    reason: str = ""
    lasting: bool = True


async def tell_contact(tx: Tx, command: TellContact) -> bool:
    """Take a word about a message; taken before, it changes nothing. Whether there is such a message. Its customer is
    locked."""
    try:
        contact = await contacts.find_contact(tx, command.contact_id)
    except ContactNotFound:
        return False
    await receivables.lock(tx, [contact.customer_id])
    contact = await contacts.find_contact(tx, command.contact_id)
    if contact.status not in LEFT:
        return True
    match command.told:
        case "delivered" | "opened":
            if contact.status == "unknown":
                await _settle(tx, contact, command.told)
            if contact.delivered_at is None:
                await contacts.record_fate(tx, contact.id, tx.now, None)
        case "complained":
            if contact.complained_at is None:
                await contacts.record_fate(tx, contact.id, None, tx.now)
                await _bounce(tx, contact, command.reason or "the recipient called it unwanted", lasting=True)
        case "opted_out":
            await _opt_out(tx, contact, command.reason or "the provider says that the recipient wants no more")
        case "bounced":
            await _bounce(tx, contact, command.reason or "the message came back", lasting=command.lasting)
    return True


async def _settle(tx: Tx, contact: Contact, told: Told) -> None:
    """Nobody knew whether the message had left: it had."""
    await contacts.save(tx, [contact.sent(tx.now, contact.provider_id)])
    for task in await tasks.open_tasks(tx, contact.customer_id, contact.entity_id):
        if task.kind == "fate_unknown" and task.occasion == str(contact.id):
            await tasks.finish_task(tx, FinishTask(task.id, "provider", f"the provider says: {told}"))


async def _bounce(tx: Tx, contact: Contact, reason: str, *, lasting: bool) -> None:
    bounce = RecordBounce(contact.id, tx.now, reason[:500])
    if lasting:
        await reminders.bounce_contact(tx, bounce)
        return
    if contact.bounced_at is not None:
        return
    await contacts.record_bounce(tx, bounce)
    task = AssignTask(
        customer_id=contact.customer_id,
        case_id=contact.case_id,
        entity_id=contact.entity_id,
        kind="bounced",
        occasion=str(contact.id),
        title=f"The message {contact.step!r} did not reach {contact.recipient}",
        detail=f"{reason}. The address may work again, so later messages still go there.",
        due_on=tx.now.date(),
    )
    await tasks.assign_tasks(tx, [task])


async def _opt_out(tx: Tx, contact: Contact, reason: str) -> None:
    if contact.channel not in ("email", "sms", "letter", "call"):
        return
    await policies.opt_out(tx, OptOut(contact.customer_id, contact.channel, None, reason[:500], "provider"))
