"""Which bank entries a page shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast
from uuid import UUID

from services.invoice.cash_application.rules import Wanted
from services.invoice.desk_words.rules import money_said
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


def parts_said(form: Mapping[str, str], currency: str) -> tuple[Wanted, ...]:
    """What a form says is paid of which invoice: `pays-{id}` with an amount. Raises AmountUnreadable."""
    parts: list[Wanted] = []
    for name, text in form.items():
        if name.startswith("pays-") and (money := money_said(text, currency, "Amount")):
            parts.append(Wanted(UUID(name.removeprefix("pays-")), None, money))
    return tuple(parts)
