"""Take what the gateways tell: what became of a message, what its recipient answered, that they want no more."""

from __future__ import annotations

from dataclasses import dataclass

from services.reminder.callbacks.rules import Word
from services.reminder.contacts import handlers as contacts
from services.reminder.feedback import handlers as feedback
from services.reminder.feedback.handlers import TellContact
from services.reminder.policies import handlers as policies
from services.reminder.policies.handlers import EndOptOut, OptOut
from services.reminder.replies import handlers as replies
from services.reminder.replies.handlers import TakeText
from services.reminder.texts import rules as texts
from shared.db import Tx

BY_CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class TakeSms:
    """A text message that came in; `opt_out_type` is the gateway's own word for what it is."""

    sid: str
    number: str
    body: str
    opt_out_type: str = ""


async def take_word(tx: Tx, word: Word) -> bool:
    """Whether there is such a message."""
    return await feedback.tell_contact(tx, TellContact(word.contact_id, word.told, word.reason, word.lasting))


async def take_sms(tx: Tx, command: TakeSms) -> None:
    """STOP ends text messages to whoever was last written to at this number, START takes that back; anything else is a
    reply."""
    meant = texts.keyword(command.body, command.opt_out_type)
    if meant is None:
        await replies.take_text(tx, TakeText(f"sms {command.sid}", command.number, command.body))
        return
    sent = await contacts.latest_text_to(tx, command.number)
    if sent is None:
        return
    if meant == "stop":
        reason = f"{command.number} answered {command.body.strip()[:40] or command.opt_out_type}"
        await policies.opt_out(tx, OptOut(sent.customer_id, "sms", None, reason, BY_CUSTOMER))
        return
    for kept in await policies.list_opt_outs(tx, sent.customer_id):
        theirs = kept.recorded_by in (BY_CUSTOMER, "provider")
        if kept.channel == "sms" and kept.invoice_number is None and kept.ended_at is None and theirs:
            await policies.end_opt_out(tx, EndOptOut(sent.customer_id, kept.id, BY_CUSTOMER))
