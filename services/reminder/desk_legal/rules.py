"""What the pages of courts and limitation show, and what they say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, get_args

from services.reminder.legal.rules import Interruption, Kind, Limitation, Proceeding
from shared.errors import Refused
from shared.money import Money

KINDS: tuple[Kind, ...] = get_args(Kind)
INTERRUPTIONS: tuple[Interruption, ...] = get_args(Interruption)

SAID = {
    "opened": "It is kept. Nothing is sent to the customer until it is closed.",
    "changed": "Changed.",
    "closed": "Closed: collection goes on.",
    "interrupted": "Kept: the claim lapses later now.",
}
"""What a page says after something was done, by the word in its address."""


class FieldUnreadable(Refused):
    slug = "field-unreadable"
    title = "Something cannot be read"


@dataclass(frozen=True, slots=True)
class ProceedingRow:
    proceeding: Proceeding
    customer: str


@dataclass(frozen=True, slots=True)
class LimitationRow:
    """`is_near`: somebody has been warned of it, or it has lapsed."""

    limitation: Limitation
    owed: Money
    customer: str
    days_left: int
    is_near: bool


def limitation_row(limitation: Limitation, owed: Money, customer: str, today: date) -> LimitationRow:
    days = (limitation.lapses_on - today).days
    return LimitationRow(limitation, owed, customer, days, limitation.warned_on is not None or days < 0)


def left(days: int) -> str:
    """`lapsed`, `last day today`, `41 days left`"""
    if days < 0:
        return "lapsed"
    return f"{days} day{'s' if days != 1 else ''} left" if days else "last day today"


def read_claim(amount: str, currency: str) -> Money | None:
    """What is sought, None for an empty field. Raises FieldUnreadable."""
    if not amount.strip():
        return None
    try:
        return Money.parse(str(Decimal(amount.strip().replace(" ", ""))), currency.strip().upper())
    except (InvalidOperation, ValueError):
        raise FieldUnreadable(f"{amount!r} {currency} is no amount: write it like 1250.00 and EUR") from None


def changes(file_number: str, claim_filed_on: date | None, file_claim_by: date | None) -> dict[str, Any]:
    """What somebody filled in; a field left empty changes nothing."""
    filled = {
        "file_number": file_number.strip(),
        "claim_filed_on": claim_filed_on,
        "file_claim_by": file_claim_by,
    }
    return {name: value for name, value in filled.items() if value}
