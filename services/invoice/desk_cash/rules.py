"""Which bank entries a page shows."""

from __future__ import annotations

from typing import cast

from services.invoice.matching.rules import Status as CashStatus

CASH_FILTERS: tuple[tuple[CashStatus, str], ...] = (
    ("open", "To decide"),
    ("automatic", "Applied by itself"),
    ("confirmed", "Confirmed"),
    ("not_ours", "Not ours"),
)


def cash_status(text: str) -> CashStatus:
    """Which entries an address asks for; those to decide where it does not say."""
    return cast("CashStatus", text) if text in dict(CASH_FILTERS) else "open"
