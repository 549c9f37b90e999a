"""Disputes: a part or the whole of an invoice that the customer contests; only that much is held back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal
from uuid import UUID

from services.invoice.invoices.rules import Invoice
from shared.errors import Conflict, NotFound, Refused
from shared.money import Money

Status = Literal["open", "rejected", "withdrawn", "paid"]
Resolution = Literal["rejected", "withdrawn"]


class DisputeNotFound(NotFound):
    slug = "dispute-not-found"
    title = "There is no such dispute"


class DisputeRefused(Refused):
    slug = "dispute-amount"
    title = "So much cannot be disputed"


class DisputeClosed(Conflict):
    slug = "dispute-closed"
    title = "The dispute is resolved already"


@dataclass(frozen=True, slots=True)
class Dispute:
    """`amount_minor` is what was contested, `held_minor` what of it is still held back from collection."""

    id: UUID
    invoice_id: UUID
    customer_id: UUID
    status: Status
    reason: str
    amount_minor: int
    held_minor: int
    opened_on: date
    resolved_on: date | None = None


def disputed_amount(invoice: Invoice, asked: Money | None) -> int:
    """What a new dispute holds back, in minor units: the amount asked, or all that is not disputed yet.

    Raises DisputeRefused.
    """
    free = invoice.collectable_minor
    if invoice.balance_minor == 0:
        raise DisputeRefused(f"nothing is owed on invoice {invoice.number} any more")
    if free == 0:
        raise DisputeRefused(f"all of invoice {invoice.number} is disputed already")
    if asked is None:
        return free
    if asked.currency != invoice.currency:
        raise DisputeRefused(
            f"invoice {invoice.number} is in {invoice.currency}, not {asked.currency}", field="/amount/currency"
        )
    if not 0 < asked.minor <= free:
        raise DisputeRefused(
            f"{asked} cannot be disputed; between nothing and {invoice.money(free)} can", field="/amount"
        )
    return asked.minor


def resolve(dispute: Dispute, outcome: Resolution, on: date) -> Dispute:
    """Close it; what it held back may be collected again. Raises DisputeClosed."""
    if dispute.status != "open":
        raise DisputeClosed(f"the dispute was {dispute.status} on {dispute.resolved_on}")
    return replace(dispute, status=outcome, held_minor=0, resolved_on=on)


def shrink(disputes: Sequence[Dispute], to_minor: int, on: date) -> list[Dispute]:
    """The disputes that change when no more than `to_minor` may be held back, the oldest giving way first.

    One that holds nothing any more has been paid, and is over.
    """
    excess = sum(dispute.held_minor for dispute in disputes) - to_minor
    changed = []
    for dispute in sorted(disputes, key=lambda each: (each.opened_on, each.id)):
        given_up = min(dispute.held_minor, max(excess, 0))
        if given_up:
            excess -= given_up
            held = dispute.held_minor - given_up
            paid = held == 0
            changed.append(
                replace(
                    dispute,
                    held_minor=held,
                    status="paid" if paid else "open",
                    resolved_on=on if paid else None,
                )
            )
    return changed
