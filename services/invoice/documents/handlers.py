"""A stored invoice as a paper: what it says, who says it, and to whom."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.invoice.credit_notes import handlers as credit_notes
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Account
from services.invoice.documents import rules
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import Invoice
from services.invoice.papers.rules import Paper
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Written:
    """A paper beside the invoice it is of, and the account that is on."""

    paper: Paper
    invoice: Invoice
    account: Account


async def get_paper(tx: Tx, invoice_id: UUID, language: str | None = None) -> Written:
    """The invoice as it was issued; what was paid since is no part of it. Raises InvoiceNotFound."""
    document = await invoices.get_document(tx, invoice_id)
    invoice = document.invoice
    account = await customers.find_account(tx, CustomerRef(invoice.customer_id), invoice.entity_id)
    if account is None:
        raise LookupError(f"invoice {invoice_id} is of a customer that is not here")
    return Written(rules.paper_of(document, account, language), invoice, account)


async def get_credit_note_paper(tx: Tx, note_id: UUID, language: str | None = None) -> Written:
    """The credit note as it was issued, beside the invoice it takes back. Raises CreditNoteNotFound."""
    written = await credit_notes.get_credit_note(tx, note_id)
    note = written.note
    document = await invoices.get_document(tx, note.invoice_id)
    account = await customers.find_account(tx, CustomerRef(note.customer_id), note.entity_id)
    if account is None:
        raise LookupError(f"credit note {note_id} is of a customer that is not here")
    return Written(rules.credit_note_paper(written, document, account, language), document.invoice, account)
