"""The navigation of the pages for credit controllers, what they say after something was done, and what was written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from services.credit.terms.rules import Terms
from services.credit.vetting.rules import Particulars
from shared.errors import Conflict, Refused
from shared.money import Money
from shared.words import amount, money_words, words

TEMPLATES = Path(__file__).parent / "templates"
"""What several pages draw the same way."""

SECTION = "Credit"
LINKS = (
    ("/", "Work list", "w"),
    ("/customers", "Customers", "c"),
    ("/applications", "Applications", "a"),
    ("/reviews", "Reviews", "r"),
    ("/portfolio", "Portfolio", "p"),
    ("/policy", "Policy", "y"),
    ("/scorecards", "Scorecards", "s"),
    ("/segmentation", "Segments", "g"),
)
"""Address, label and access key, in the order in which they stand."""

SAID: Mapping[str, str] = {
    "held": "The hold is in force; everybody who asks is told so.",
    "released": "The hold is released.",
    "asked": "Asked for. Where others have to approve it, it waits on their work list; else it holds from now on.",
    "assessed": "Assessed by all that is known today.",
    "review": "The review is in the queue.",
    "approved": "Approved by you. With the last approval that it takes, it is in force.",
    "refused": "Refused, with your reason; who asked can read it.",
    "passed": "The order passes, and is reserved until the day you said.",
    "blocked": "The order stays refused.",
    "assigned": "Said whose it is.",
    "reviewed": "The review is done; the next one is due by the policy.",
    "begun": "The application is begun; open it to mail the company its link.",
    "published": "Published: from now on it is gone by.",
    "segmented": "Published: unless it says active: false, customers go where it says within moments.",
    "switched_off": "Switched off: every customer stays in the segment it is in.",
    "seller": "From now on it is written to in the name of that entity.",
    "learned": "Taken in: it counts until the day it bears.",
    "imported": "The file was taken in already.",
    "merged": "Merged: what was known of the other is known of this one now.",
    "signed": "Signed: the figures are kept as they are now, with what you concluded.",
    "linked": "A link was made.",
    "mailed": "The mail to the company is on its way.",
    "stepped": "Done.",
    "proposed": "Proposed. Where others have to approve it, it waits on their work list.",
    "ended": "The application is over.",
    "accepted": "Accepted: the company is a customer now, and is welcomed by mail.",
}
"""What a page says after something was done, by the word in its address: nothing else in an address is repeated."""


KINDS: Mapping[str, str] = {
    "limit": "A limit",
    "temporary": "A raise until a day",
    "seasonal": "A raise each season",
    "guarantee": "A guarantee counts",
    "deposit": "A deposit counts",
    "insurance": "Credit insurance counts",
    "group_limit": "A limit for the group",
}
"""What can be asked for, as forms and lists say it."""


class AmountUnreadable(Refused):
    slug = "amount-unreadable"
    title = "The amount cannot be read"


class WordMissing(Refused):
    slug = "word-missing"
    title = "Something was left empty"


class NothingChanged(Conflict):
    slug = "nothing-changed"
    title = "There is nothing to publish"


def clean(typed: str) -> str:
    """As a browser sends a text area, with lines as files have them."""
    return typed.replace("\r\n", "\n")


def said(text: str, field: str) -> str:
    """What was written into a field. Raises WordMissing when that is nothing."""
    if not text.strip():
        raise WordMissing(f"Write something under “{field}” first.")
    return text.strip()


def money_said(text: str, currency: str, field: str) -> Money:
    """An amount as it was written into a field. Raises AmountUnreadable, WordMissing."""
    try:
        return Money.parse(said(text, field).replace(",", ""), currency)
    except ValueError as error:
        raise AmountUnreadable(f"{field}: {error}") from None


def end_of(day: date) -> datetime:
    """The first moment at which a business day is over."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def share(part: int | Decimal, whole: int | Decimal) -> float:
    """In percent, for widths; what is negative has none."""
    return round(float(min(max(part, 0) * 100 / whole, 100)), 1) if whole > 0 else 0.0


def percent(value: Any) -> str:
    """A fraction: 0.0125 reads 1.25 %."""
    return f"{float(value) * 100:.2f}".rstrip("0").rstrip(".") + " %"


def terms(agreed: Terms) -> str:
    """Days, prepayment and deposit in a line."""
    days = "1 day" if agreed.net_days == 1 else f"{agreed.net_days} days"
    prepaid = f", {agreed.prepaid_percent} % in advance" if agreed.prepaid_percent else ""
    deposit = f", a deposit of {money_words(agreed.deposit)}" if agreed.deposit else ""
    return f"{days}{prepaid}{deposit}"


def particulars(told_by: Particulars) -> str:
    """What an input says, field by field."""
    told: list[str] = []
    for name in type(told_by).model_fields:
        value: Any = getattr(told_by, name)
        if name != "kind" and value is not None:
            shown = amount(value.minor, value.currency) if isinstance(value, Money) else str(value)
            told.append(f"{words(name).lower()} {shown}")
    return ", ".join(told)
