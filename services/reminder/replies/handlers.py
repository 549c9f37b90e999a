"""Take what customers answer: find whose it is, let the case rest, and ask a person to look and to say why they pay
late."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.reminder.cases import handlers as cases
from services.reminder.cases.handlers import HoldCase, ReleaseCase
from services.reminder.contacts import handlers as contacts
from services.reminder.contacts.rules import Contact, ContactNotFound
from services.reminder.feedback import handlers as feedback
from services.reminder.feedback.handlers import TellContact
from services.reminder.holds.rules import HoldKind
from services.reminder.inbound.rules import Mail
from services.reminder.links import rules as links
from services.reminder.receivables import handlers as receivables
from services.reminder.receivables.rules import ENTITY
from services.reminder.replies import rules, store
from services.reminder.replies.rules import LatePaymentReason, Owner, Reply, ReplyNotFound, Status
from services.reminder.tasks import handlers as tasks
from services.reminder.tasks.handlers import FinishTask
from services.reminder.tasks.rules import Task
from shared import outbox
from shared.db import Tx
from shared.ids import new_id

POLL_DUE = store.POLL_DUE
MAILBOX = "replies"


@dataclass(frozen=True, slots=True)
class TakeMail:
    """`key` is that of the reply addresses. An `unreadable` mail has the reason as its text."""

    mail: Mail
    key: bytes | None = None
    unreadable: bool = False


@dataclass(frozen=True, slots=True)
class TakeText:
    """A text message from a number; `identity` is the gateway's name for it."""

    identity: str
    number: str
    body: str


@dataclass(frozen=True, slots=True)
class AssignReply:
    reply_id: UUID
    customer_id: UUID
    entity_id: str


@dataclass(frozen=True, slots=True)
class FinishReply:
    reply_id: UUID
    by: str
    reason: LatePaymentReason | None
    remark: str | None = None


async def take_mail(tx: Tx, command: TakeMail) -> Reply | None:
    """What is kept of a mail, or was when it came before; None for one of our own. A bounce settles its message."""
    mail = command.mail
    if mail.kind == "own":
        return None
    if known := await store.find_by_identity(tx, mail.identity):
        return known
    owner = await _owner_of(tx, mail, command.key)
    kind = "unreadable" if command.unreadable else mail.kind
    reply = await _take(tx, rules.of_mail(new_id(), mail, kind, owner, tx.now))
    if owner and owner.contact_id and mail.bounce and mail.bounce.final:
        told = "complained" if mail.kind == "complaint" else "bounced"
        bounce = TellContact(owner.contact_id, told, mail.bounce.reason, mail.bounce.lasting)
        await feedback.tell_contact(tx, bounce)
    return reply


async def take_text(tx: Tx, command: TakeText) -> Reply:
    """What is kept of a text message, or was when it came before."""
    if known := await store.find_by_identity(tx, command.identity):
        return known
    sent = await contacts.latest_text_to(tx, command.number)
    owner = _owner_by(sent) if sent else None
    return await _take(tx, rules.of_text(new_id(), command.identity, command.number, command.body, owner, tx.now))


async def assign_reply(tx: Tx, command: AssignReply) -> Reply:
    """Say whose a reply is: its case rests from now on. Raises ReplyNotFound, ReplyMatched, CaseNotFound."""
    await cases.find_case(tx, command.customer_id, command.entity_id)
    await receivables.lock(tx, [command.customer_id])
    reply = rules.assigned(await find_reply(tx, command.reply_id), Owner(command.customer_id, command.entity_id))
    return await _rest(tx, reply)


async def finish_reply(tx: Tx, command: FinishReply) -> Reply:
    """A person has looked: the case goes on unless something else holds it. Raises ReplyNotFound, ReplyOver,
    ReasonMissing."""
    reply = await find_reply(tx, command.reply_id)
    if reply.customer_id is None or reply.entity_id is None:
        ended = rules.done(reply, command.by, command.reason, command.remark, None, tx.now.date())
        await store.save(tx, ended)
        return ended
    customer_id, entity_id = reply.customer_id, reply.entity_id
    await receivables.lock(tx, [customer_id])
    view = await cases.find_case(tx, customer_id, entity_id)
    reply, segment = await find_reply(tx, command.reply_id), view.account.segment
    ended = rules.done(reply, command.by, command.reason, command.remark, segment, tx.now.date())
    await store.save(tx, ended)
    await cases.release_case(tx, ReleaseCase(customer_id, entity_id, HoldKind.REPLIED, str(reply.id)))
    await outbox.append(tx, rules.finished(ended, tx.now))
    if task := await _open_task(tx, customer_id, entity_id, reply.id):
        await tasks.finish_task(tx, FinishTask(task.id, command.by, command.reason))
    return ended


