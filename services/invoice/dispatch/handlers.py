"""Documents on their way: mails written and handed to the mail server, letters gathered for the printer.

A mail goes in three steps, as a reminder does: marked as being sent, sent, recorded. Only the first and the last are in
transactions; a crash in between leaves a mark, and the mail is never sent again by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from io import BytesIO
from uuid import UUID

from jinja2 import TemplateError
from pypdf import PdfWriter

from services.invoice.customers import handlers as customers
from services.invoice.deliveries import handlers as deliveries
from services.invoice.deliveries import rules as delivery_rules
from services.invoice.deliveries.rules import REACHED, TEMPORARY_REFUSALS_MAX, Channel, Delivery, Status, Told
from services.invoice.dispatch import rules, store
from services.invoice.dispatch.rules import Batch, BatchNotFound, Sheet, Undelivered
from services.invoice.documents import handlers as documents
from services.invoice.entities import handlers as entities
from services.invoice.invoices import handlers as invoices
from services.invoice.plans import handlers as plans
from services.invoice.writing import handlers as writing
from services.invoice.writing import rules as writing_rules
from services.invoice.writing.handlers import Envelope
from shared import log, mail, outbox
from shared.clock import real_now
from shared.db import Tx
from shared.errors import Conflict
from shared.ids import new_id
from shared.mail import Parcel, Postman, Unwritable
from shared.mail import Receipt as MailReceipt

logger = log.get(__name__)

MAILS_DUE = deliveries.MAILS_UNDER_WAY_SINCE
LETTERS_DUE = store.LETTERS_DUE
MAILS_AT_ONCE = 24
LEASE_TIMEOUTS = 4
"""A send's lease, in timeouts of the mail server: what is begun within it is over within it."""
NOBODY_KNOWS = "whoever was sending it is gone; it may have left"


class BatchPrinted(Conflict):
    slug = "letter-batch-printed"
    title = "The letters were printed already"


# --- mails ---


async def take_mails(tx: Tx, found: Sequence[Delivery], lease_until: datetime) -> list[Delivery]:
    """Mark mails as being sent; those that somebody else has taken in the meantime are left out, and word of an
    instalment that was paid before it could leave is not sent."""
    await customers.lock_customers(tx, {each.customer_id for each in found})
    queued = await _true_ones(tx, await deliveries.in_status(tx, [each.id for each in found], "queued"))
    taken = [each.sending(lease_until) for each in queued]
    await deliveries.save(tx, taken)
    return taken


async def _true_ones(tx: Tx, waiting: Sequence[Delivery]) -> list[Delivery]:
    """Those of which what they tell is still so; the others are not sent."""
    overtaken = [
        each
        for each in waiting
        if each.plan_id and each.instalment_on and not await plans.still_to_tell(tx, each.plan_id, each.instalment_on)
    ]
    await deliveries.save(tx, [each.failed(delivery_rules.OVERTAKEN) for each in overtaken])
    return [each for each in waiting if each not in overtaken]


async def give_up(tx: Tx, abandoned: Sequence[Delivery]) -> None:
    """Mails whose sender is gone: nobody knows whether they left."""
    await customers.lock_customers(tx, {each.customer_id for each in abandoned})
    left = await deliveries.in_status(tx, [each.id for each in abandoned], "sending")
    await deliveries.save(tx, [each.unknown(NOBODY_KNOWS) for each in left])


