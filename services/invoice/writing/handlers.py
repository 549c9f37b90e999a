"""Mails and letters written: everything that goes into one is read in a transaction, and written outside of any.

Writing takes processor time (typesetting), so doors call `compose` and `print_letter` by `asyncio.to_thread`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.invoice.autopay import handlers as autopay
from services.invoice.autopay.rules import Collection, Method
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Account
from services.invoice.deliveries.rules import Delivery
from services.invoice.disputes import handlers as disputes
from services.invoice.disputes.rules import Dispute
from services.invoice.documents import handlers as documents
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import Invoice
from services.invoice.originals import handlers as originals
from services.invoice.originals.rules import Original
from services.invoice.papers.rules import Paper
from services.invoice.pay_links import handlers as pay_links
from services.invoice.pay_links.handlers import PayLinks
from services.invoice.payments import handlers as payments
from services.invoice.payments.rules import Payment
from services.invoice.plans import handlers as plans
from services.invoice.plans.rules import Filled, Plan
from services.invoice.print_words.rules import Tongue, tongue
from services.invoice.printing import handlers as printing
from services.invoice.receipts import handlers as receipts
from services.invoice.receipts.rules import Receipt
from services.invoice.statements import handlers as statements
from services.invoice.statements.rules import Statement
from services.invoice.writing import rules
from services.invoice.writing.rules import Figure, Noticed, View
from shared import log
from shared.db import Tx
from shared.mail import Attachment
from shared.mail_address import one_line, subject_line

logger = log.get(__name__)

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


@dataclass(frozen=True, slots=True)
class Envelope:
    """A delivery with what goes into it, read in one transaction and written outside of any."""

    delivery: Delivery
    account: Account
    content: documents.Written | Statement | Receipt | Noticed
    pay_link: str
    original: Original | None = None
    """An invoice or credit note as it leaves, and as it left before where it is sent again."""

    @property
    def document_id(self) -> UUID | None:
        return self.delivery.credit_note_id or self.delivery.invoice_id


@dataclass(frozen=True, slots=True)
class Mail:
    subject: str
    text: str
    html: str
    files: tuple[Attachment, ...]


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
    envelope = Envelope(delivery, account, content, await pay_links.make_link(tx, links, account))
    if isinstance(content, documents.Written) and envelope.document_id:
        return replace(envelope, original=await originals.find_original(tx, envelope.document_id))
    return envelope


async def draw(envelopes: Sequence[Envelope], at: datetime) -> list[Envelope]:
    """The documents that leave for the first time, drawn to be kept. One that cannot be drawn is left as it is: it
    fails where it is written. Outside any transaction."""
    drawn: list[Envelope] = []
    known: dict[UUID, Original] = {}
    for envelope in envelopes:
        document_id = envelope.document_id
        if envelope.original is None and document_id is not None and document_id in known:
            drawn.append(replace(envelope, original=known[document_id]))
            continue
        drawn.append(await asyncio.to_thread(_drawn, envelope, at))
        if (original := drawn[-1].original) is not None:
            known[original.document_id] = original
    return drawn


def _drawn(envelope: Envelope, at: datetime) -> Envelope:
    content, document_id = envelope.content, envelope.document_id
    if not isinstance(content, documents.Written) or document_id is None or envelope.original:
        return envelope
    paper = replace(content.paper, pay_link=envelope.pay_link)
    account = envelope.account
    try:
        original = originals.draw(document_id, account.entity.id, account.customer.id, paper, at)
    except (LookupError, TypeError, ValueError, RuntimeError):
        logger.exception("document_not_drawn", delivery_id=str(envelope.delivery.id))
        return envelope
    return replace(envelope, original=original)


async def keep(tx: Tx, before: Sequence[Envelope], drawn: Sequence[Envelope]) -> None:
    """Keep what was drawn, before any of it leaves."""
    new = [now.original for then, now in zip(before, drawn, strict=True) if now.original and not then.original]
    await originals.keep(tx, new)


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


def print_letter(envelope: Envelope) -> tuple[str, bytes]:
    """The letter as PDF, and its name among others. Raises jinja2.TemplateError, typst.TypstError."""
    customer = envelope.account.customer
    t = tongue(customer.language, customer.country)
    content = envelope.content
    if isinstance(content, documents.Written):
        paper = replace(content.paper, pay_link=envelope.pay_link)
        return paper.number, envelope.original.pdf if envelope.original else printing.typeset_invoice(paper)
    if isinstance(content, Statement):
        pdf = statements.print_statement(content, envelope.pay_link)
        return f"{t.say('statement')} {customer.external_id} {content.last}", pdf
    if isinstance(content, Receipt):
        day = content.payment.received_on
        return f"{t.say('receipt')} {customer.external_id} {day}", receipts.print_receipt(content, envelope.pay_link)
    view, words = _worded(content, envelope, t)
    dated = envelope.delivery.requested_on
    page = rules.letter_view(view, words, envelope.account, dated, t)
    return f"{words['heading']} {view.number}".strip(), printing.typeset("notice", page, dated)


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
        view, words = _worded(content, envelope, t)
        return _mail(view, words, ())
    return _mail(view, _words(envelope.delivery.kind, view), files)


def _worded(noticed: Noticed, envelope: Envelope, t: Tongue) -> tuple[View, dict[str, str]]:
    """A notice with its words; the figure's label and remark are the wording's."""
    view = _of_notice(noticed, envelope, t)
    words = _words(envelope.delivery.kind, view)
    (figure,) = view.figures
    return replace(view, figures=(replace(figure, label=words["figure"], remark=words["remark"]),)), words


def _mail(view: View, words: dict[str, str], files: tuple[Attachment, ...]) -> Mail:
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
    invoice = written.invoice
    original = envelope.original or originals.draw(
        invoice.id,
        invoice.entity_id,
        invoice.customer_id,
        replace(written.paper, pay_link=envelope.pay_link),
        envelope.delivery.due_at,
    )
    paper = original.paper
    files = (Attachment(f"{_file_name(paper)}.pdf", "application/pdf", original.pdf),)
    if original.xml is not None:
        files = (*files, Attachment(f"{_file_name(paper)}.xml", "application/xml", original.xml))
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
        case Plan() as plan, filled if envelope.delivery.instalment_on:
            return _of_instalment(view, plan, filled, envelope.delivery.instalment_on, t)
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


def _of_instalment(view: View, plan: Plan, filled: Sequence[Filled], due_date: date, t: Tongue) -> View:
    part = next(each for each in filled if each.due_date == due_date)
    last = due_date + timedelta(days=plan.grace_days)
    return replace(
        view,
        number=", ".join(share.number for share in plan.shares),
        day=t.day(due_date),
        due=t.day(last) if last > due_date else "",
        figures=(Figure("", t.money(part.open_minor, plan.currency), ""),),
        rest=t.money(sum(each.open_minor for each in filled), plan.currency),
    )


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
