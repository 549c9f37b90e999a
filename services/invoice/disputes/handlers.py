"""Disputes: opened, resolved, and shrunk by payments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.invoice.disputes import rules, store
from services.invoice.disputes.rules import Dispute, DisputeNotFound, Resolution
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import Invoice, Outcome, hold_back, release
from shared import outbox
from shared.db import Tx
from shared.ids import new_id
from shared.money import Money


@dataclass(frozen=True, slots=True)
class OpenDispute:
    invoice_id: UUID
    reason: str
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class ResolveDispute:
    invoice_id: UUID
    dispute_id: UUID
    outcome: Resolution


async def open_dispute(tx: Tx, command: OpenDispute) -> tuple[Dispute, Invoice]:
    """Hold back a part or the whole of what is owed. Raises InvoiceNotFound, DisputeRefused."""
    account, invoice = await invoices.lock_invoice(tx, command.invoice_id)
    today = account.entity.today(tx.now)
    amount = rules.disputed_amount(invoice, command.amount)
    dispute = Dispute(
        id=new_id(),
        invoice_id=invoice.id,
        customer_id=invoice.customer_id,
        status="open",
        reason=command.reason,
        amount_minor=amount,
        held_minor=amount,
        opened_on=today,
    )
    outcome = hold_back(invoice, amount, dispute_id=dispute.id, reason=dispute.reason, on=today)

    await store.insert(tx, dispute)
    await invoices.save(tx, account.entity, [outcome.invoice])
    await outbox.append(tx, *outcome.events)
    return dispute, outcome.invoice


async def resolve_dispute(tx: Tx, command: ResolveDispute) -> tuple[Dispute, Invoice]:
    """End a dispute in the seller's favour: collection goes on. Raises InvoiceNotFound, DisputeNotFound,
    DisputeClosed."""
    account, invoice = await invoices.lock_invoice(tx, command.invoice_id)
    today = account.entity.today(tx.now)
    dispute = await store.find(tx, command.dispute_id)
    if dispute is None or dispute.invoice_id != invoice.id:
        raise DisputeNotFound(f"invoice {invoice.number} has no dispute {command.dispute_id}")
    resolved = rules.resolve(dispute, command.outcome, today)
    outcome = release(
        invoice,
        dispute.held_minor,
        amount=invoice.money(dispute.held_minor),
        dispute_id=dispute.id,
        outcome=command.outcome,
        on=today,
    )

    await store.save(tx, [resolved])
    await invoices.save(tx, account.entity, [outcome.invoice])
    await outbox.append(tx, *outcome.events)
    return resolved, outcome.invoice


async def shrink_disputes(tx: Tx, paid: Sequence[tuple[Invoice, Outcome]], on: date) -> list[Outcome]:
    """What becomes of invoices a payment moved: their disputes hold back at most what is still owed.

    Takes each invoice as it was with what the payment made of it, and returns the latter, gone on where a dispute
    was paid in full and so ended; the caller saves and publishes.
    """
    touched = [after.invoice.id for before, after in paid if after.invoice.disputed_minor < before.disputed_minor]
    if not touched:
        return [after for _, after in paid]
    disputes: dict[UUID, list[Dispute]] = defaultdict(list)
    for dispute in await store.open_of(tx, touched):
        disputes[dispute.invoice_id].append(dispute)

    outcomes: list[Outcome] = []
    changed: list[Dispute] = []
    for _, after in paid:
        held = {dispute.id: dispute.held_minor for dispute in disputes[after.invoice.id]}
        shrunk = rules.shrink(disputes[after.invoice.id], after.invoice.disputed_minor, on)
        changed += shrunk
        outcomes.append(_end_paid(after, shrunk, held, on))
    await store.save(tx, changed)
    return outcomes


def _end_paid(outcome: Outcome, shrunk: Sequence[Dispute], held: dict[UUID, int], on: date) -> Outcome:
    for dispute in shrunk:
        if dispute.status == "paid":
            amount = outcome.invoice.money(held[dispute.id])
            ended = release(outcome.invoice, 0, amount=amount, dispute_id=dispute.id, outcome="paid", on=on)
            outcome = Outcome(ended.invoice, outcome.events + ended.events)
    return outcome


async def list_disputes(tx: Tx, invoice_id: UUID, after: UUID | None, limit: int) -> tuple[Invoice, list[Dispute]]:
    """Raises InvoiceNotFound."""
    invoice = await invoices.get_invoice(tx, invoice_id)
    return invoice, await store.page(tx, invoice_id, after, limit)
