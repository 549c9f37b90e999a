"""Every clock-driven job of the reminder service."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import httpx

from services.reminder.cases import handlers as cases
from services.reminder.contacts import handlers as contacts
from services.reminder.deliveries import handlers as deliveries
from services.reminder.deliveries.rules import Leave, Sender
from services.reminder.followers import handlers as followers
from services.reminder.legal import handlers as legal
from services.reminder.mails.rules import PLAIN, Letter, Stationery
from services.reminder.occasions import handlers as occasions
from services.reminder.offers import handlers as offers
from services.reminder.offers.handlers import OfferLinks
from services.reminder.pauses import handlers as pauses
from services.reminder.placements import handlers as placements
from services.reminder.promises import handlers as promises
from services.reminder.receivables import handlers as receivables
from services.reminder.reminders import handlers as reminders
from services.reminder.reminders.handlers import ConcludeReminders, ConfirmReminders
from services.reminder.replies import handlers as replies
from services.reminder.replies import rules as reading_mail
from services.reminder.replies.handlers import TakeMail
from services.reminder.replies.rules import Fetched, Mailbox, MailboxUnusable
from services.reminder.signatures import handlers as signatures
from services.reminder.templates import handlers as templates
from shared import log
from shared.clock import real_now
from shared.db import INFRASTRUCTURE_ERRORS, Database, reading, transaction
from shared.mail import Postman
from shared.ticks import TickContext, Ticks

ticks = Ticks()
logger = log.get(__name__)

CASES_AT_ONCE = 200
LETTERS_AT_ONCE = 24
NO_MAILBOX_SECONDS = 900.0
"""How often it is looked whether there is a mailbox by now."""


@dataclass(frozen=True)
class Resources:
    """What sending needs of the outside: who says what is owed, and a sender for each channel there is; and the folder
    that replies come to; `postman` carries mails to colleagues."""

    invoice: httpx.AsyncClient
    senders: Mapping[str, Sender]
    mailbox: Mailbox | None = None
    stationery: Stationery = PLAIN
    postman: Postman | None = None
    offer_links: OfferLinks | None = None


@ticks.on(next_due=cases.NEXT_DUE)
async def remind(context: TickContext) -> bool:
    """Take the steps that are due and send what they plan, until nothing can be done now."""
    moved = False
    while await _escalate(context) | await _send(context):
        moved = True
    return moved


async def _escalate(context: TickContext) -> bool:
    async with transaction(context.database) as tx:
        return await cases.escalate_cases(tx, CASES_AT_ONCE) > 0


async def _send(context: TickContext) -> bool:
    """One round of letters: ask what is still owed, decide again and take them in hand, send, record. Each is marked
    just before it leaves: after a crash in between, those are never sent again, and the others are by somebody else."""
    resources: Resources = context.resources
    async with reading(context.database) as tx:
        found = await contacts.to_do(tx, real_now(), LETTERS_AT_ONCE)
    ready = [contact for contact in found if contact.status == "planned"]
    abandoned = [contact for contact in found if contact.status == "sending"]
    if abandoned:
        async with transaction(context.database) as tx:
            await reminders.give_up(tx, abandoned, real_now())
    if not ready:
        return bool(abandoned)

    balances = await receivables.ask_balances(resources.invoice, list({contact.account for contact in ready}))
    lease_seconds = deliveries.lease_seconds(resources.senders, {contact.channel for contact in ready})
    async with transaction(context.database) as tx:
        now = real_now()
        lease_until = now + timedelta(seconds=lease_seconds)
        confirmed = await reminders.confirm_reminders(tx, ConfirmReminders(ready, balances, now, lease_until))
        filled = await occasions.fill(tx, confirmed, resources.offer_links)
        letters = await signatures.sign(tx, await templates.dress(tx, filled))
        sent_at = tx.now
    if letters:
        leave = _leaving(context.database, letters, lease_until)
        made = await deliveries.deliver(resources.senders, letters, sent_at, lease_seconds, leave)
        async with transaction(context.database) as tx:
            await reminders.conclude_reminders(tx, ConcludeReminders(made, real_now(), lease_until))
    return True


def _leaving(database: Database, letters: Sequence[Letter], lease_until: datetime) -> Leave:
    """Marks what leaves; those that are asked for while a mark is made share the next one."""
    contacts_of = {letter.contact_id: letter.contact_ids for letter in letters}
    asked: set[UUID] = set()
    left: set[UUID] = set()
    one_at_a_time = asyncio.Lock()

    async def leave(contact_id: UUID) -> bool:
        asked.add(contact_id)
        async with one_at_a_time:
            if contact_id in asked:
                together = [each for id in asked for each in contacts_of[id]]
                asked.clear()
                try:
                    async with transaction(database) as tx:
                        left.update(await contacts.leave(tx, together, lease_until))
                except INFRASTRUCTURE_ERRORS:
                    logger.warning("not_marked_as_leaving", contacts=len(together), exc_info=True)
        return left.issuperset(contacts_of[contact_id])

    return leave


@ticks.on(next_due=promises.NEXT_LOOK)
async def judge_promises(context: TickContext) -> bool:
    """Promises whose days of grace are over, less those whose money has come and only waits to be allocated."""
    async with reading(context.database) as tx:
        due = await promises.due(tx)
    unapplied = await promises.ask_unapplied(context.resources.invoice, due)
    async with transaction(context.database) as tx:
        judged = await promises.judge_promises(tx, unapplied)
        await offers.hear(tx, judged)
        return bool(judged)


@ticks.on(next_due=pauses.NEXT_LOOK)
async def end_pauses(context: TickContext) -> bool:
    async with transaction(context.database) as tx:
        return await pauses.run_out(tx)


@ticks.on(next_due=placements.NEXT_HAND_OVER)
async def hand_over_placements(context: TickContext) -> bool:
    """Read what is owed and its documents, then make the agency's file of it; what cannot be read is tried again."""
    async with reading(context.database) as tx:
        waiting = await placements.to_hand_over(tx)
    moved = False
    for placement in waiting:
        fetched = await placements.fetch(context.resources.invoice, placement)
        if fetched is None:
            continue
        async with transaction(context.database) as tx:
            await placements.hand_over(tx, fetched)
        moved = True
    return moved