async def send(
    postman: Postman, envelopes: Sequence[Envelope], at: datetime, seconds: float
) -> list[tuple[Envelope, MailReceipt]]:
    """Write the mails and hand them over. `at` dates them. Raises nothing."""

    async def write(envelope: Envelope) -> Parcel:
        recipient = envelope.delivery.recipient or ""
        try:
            written = await asyncio.to_thread(writing.compose, envelope)
        except (TemplateError, LookupError, TypeError, ValueError, RuntimeError) as fault:
            logger.exception("mail_not_composed", delivery_id=str(envelope.delivery.id))
            raise Unwritable(f"the mail could not be written: {fault}") from fault
        if not delivery_rules.is_address(recipient):
            raise Unwritable(f"the address {recipient!r} cannot be written to", address_refused=True)
        message = mail.as_message(
            id=envelope.delivery.id,
            sender=postman.server.sender,
            sender_name=envelope.account.entity.seller.legal_name or envelope.account.entity.name,
            recipient=recipient,
            recipient_name=writing_rules.greeting_name(envelope.account.customer.contacts),
            subject=written.subject,
            text=written.text,
            html=written.html,
            at=at,
            headers={"X-Dueward-Delivery": str(envelope.delivery.id)},
            attachments=written.files,
        )
        return Parcel(recipient, message)

    return await postman.deliver(envelopes, write, seconds)


async def record(tx: Tx, sent: Sequence[tuple[Envelope, MailReceipt]]) -> None:
    """Write down what became of the mails, and tell of the invoices that left."""
    await customers.lock_customers(tx, {envelope.delivery.customer_id for envelope, _ in sent})
    fates = {envelope.delivery.id: receipt for envelope, receipt in sent}
    changed = [
        _after(delivery, fates[delivery.id], tx.now)
        for delivery in await deliveries.in_status(tx, list(fates), "sending")
    ]
    await deliveries.save(tx, changed)
    await _announce(tx, [each for each in changed if each.status == "sent"])


def _after(delivery: Delivery, receipt: MailReceipt, now: datetime) -> Delivery:
    reason = receipt.reason or ""
    match receipt.fate:
        case "sent":
            return delivery.sent(now)
        case "refused":
            return delivery.failed(reason)
        case "doubtful":
            return delivery.unknown(reason)
        case "untried":
            return delivery.waiting()
        case "deferred":
            return delivery.deferred(reason, real_now())
        case "refused_for_now":
            if delivery.attempts + 1 >= TEMPORARY_REFUSALS_MAX:
                return delivery.failed(f"after {delivery.attempts + 1} attempts: {reason}")
            return delivery.deferred(reason, real_now())


async def _announce(tx: Tx, left: Sequence[Delivery]) -> None:
    """Publish what left: that invoices are delivered, one version of the invoice each, and the other messages."""
    for delivery in left:
        if delivery.kind != "invoice" or delivery.invoice_id is None:
            entity = await entities.get_entity(tx, delivery.entity_id)
            await outbox.append(tx, rules.told(delivery, on=entity.today(delivery.sent_at or tx.now)))
            continue
        written = await documents.get_paper(tx, delivery.invoice_id)
        entity = written.account.entity
        outcome = rules.delivered(written.invoice, written.paper, delivery, on=entity.today(delivery.sent_at or tx.now))
        await invoices.save(tx, entity, [outcome.invoice])
        await outbox.append(tx, *outcome.events)


# --- asked for, told of ---


async def deliver_invoice(tx: Tx, invoice_id: UUID, channel: Channel, recipient: str | None) -> Delivery:
    """Ask for an invoice to be sent, once more where it was sent before, to a corrected address where one is given.

    Raises InvoiceNotFound, AddressRefused.
    """
    account, invoice = await invoices.lock_invoice(tx, invoice_id)
    if recipient is not None:
        recipient = delivery_rules.good_address(recipient)
    delivery = delivery_rules.ask(
        account.entity,
        account.customer,
        tx.now,
        delivery_id=new_id(),
        kind="invoice",
        channel=channel,
        recipient=recipient,
        invoice_id=invoice.id,
    )
    if delivery.status == "failed":
        raise delivery_rules.AddressRefused(f"{delivery_rules.NO_ADDRESS}; name a recipient", field="/recipient")
    await deliveries.ask(tx, [delivery])
    return delivery


