"""Voids: an invoice that should not have been issued is taken back whole, while nothing else has happened to it; a
credit note that should not have been is taken back, and what it credited is owed again."""

from __future__ import annotations

from collections.abc import Sequence

from services.invoice.credit_notes.rules import CreditNote
from services.invoice.disputes.rules import Dispute
from services.invoice.invoices.rules import Invoice
from shared.errors import Conflict


class NotVoidable(Conflict):
    slug = "invoice-not-voidable"
    title = "The invoice cannot be voided any more"


class CreditNoteNotVoidable(Conflict):
    slug = "credit-note-not-voidable"
    title = "The credit note cannot be voided"


def voidable_note(note: CreditNote, disputes: Sequence[Dispute]) -> CreditNote:
    """The credit note itself where it stands and is no answer to a dispute. Raises CreditNoteNotVoidable."""
    if note.voided_on:
        raise CreditNoteNotVoidable(f"credit note {note.number} was voided on {note.voided_on}")
    if any(dispute.credit_note_id == note.id for dispute in disputes):
        raise CreditNoteNotVoidable(
            f"credit note {note.number} was issued over a dispute that was accepted; what is owed after all is a new "
            "invoice"
        )
    return note


def voidable(invoice: Invoice) -> Invoice:
    """The invoice itself when nothing was paid of it or taken off it. Raises NotVoidable, saying what to do instead."""
    money = invoice.money
    if invoice.voided_on:
        raise NotVoidable(f"invoice {invoice.number} was voided on {invoice.voided_on}")
    for minor, what in (
        (invoice.allocated_minor, "paid"),
        (invoice.credited_minor, "credited"),
        (invoice.discounted_minor, "granted as discount"),
        (invoice.difference_minor, "taken off as a small difference"),
        (invoice.written_off_minor, "written off"),
    ):
        if minor:
            raise NotVoidable(f"{money(minor)} of invoice {invoice.number} were {what} already; issue a credit note")
    if invoice.charged_minor:
        raise NotVoidable(
            f"invoice {invoice.number} bears charges of {money(invoice.charged_minor)}; waive them first, then void it"
        )
    return invoice