async def find_reply(tx: Tx, reply_id: UUID) -> Reply:
    """Raises ReplyNotFound."""
    reply = await store.find(tx, reply_id)
    if reply is None:
        raise ReplyNotFound(f"there is no reply {reply_id}")
    return reply


async def list_replies(
    tx: Tx, customer_id: UUID | None, entity_id: str | None, status: Status | None, before: UUID | None, limit: int
) -> list[Reply]:
    """Newest first, those before a given one."""
    return await store.page(tx, customer_id, entity_id, status, before, limit)


async def claim_mailbox(tx: Tx, lease_seconds: float) -> tuple[int | None, int] | None:
    """How far an IMAP folder has been read, for whoever comes first; None for the others."""
    return await store.claim_mailbox(tx, MAILBOX, lease_seconds)


async def advance_mailbox(tx: Tx, uid_validity: int, uid: int) -> None:
    """The folder is read up to there: in the transaction that keeps the mail."""
    await store.advance_mailbox(tx, MAILBOX, uid_validity, uid)


async def poll_again(tx: Tx, at: datetime, trouble: str | None) -> None:
    await store.poll_again(tx, MAILBOX, at, trouble)


async def _take(tx: Tx, reply: Reply) -> Reply:
    """Keep it, under its customer's lock; of two that come at once, one is kept."""
    if reply.customer_id is not None:
        await receivables.lock(tx, [reply.customer_id])
    if not await store.add(tx, reply):
        known = await store.find_by_identity(tx, reply.identity)
        assert known is not None
        return known
    return await _rest(tx, reply) if reply.status == "open" else reply


async def _rest(tx: Tx, reply: Reply) -> Reply:
    """The case rests while the reply is open; somebody is asked to look."""
    if reply.status == "open":
        assert reply.customer_id is not None
        assert reply.entity_id is not None
        view = await cases.hold_case(tx, HoldCase(reply.customer_id, reply.entity_id, rules.hold(reply)))
        reply = replace(reply, case_id=view.case.id)
        await tasks.assign_tasks(tx, [rules.task(reply, view.case.id, view.account.name, tx.now.date())])
        await outbox.append(tx, rules.received(reply, tx.now))
    await store.save(tx, reply)
    return reply


async def _owner_of(tx: Tx, mail: Mail, key: bytes | None) -> Owner | None:
    """By the address it was sent to, by what it answers, and last by who sent it: the newest message that went there,
    or the one customer with such a contact person."""
    named = [sent for contact_id in mail.contacts if (sent := await _find_contact(tx, contact_id))]
    tokens = [links.read_reply_address(key, address) for address in mail.recipients] if key else []
    for case_id in [token for token in tokens if token] + list(mail.cases):
        if account := await cases.account_of(tx, case_id):
            about = next((sent for sent in named if sent.account == account), None)
            return Owner(*account, about.id if about else None)
    if named:
        return _owner_by(named[0])
    if mail.kind in ("bounce", "delayed", "complaint") or not mail.sender:
        return None
    if sent := await contacts.latest_to(tx, mail.sender):
        return replace(_owner_by(sent), contact_id=None)
    customers = await receivables.customers_at(tx, mail.sender)
    return Owner(customers[0], ENTITY) if len(customers) == 1 else None


async def _find_contact(tx: Tx, contact_id: UUID) -> Contact | None:
    try:
        return await contacts.find_contact(tx, contact_id)
    except ContactNotFound:
        return None


def _owner_by(sent: Contact) -> Owner:
    return Owner(sent.customer_id, sent.entity_id, sent.id)


async def _open_task(tx: Tx, customer_id: UUID, entity_id: str, reply_id: UUID) -> Task | None:
    found = await tasks.open_tasks(tx, customer_id, entity_id)
    return next((task for task in found if task.kind == "reply" and task.occasion == str(reply_id)), None)
