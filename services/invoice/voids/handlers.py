"""Voids: the number stays used, and the claim, or what was taken off it, is gone."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.invoice.credit_notes import handlers as credit_notes
from services.invoice.credit_notes.rules import Written, entries
from services.invoice.disputes import handlers as disputes
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import Adjustment, Document, Invoice
from services.invoice.movements.rules import restore, void
from services.invoice.voids import rules
from shared.db import Tx
from shared.ids import new_id

DISPUTES_MAX = 500


@dataclass(frozen=True, slots=True)
class VoidInvoice:
    invoice_id: UUID
    reason: str


async def void_invoice(tx: Tx, command: VoidInvoice) -> Document:
    """Take an invoice back whole, with effect from today. Raises InvoiceNotFound, NotVoidable."""
    account, invoice = await invoices.lock_invoice(tx, command.invoice_id)
    rules.voidable(invoice)
    today = account.entity.today(tx.now)
    adjustment = Adjustment(
        id=new_id(),
        invoice_id=invoice.id,
        component="credit_note",
        amount_minor=invoice.balance_minor,
        effective_on=today,
        booked_on=today,
        reason=command.reason,
        source_id=new_id(),
    )
    [outcome] = await disputes.shrink_disputes(tx, [(invoice, void(invoice, adjustment))], today)
    booked = entries(invoice, adjustment, net_minor=invoice.net_minor, tax_minor=invoice.tax_minor, kind="void")
    await invoices.adjust(tx, account, [(adjustment, outcome)], booked)
    return await invoices.get_document(tx, invoice.id)


@dataclass(frozen=True, slots=True)
class VoidCreditNote:
    credit_note_id: UUID
    reason: str


async def void_credit_note(tx: Tx, command: VoidCreditNote) -> tuple[Written, Invoice]:
    """Take a credit note back: what it credited is owed again from today, with its journal entries the other way round.
    Money that it set free stays unapplied cash.

    Raises CreditNoteNotFound, CreditNoteNotVoidable.
    """
    seen = await credit_notes.get_credit_note(tx, command.credit_note_id)
    account, invoice = await invoices.lock_invoice(tx, seen.note.invoice_id)
    note = (await credit_notes.get_credit_note(tx, seen.note.id)).note
    contested = await disputes.list_disputes(tx, after=None, limit=DISPUTES_MAX, invoice_id=invoice.id)
    rules.voidable_note(note, [dispute for dispute, _ in contested])
    today = account.entity.today(tx.now)
    moved = []
    for adjustment in await invoices.adjustments_from(tx, note.id):
        outcome = restore(invoice, adjustment, on=today)
        moved.append((adjustment, outcome))
        invoice = outcome.invoice
    assert len(moved) == 1, "a credit note takes one amount off its invoice"
    await invoices.restore(tx, account, moved, on=today, booked_on=today)
    await credit_notes.void_credit_note(tx, note.id, today, command.reason)
    return await credit_notes.get_credit_note(tx, note.id), invoice
