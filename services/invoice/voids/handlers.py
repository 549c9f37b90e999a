"""Voids: the number stays used, the claim is gone."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.invoice.credit_notes.rules import entries
from services.invoice.disputes import handlers as disputes
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import Adjustment, Document, void
from services.invoice.voids import rules
from shared.db import Tx
from shared.ids import new_id


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
