"""Documents on their way: mails written and handed to the mail server, letters gathered for the printer.

A mail goes in three steps, as a reminder does: marked as being sent, sent, recorded. Only the first and the last are in
transactions; a crash in between leaves a mark, and the mail is never sent again by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from uuid import UUID

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pypdf import PdfWriter

from services.invoice.autopay import handlers as autopay
from services.invoice.autopay.rules import Collection, Method
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Account
from services.invoice.deliveries import handlers as deliveries
from services.invoice.deliveries import rules as delivery_rules
from services.invoice.deliveries.rules import REACHED, TEMPORARY_REFUSALS_MAX, Channel, Delivery, Status, Told
from services.invoice.dispatch import rules, store
from services.invoice.dispatch.rules import Batch, BatchNotFound, Figure, Noticed, Sheet, Undelivered, View
from services.invoice.disputes import handlers as disputes
from services.invoice.disputes.rules import Dispute
from services.invoice.documents import handlers as documents
from services.invoice.documents.rules import Paper, defects
from services.invoice.entities import handlers as entities
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import Invoice
from services.invoice.pay_links import handlers as pay_links
from services.invoice.pay_links.handlers import PayLinks
from services.invoice.payments import handlers as payments
from services.invoice.payments.rules import Payment
from services.invoice.plans import handlers as plans
from services.invoice.plans.rules import Plan
from services.invoice.printing import handlers as printing
from services.invoice.printing.rules import Tongue, tongue
from services.invoice.receipts import handlers as receipts
from services.invoice.receipts.rules import Receipt
from services.invoice.statements import handlers as statements
from services.invoice.statements.rules import Statement
from services.invoice.ubl import rules as ubl
from shared import log, mail, outbox
from shared.clock import real_now
from shared.db import Tx
from shared.errors import Conflict
from shared.ids import new_id
from shared.mail import Attachment, Parcel, Postman, Unwritable
from shared.mail import Receipt as MailReceipt
from shared.mail_address import one_line, subject_line

logger = log.get(__name__)

MAILS_DUE = deliveries.MAILS_UNDER_WAY_SINCE
LETTERS_DUE = store.LETTERS_DUE
MAILS_AT_ONCE = 24
LEASE_TIMEOUTS = 4
"""A send's lease, in timeouts of the mail server: what is begun within it is over within it."""
NOBODY_KNOWS = "whoever was sending it is gone; it may have left"

_TEMPLATES = Path(__file__).parent / "templates"
_WORDING = ImmutableSandboxedEnvironment(
    loader=FileSystemLoader(_TEMPLATES), undefined=StrictUndefined, auto_reload=False, trim_blocks=True
)
_LAYOUT = ImmutableSandboxedEnvironment(
    loader=FileSystemLoader(_TEMPLATES),
    undefined=StrictUndefined,
    auto_reload=False,
    autoescape=lambda name: bool(name and name.endswith(".html.j2")),
    trim_blocks=True,
    lstrip_blocks=True,
)


class BatchPrinted(Conflict):
    slug = "letter-batch-printed"
    title = "The letters were printed already"


@dataclass(frozen=True, slots=True)
class Envelope:
    """A delivery with what goes into it, read in one transaction and written outside of any."""

    delivery: Delivery
    account: Account
    content: documents.Written | Statement | Receipt | Noticed
    pay_link: str


@dataclass(frozen=True, slots=True)
class Mail:
    subject: str
    text: str
    html: str
    files: tuple[Attachment, ...]


# --- mails ---


async def take_mails(tx: Tx, found: Sequence[Delivery], lease_until: datetime) -> list[Delivery]:
    """Mark mails as being sent; those that somebody else has taken in the meantime are left out."""
    await customers.lock_customers(tx, {each.customer_id for each in found})
    queued = await deliveries.in_status(tx, [each.id for each in found], "queued")
    taken = [each.sending(lease_until) for each in queued]
    await deliveries.save(tx, taken)
    return taken


async def give_up(tx: Tx, abandoned: Sequence[Delivery]) -> None:
    """Mails whose sender is gone: nobody knows whether they left."""
    await customers.lock_customers(tx, {each.customer_id for each in abandoned})
    left = await deliveries.in_status(tx, [each.id for each in abandoned], "sending")
    await deliveries.save(tx, [each.unknown(NOBODY_KNOWS) for each in left])


async def open_envelope(tx: Tx, delivery: Delivery, links: PayLinks) -> Envelope:
    """Everything that a delivery is made of."""
    content: documents.Written | Statement | Receipt | Noticed
    match delivery:
        case (
            Delivery(dispute_id=UUID())
            | Delivery(plan_id=UUID())
            | Delivery(collection_id=UUID())
            | Delivery(kind="payment_returned")
        ):
            content = noticed = await _open_notice(tx, delivery)
            account = noticed.account
        case Delivery(credit_note_id=UUID() as note_id):
            content = written = await documents.get_credit_note_paper(tx, note_id)
            account = written.account
        case Delivery(invoice_id=UUID() as invoice_id):
            content = written = await documents.get_paper(tx, invoice_id)
            account = written.account
        case Delivery(payment_id=UUID() as payment_id):
            content = receipt = await receipts.get_receipt(tx, payment_id)
            account = receipt.account
        case _:
            content = statement = await statements.get_statement(
                tx, delivery.customer_id, delivery.period_first, delivery.period_last, delivery.entity_id
            )
            account = statement.account
    return Envelope(delivery, account, content, await pay_links.make_link(tx, links, account))


