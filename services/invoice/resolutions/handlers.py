"""How disputes end: rejected or withdrawn, and collected again; or accepted, with the credit note over it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.invoice.credit_notes import handlers as credit_notes
from services.invoice.credit_notes.handlers import IssueCreditNote
from services.invoice.credit_notes.rules import Credit, LineAsked
from services.invoice.disputes import handlers as disputes
from services.invoice.disputes.handlers import ResolveDispute
from services.invoice.disputes.rules import Dispute
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import Invoice
from services.invoice.resolutions import rules
from services.invoice.resolutions.rules import Outcome
from shared.db import Tx
from shared.money import Money

NOTES_MAX = 500


@dataclass(frozen=True, slots=True)
class EndDispute:
    """`amount` is what is accepted, all that is still held when left out. Days left out are the policy's."""

    invoice_id: UUID
    dispute_id: UUID
    outcome: Outcome
    amount: Money | None = None
    note: str | None = None
    fresh_days: int | None = None


async def end_dispute(tx: Tx, command: EndDispute) -> tuple[Dispute, Invoice]:
    """Decide a dispute: collection goes on, or what is accepted is credited and the rest collected.

    Raises InvoiceNotFound, DisputeNotFound, DisputeClosed, DisputeRefused, and what a credit note may raise.
    """
    if command.outcome != "accepted":
        return await disputes.resolve_dispute(
            tx,
            ResolveDispute(command.invoice_id, command.dispute_id, command.outcome, command.note, command.fresh_days),
        )
    before = (await disputes.get_dispute(tx, command.dispute_id)).dispute
    accepted, invoice = await disputes.accept_dispute(
        tx, command.invoice_id, command.dispute_id, command.amount, command.note, command.fresh_days
    )
    assert accepted.accepted_minor is not None
    lines = await _lines(tx, before, accepted)
    written, invoice = await credit_notes.issue_credit_note(
        tx,
        IssueCreditNote(
            invoice_id=invoice.id,
            reason=rules.reason(accepted),
            amount=None if lines else invoice.money(accepted.accepted_minor),
            lines=lines,
        ),
    )
    return await disputes.credited(tx, accepted, written.note.id), invoice


async def _lines(tx: Tx, before: Dispute, accepted: Dispute) -> tuple[LineAsked, ...]:
    """The disputed lines, where crediting them whole comes to what was accepted: their taxes are then those credited.
    None where it does not, such as after a part payment; the amount is credited over all taxes then."""
    if not before.lines or accepted.accepted_minor is None:
        return ()
    document = await invoices.get_document(tx, accepted.invoice_id)
    notes = await credit_notes.list_credit_notes(
        tx, after=None, invoice_id=accepted.invoice_id, customer_id=None, number=None, limit=NOTES_MAX
    )
    earlier: list[Credit] = [(await credit_notes.get_credit_note(tx, note.id)).credit for note in notes]
    return rules.whole_lines(document, earlier, before.lines, accepted.accepted_minor)
