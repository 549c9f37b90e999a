"""Credit notes: issued under a gapless number, with room made for them where the invoice was paid already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.invoice.credit_notes import rules, store
from services.invoice.credit_notes.rules import (
    Credit,
    CreditNote,
    CreditNoteNotFound,
    LineAsked,
    NothingToCredit,
    Written,
)
from services.invoice.customers.rules import Account
from services.invoice.deliveries import handlers as deliveries
from services.invoice.disputes import handlers as disputes
from services.invoice.entities import handlers as entities
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import Adjustment, Document, Invoice
from services.invoice.movements.rules import effective_date, restore, take_off
from services.invoice.payments import handlers as payments
from services.invoice.write_offs import handlers as write_offs
from shared.db import Tx
from shared.ids import new_id
from shared.money import Money


@dataclass(frozen=True, slots=True)
class IssueCreditNote:
    """By lines, by an amount, or, without either, all that is left of the invoice."""

    invoice_id: UUID
    reason: str
    amount: Money | None = None
    lines: tuple[LineAsked, ...] = ()
    issue_date: date | None = None


async def issue_credit_note(tx: Tx, command: IssueCreditNote) -> tuple[Written, Invoice]:
    """Take back a part or the whole of an invoice: number, lines, taxes, journal and events are one fact.

    Where less is owed than is credited, what was written off comes back first; then money that paid the invoice becomes
    unapplied cash of its payments again, the newest first. Where even that is too little, discounts and small
    differences granted on the invoice fall away before the money does. The rest of the invoice stays paid.

    Raises InvoiceNotFound, NothingToCredit, CreditRefused.
    """
    account, invoice = await invoices.lock_invoice(tx, command.invoice_id)
    if invoice.voided_on:
        raise NothingToCredit(f"invoice {invoice.number} was voided on {invoice.voided_on}")
    today = account.entity.today(tx.now)
    dated = rules.issue_date(command.issue_date, invoice, today)
    document = await invoices.get_document(tx, invoice.id)
    earlier = await store.credits_of(tx, await store.notes_of(tx, invoice.id))
    credit = _credit(command, document, list(earlier.values()))

    paid_before = invoice.allocated_minor
    invoice = await _make_room(tx, account, invoice, credit.total_minor, today)
    [number] = await entities.take_numbers(tx, invoice.entity_id, 1, "credit_note")
    note = CreditNote(
        id=new_id(),
        entity_id=invoice.entity_id,
        customer_id=invoice.customer_id,
        invoice_id=invoice.id,
        number=number,
        currency=invoice.currency,
        issue_date=dated,
        effective_on=effective_date(invoice, account.entity.open_day(dated)),
        reason=command.reason,
        net_minor=credit.net_minor,
        tax_minor=credit.tax_minor,
        total_minor=credit.total_minor,
        unapplied_minor=paid_before - invoice.allocated_minor,
        issued_at=tx.now,
    )
    await store.insert(tx, note, credit)
    invoice = await _take_off(tx, account, invoice, note, today)
    await deliveries.credit_note_issued(tx, account.entity, account.customer, note.id, invoice.id)
    return Written(note, credit, invoice.number, invoice.issue_date), invoice


def _credit(command: IssueCreditNote, document: Document, earlier: list[Credit]) -> Credit:
    if command.lines:
        return rules.by_lines(document, earlier, command.lines)
    if command.amount:
        return rules.by_amount(document, earlier, command.amount, command.reason)
    return rules.whole(document, earlier, command.reason)


async def _take_off(tx: Tx, account: Account, invoice: Invoice, note: CreditNote, today: date) -> Invoice:
    adjustment = Adjustment(
        id=new_id(),
        invoice_id=invoice.id,
        component="credit_note",
        amount_minor=note.total_minor,
        effective_on=note.effective_on,
        booked_on=today,
        reason=note.reason,
        source_id=note.id,
        source_number=note.number,
    )
    [outcome] = await disputes.shrink_disputes(
        tx, [(invoice, take_off(invoice, adjustment))], today, credit_note=(note.id, note.total_minor)
    )
    entries = rules.entries(invoice, adjustment, net_minor=note.net_minor, tax_minor=note.tax_minor, kind="credit_note")
    await invoices.adjust(tx, account, [(adjustment, outcome)], entries)
    return outcome.invoice


async def _make_room(tx: Tx, account: Account, invoice: Invoice, total_minor: int, today: date) -> Invoice:
    """The invoice when it owes at least what is to be credited."""
    missing = total_minor - invoice.balance_minor
    if missing > 0 and invoice.written_off_minor:
        back = min(missing, invoice.written_off_minor)
        invoice = await write_offs.take_back_write_offs(tx, account, invoice, back)
    missing = total_minor - invoice.balance_minor - invoice.allocated_minor
    if missing > 0:
        granted = [
            each
            for each in await invoices.adjustments_of(tx, [invoice.id])
            if each.component in ("discount", "small_difference") and each.reversed_on is None
        ]
        for adjustment in rules.to_restore(granted, missing):
            outcome = restore(invoice, adjustment, on=today)
            await invoices.restore(tx, account, [(adjustment, outcome)], on=today, booked_on=today)
            invoice = outcome.invoice
    missing = total_minor - invoice.balance_minor
    if missing > 0:
        invoice = await payments.take_back_allocations(tx, account, invoice, missing, today)
    return invoice


async def get_credit_note(tx: Tx, note_id: UUID) -> Written:
    """A credit note as it was written, with its lines and taxes. Raises CreditNoteNotFound."""
    found = await store.find(tx, note_id)
    if found is None:
        raise CreditNoteNotFound(f"there is no credit note {note_id}")
    note, invoice_number, invoice_date = found
    credits = await store.credits_of(tx, [note_id])
    return Written(note, credits[note_id], invoice_number, invoice_date)


async def void_credit_note(tx: Tx, note_id: UUID, on: date, reason: str) -> None:
    """Note that a credit note does not count any more; what it took off is the caller's to restore."""
    await store.void(tx, note_id, on, reason)


async def list_credit_notes(
    tx: Tx, *, after: UUID | None, invoice_id: UUID | None, customer_id: UUID | None, number: str | None, limit: int
) -> list[CreditNote]:
    """In the order of their issue."""
    return await store.page(tx, after, invoice_id, customer_id, number, limit)