async def _open_notice(tx: Tx, delivery: Delivery) -> Noticed:
    account = await customers.find_account(tx, CustomerRef(delivery.customer_id), delivery.entity_id)
    if account is None:
        raise LookupError(f"delivery {delivery.id} is to a customer that is not here")
    if delivery.dispute_id:
        record = await disputes.get_dispute(tx, delivery.dispute_id)
        return Noticed(account, (record.dispute, record.invoice))
    if delivery.plan_id:
        standing = await plans.get_plan(tx, delivery.plan_id)
        return Noticed(account, (standing.plan, standing.filled))
    if delivery.payment_id:
        recorded = await payments.get_payment(tx, delivery.payment_id)
        ids = list(dict.fromkeys(each.invoice_id for each in recorded.allocations))
        settled = await invoices.named(tx, account.customer.id, account.entity.id, [], ids) if ids else []
        return Noticed(account, (recorded.payment, ", ".join(invoice.number for invoice in settled)))
    assert delivery.collection_id is not None
    collection, method = await autopay.get_collection(tx, delivery.collection_id)
    if collection.plan_id:
        plan = (await plans.get_plan(tx, collection.plan_id)).plan
        return Noticed(account, (collection, method, ", ".join(share.number for share in plan.shares)))
    assert collection.invoice_id is not None
    return Noticed(account, (collection, method, (await invoices.get_invoice(tx, collection.invoice_id)).number))


async def send(
    postman: Postman, envelopes: Sequence[Envelope], at: datetime, seconds: float
) -> list[tuple[Envelope, MailReceipt]]:
    """Write the mails and hand them over. `at` dates them. Raises nothing."""

    async def write(envelope: Envelope) -> Parcel:
        recipient = envelope.delivery.recipient or ""
        try:
            written = await asyncio.to_thread(compose, envelope)
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
            recipient_name=rules.greeting_name(envelope.account.customer.contacts),
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
    """Publish that invoices are delivered, one version of the invoice each."""
    for delivery in left:
        if delivery.kind != "invoice" or delivery.invoice_id is None:
            continue
        written = await documents.get_paper(tx, delivery.invoice_id)
        entity = written.account.entity
        outcome = rules.delivered(written.invoice, written.paper, delivery, on=entity.today(delivery.sent_at or tx.now))
        await invoices.save(tx, entity, [outcome.invoice])
        await outbox.append(tx, *outcome.events)


def compose(envelope: Envelope) -> Mail:
    """The mail in the customer's language with its files. Raises jinja2.TemplateError, typst.TypstError."""
    customer = envelope.account.customer
    t = tongue(customer.language, customer.country)
    content = envelope.content
    if isinstance(content, documents.Written):
        view, files = _of_invoice(content, envelope, t)
    elif isinstance(content, Statement):
        view, files = _of_statement(content, envelope, t)
    elif isinstance(content, Receipt):
        view, files = _of_receipt(content, envelope, t)
    else:
        view, files = _of_notice(content, envelope, t), ()
    words = _words(envelope.delivery.kind, view)
    if isinstance(content, Noticed):
        (figure,) = view.figures
        view = replace(view, figures=(replace(figure, label=words["figure"], remark=words["remark"]),))
    return Mail(
        subject_line(words["subject"]),
        _LAYOUT.get_template("mail.txt.j2").render(mail=view, words=words),
        _LAYOUT.get_template("mail.html.j2").render(mail=view, words=words),
        files,
    )


def _words(kind: str, view: View) -> dict[str, str]:
    common = _WORDING.get_template(f"{view.language}/common.j2")
    wording = _WORDING.get_template(f"{view.language}/{kind}.j2")
    context = wording.new_context({"mail": view})
    blocks = {**common.blocks, **wording.blocks}
    return {name: " ".join("".join(block(context)).split()) for name, block in blocks.items()}


def _view(envelope: Envelope, t: Tongue, files: Sequence[Attachment]) -> View:
    entity = envelope.account.entity
    return View(
        language=t.language,
        seller=one_line(entity.seller.legal_name or entity.name),
        person=rules.greeting_name(envelope.account.customer.contacts),
        number="",
        day="",
        due="",
        first="",
        last="",
        figures=(),
        rows=(),
        owes=False,
        pay_link=envelope.pay_link,
        files=tuple(file.name for file in files),
    )