async def tell_delivery(tx: Tx, delivery_id: UUID, told: Told, at: datetime, reason: str | None) -> Delivery:
    """Take what the mail provider says of a mail. Word of a mail that was in doubt is how its invoice is known to be
    delivered. Raises DeliveryNotFound."""
    known = await deliveries.get_delivery(tx, delivery_id)
    await customers.lock_customers(tx, [known.customer_id])
    before = await deliveries.get_delivery(tx, delivery_id)
    after = delivery_rules.tell(before, told, at, reason)
    if after != before:
        await deliveries.save(tx, [after])
        if before.status not in REACHED and after.status in REACHED:
            await _announce(tx, [after])
    return after


async def undelivered(tx: Tx, entity_id: str | None, after: tuple[date, UUID] | None, limit: int) -> list[Undelivered]:
    """Invoices that nobody has received for longer than their entity allows, the oldest first."""
    return await store.undelivered(tx, entity_id, after, limit)


# --- letters ---


async def gather_letters(tx: Tx, entity_id: str | None = None) -> Batch | None:
    """Put letters into one batch: those whose business day is over, or with an entity named all it has waiting.
    None when there are none."""
    found = await store.letters_waiting(tx, entity_id)
    if found is None:
        return None
    entity, day = found
    await _true_ones(tx, await store.letters_on_instalments(tx, entity, day))
    batch = Batch(new_id(), entity, day, 0, None)
    letters = await store.gather(tx, batch)
    return replace(batch, letters=letters)


async def list_batches(tx: Tx, before: UUID | None, limit: int) -> list[Batch]:
    return await store.batches(tx, before, limit)


async def get_batch(tx: Tx, batch_id: UUID) -> tuple[Batch, list[Sheet]]:
    """A batch and its manifest, in the order of the printed pages. Raises BatchNotFound."""
    batch = await store.find_batch(tx, batch_id)
    if batch is None:
        raise BatchNotFound(f"there is no batch of letters {batch_id}")
    return batch, await store.sheets(tx, batch_id)


def print_batch(envelopes: Sequence[Envelope]) -> bytes:
    """All letters in one PDF, each with a bookmark; takes processor time, so by `asyncio.to_thread`."""
    book = PdfWriter()
    for envelope in envelopes:
        title, pdf = writing.print_letter(envelope)
        book.append(BytesIO(pdf), outline_item=title)
    out = BytesIO()
    book.write(out)
    return out.getvalue()


async def mark_printed(tx: Tx, batch_id: UUID) -> Batch:
    """The letters are in the post: their invoices count as delivered. Raises BatchNotFound, BatchPrinted."""
    batch, sheets = await get_batch(tx, batch_id)
    await customers.lock_customers(tx, {sheet.delivery.customer_id for sheet in sheets})
    entity = await entities.get_entity(tx, batch.entity_id)
    if not await store.mark_printed(tx, batch_id, entity.today(tx.now)):
        raise BatchPrinted(f"the letters were printed on {batch.printed_on or 'another day'}")
    left = [each.sent(tx.now) for each in await deliveries.in_status(tx, [s.delivery.id for s in sheets], "queued")]
    await deliveries.save(tx, left)
    await _announce(tx, left)
    return replace(batch, printed_on=entity.today(tx.now))


def lease(postman: Postman, now: datetime) -> tuple[float, datetime]:
    """How long a round of mails may take, in seconds of real time, and when it is over."""
    seconds = postman.server.timeout_seconds * LEASE_TIMEOUTS
    return seconds, now + timedelta(seconds=seconds)


async def list_deliveries(
    tx: Tx, *, before: UUID | None, invoice_id: UUID | None, customer_id: UUID | None, status: Status | None, limit: int
) -> list[Delivery]:
    if invoice_id is not None:
        await invoices.get_invoice(tx, invoice_id)
    return await deliveries.list_deliveries(
        tx, before=before, invoice_id=invoice_id, customer_id=customer_id, status=status, limit=limit
    )
