"""What an accepted dispute is credited by: its lines, where they come to what was accepted, else an amount."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from services.invoice.credit_notes.rules import Credit, CreditRefused, LineAsked, by_lines
from services.invoice.disputes.rules import Dispute
from services.invoice.invoices.rules import Document

Outcome = Literal["accepted", "rejected", "withdrawn"]
REASON_CHARACTERS_MAX = 200


def whole_lines(
    document: Document, earlier: Sequence[Credit], positions: Sequence[int], accepted_minor: int
) -> tuple[LineAsked, ...]:
    """The lines to be credited whole, when that comes to exactly what was accepted; else none."""
    asked = tuple(LineAsked(position) for position in positions)
    try:
        credit = by_lines(document, earlier, asked)
    except CreditRefused:  # Credited in part before: the amount is what counts then.
        return ()
    return asked if credit.total_minor == accepted_minor else ()


def reason(dispute: Dispute) -> str:
    """What the credit note says it is for: the seller's note, else what the customer said."""
    return (dispute.resolution_note or dispute.reason)[:REASON_CHARACTERS_MAX]
