"""The navigation of the pages for finance staff, what they say after something was done, and their addresses."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from shared.errors import Refused
from shared.money import Money
from shared.words import amount

SECTION = "Invoicing"
LINKS = (
    ("/", "Overview", "o"),
    ("/invoices", "Invoices", "i"),
    ("/drafts", "Drafts", "d"),
    ("/recurring", "Recurring", "c"),
    ("/matching", "Matching", "m", "payments:read"),
    ("/disputes", "Disputes", "p"),
    ("/approvals", "Approvals", "a"),
    ("/deliveries", "Deliveries", "l"),
    ("/imports", "Imports", "t"),
    ("/reconciliations", "Reconciliation", "r"),
)
SAID = {
    "issued": "The invoice is issued.",
    "dropped": "The draft is gone. It had no number, so none is missing.",
    "resolved": "The dispute is resolved.",
    "disputed": "The dispute is recorded; what it contests is not chased.",
    "assigned": "The dispute is assigned.",
    "kept": "The draft is changed.",
    "released": "The period is invoiced.",
    "left_out": "The period will never be invoiced.",
    "written": "Your message is in the dispute's thread.",
    "confirmed": "The payment is booked where you said.",
    "rejected": "The entry is marked as not ours; nothing was booked.",
    "reopened": "The entry waits for a decision again.",
    "looked": "The entry was looked at anew.",
    "approved": "Approved: what was asked for has happened.",
    "declined": "Rejected: nothing was changed.",
    "sent": "The invoice is on its way again.",
    "credited": "The credit note is issued.",
    "unapplied": "The payment is taken off the invoice; its money is unapplied cash again.",
    "voided": "The invoice is void; its number stays used.",
    "written_off": "The amount is written off.",
    "asked": "A second person has to approve the write-off; it waits under Approvals.",
    "compared": "The books were compared just now.",
}
"""What a page says after something was done, by the word in its address: nothing else in an address is repeated."""


class AmountUnreadable(Refused):
    slug = "amount-unreadable"
    title = "The amount cannot be read"


class WordMissing(Refused):
    slug = "word-missing"
    title = "Something was left empty"


def said(text: str, field: str) -> str:
    """What was written into a field. Raises WordMissing when that is nothing."""
    if not text.strip():
        raise WordMissing(f"write something under “{field}” first")
    return text.strip()


def money_said(text: str, currency: str, field: str) -> Money | None:
    """An amount as it was written into a field, None for nothing. Raises AmountUnreadable."""
    if not text.strip():
        return None
    try:
        return Money.parse(text.strip(), currency)
    except ValueError as error:
        raise AmountUnreadable(f"{field}: {error}") from None


def price(value: Any) -> str:
    """A price of a line, which may be finer than its currency."""
    return amount(value.minor, value.currency) if isinstance(value, Money) else str(value)


def share(part: int, whole: int) -> float:
    """In percent, for widths and progress."""
    return round(part * 100 / whole, 1) if whole else 0.0


def read_cursor(text: str) -> UUID | None:
    """Where a list goes on; what cannot be read counts as left out."""
    try:
        return UUID(text)
    except ValueError:
        return None