def _of_invoice(written: documents.Written, envelope: Envelope, t: Tongue) -> tuple[View, tuple[Attachment, ...]]:
    paper, invoice = replace(written.paper, pay_link=envelope.pay_link), written.invoice
    files = (Attachment(f"{_file_name(paper)}.pdf", "application/pdf", printing.print_invoice(paper)),)
    if not defects(paper):
        files = (*files, Attachment(f"{_file_name(paper)}.xml", "application/xml", ubl.write(paper)))
    due = t.day(paper.due_on) if paper.due_on else ""
    figure = Figure(
        t.say("payable" if paper.kind == "invoice" else "total_credit"),
        t.money(paper.payable_minor, paper.currency),
        f"{t.say('due_on')}: {due}" if due else "",
    )
    view = replace(
        _view(envelope, t, files),
        number=paper.number,
        day=t.day(paper.issued_on),
        due=due,
        figures=(figure,),
        owes=paper.kind == "invoice" and invoice.balance_minor > 0,
    )
    return view, files


def _of_statement(statement: Statement, envelope: Envelope, t: Tongue) -> tuple[View, tuple[Attachment, ...]]:
    pdf = statements.print_statement(statement, envelope.pay_link)
    name = f"{t.say('statement')}-{statement.last}.pdf"
    files = (Attachment(_ascii(name), "application/pdf", pdf),)
    figures = tuple(
        Figure(t.say("closing"), t.money(section.closing_minor, section.currency), t.day(statement.last))
        for section in statement.sections
    )
    view = replace(
        _view(envelope, t, files),
        first=t.day(statement.first),
        last=t.day(statement.last),
        figures=figures,
        owes=any(section.closing_minor > 0 for section in statement.sections),
    )
    return view, files


def _of_receipt(receipt: Receipt, envelope: Envelope, t: Tongue) -> tuple[View, tuple[Attachment, ...]]:
    payment = receipt.payment
    pdf = receipts.print_receipt(receipt, envelope.pay_link)
    files = (Attachment(_ascii(f"{t.say('receipt')}-{payment.received_on}.pdf"), "application/pdf", pdf),)
    view = replace(
        _view(envelope, t, files),
        day=t.day(payment.received_on),
        figures=(Figure(t.say("entry_payment"), t.money(payment.amount_minor, payment.currency), ""),),
        rows=tuple(
            (t.say("entry_invoice", number=each.invoice.number), t.money(each.paid_minor, each.invoice.currency))
            for each in receipt.settled
        ),
        owes=any(money.minor > 0 for money in receipt.owed),
    )
    return view, files


def _of_notice(noticed: Noticed, envelope: Envelope, t: Tongue) -> View:
    """The figure's label and remark are the wording's."""
    view = replace(_view(envelope, t, ()), owes=True)
    match noticed.about:
        case Dispute() as dispute, Invoice() as invoice:
            return replace(
                view,
                number=invoice.number,
                due=t.day(dispute.answer_by) if dispute.answer_by else "",
                figures=(Figure("", t.money(dispute.amount_minor, invoice.currency), ""),),
            )
        case Collection() as collection, Method() as method, numbers:
            again_at = collection.look_at if collection.status == "refused" else None
            announced = envelope.delivery.kind == "debit_announced"
            on = collection.debit_on if announced else again_at and noticed.account.entity.today(again_at)
            return replace(
                view,
                number=numbers,
                due=t.day(on) if on else "",
                figures=(Figure("", t.money(collection.amount_minor, collection.currency), ""),),
                rows=_of_debit(noticed.account, method, on, t) if on and method.debits else (),
                closed=not announced and again_at is None,
                owes=not announced,
            )
        case Payment() as payment, numbers:
            return replace(
                view,
                number=numbers,
                day=t.day(payment.received_on),
                figures=(Figure("", t.money(payment.amount_minor, payment.currency), ""),),
            )
        case Plan() as plan, filled:
            left = plan.amount_minor if envelope.delivery.kind != "plan_broken" else plan.left_minor or 0
            rows = tuple((t.day(part.due_date), t.money(part.minor, plan.currency)) for part in filled)
            return replace(
                view,
                number=", ".join(share.number for share in plan.shares),
                day=t.day(plan.missed_on) if plan.missed_on else "",
                figures=(Figure("", t.money(left, plan.currency), ""),),
                rows=rows if envelope.delivery.kind == "plan_agreed" else (),
            )
    raise LookupError(f"nobody knows what delivery {envelope.delivery.id} tells of")


def _of_debit(account: Account, method: Method, on: date, t: Tongue) -> tuple[tuple[str, str], ...]:
    """What is said of a debit before it is made (SEPA Core rulebook, EPC016-06: day, amount, mandate and creditor)."""
    about = (
        ("due_on", t.day(on)),
        ("debited_account", method.label),
        ("mandate_reference", method.mandate_reference),
        ("creditor_id", account.entity.seller.sepa_creditor_id),
    )
    return tuple((t.say(label), value) for label, value in about if value)


def _file_name(paper: Paper) -> str:
    return _ascii(paper.number)


def _ascii(name: str) -> str:
    """A file name that every mail program and file system takes."""
    return rules.file_name(name)


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
        content = envelope.content
        assert isinstance(content, documents.Written)
        pdf = printing.typeset_invoice(replace(content.paper, pay_link=envelope.pay_link))
        book.append(BytesIO(pdf), outline_item=content.paper.number)
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