@ticks.on(next_due=replies.POLL_DUE)
async def poll_replies(context: TickContext) -> bool:
    """Look into the folder that replies come to, in real time. How far it is read is kept in the transaction that
    keeps the mail, so that none is read twice or lost."""
    mailbox: Mailbox | None = context.resources.mailbox
    async with transaction(context.database) as tx:
        lease_seconds = mailbox.lease_seconds if mailbox else NO_MAILBOX_SECONDS
        read = await replies.claim_mailbox(tx, lease_seconds)
    if read is None or mailbox is None:
        return read is not None
    pause, trouble = mailbox.poll_seconds, None
    try:
        look = await mailbox.fetch_new(*read)
        for fetched in look.mails:
            await _take_reply(context, mailbox, look.uid_validity, fetched)
        pause = 0.0 if look.more else pause
    except MailboxUnusable as fault:
        trouble = str(fault)
        logger.warning("mailbox_unusable", trouble=trouble)
    async with transaction(context.database) as tx:
        await replies.poll_again(tx, real_now() + timedelta(seconds=pause), trouble)
    return True


async def _take_reply(context: TickContext, mailbox: Mailbox, uid_validity: int, fetched: Fetched) -> None:
    raw = fetched.raw
    if raw is not None:
        mail, unreadable = await asyncio.to_thread(reading_mail.read, raw, too_large=fetched.too_large)
        command = TakeMail(mail, mailbox.reply_key, unreadable)
        try:
            async with transaction(context.database) as tx:
                await replies.take_mail(tx, command)
                await replies.advance_mailbox(tx, uid_validity, fetched.uid)
            return
        except INFRASTRUCTURE_ERRORS:
            raise
        except Exception:  # One mail must not keep all later ones away; it stays in the folder, and in the log.
            logger.exception("reply_not_taken", uid=fetched.uid, message_id=mail.message_id)
    async with transaction(context.database) as tx:
        await replies.advance_mailbox(tx, uid_validity, fetched.uid)


@ticks.on(next_due=followers.NEXT_DIGEST)
async def send_digests(context: TickContext) -> bool:
    """Write the morning's digests down, then send what is written."""
    postman: Postman | None = context.resources.postman
    async with transaction(context.database) as tx:
        made = await followers.make_digests(tx)
    if postman is None:
        return made
    lease_seconds = 4 * postman.server.timeout_seconds
    async with transaction(context.database) as tx:
        taken = await followers.take_digests(tx, real_now(), lease_seconds)
        at = tx.now
    if taken:
        receipts = await followers.deliver(postman, taken, at, lease_seconds)
        async with transaction(context.database) as tx:
            await followers.conclude_digests(tx, receipts, real_now())
    return made or bool(taken)


@ticks.on(next_due=legal.NEXT_WARNING)
async def warn_of_limitations(context: TickContext) -> bool:
    async with transaction(context.database) as tx:
        return await legal.warn(tx)


@ticks.on(next_due=offers.NEXT_EXPIRY)
async def expire_offers(context: TickContext) -> bool:
    async with transaction(context.database) as tx:
        return await offers.expire(tx)


@ticks.on(next_due=offers.NEXT_EFFECT, may_call=offers.HAS_ANY)
async def carry_out_offers(context: TickContext) -> bool:
    """Ask the invoice service for what was agreed, under a key of its own each time, and record what came of it."""
    async with reading(context.database) as tx:
        waiting = await offers.to_carry_out(tx)
    moved = False
    for effect in waiting:
        carried_out = await offers.carry_out(context.resources.invoice, effect)
        if carried_out is None:
            continue
        async with transaction(context.database) as tx:
            await offers.record(tx, carried_out)
        moved = True
    return moved
