"""Words for figures, days and identifiers, and the line that an event becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from shared.money import Money, format_minor

Kind = Literal["customer", "credit", "invoice", "dispute", "payment", "overdue", "reminder", "case", "task", "other"]

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a timeline; `amount` is signed where the event moved a balance."""

    kind: Kind
    title: str
    detail: str = ""
    amount: Money | None = None


def amount(wire: Data) -> Money:
    return Money.parse(wire["amount"], wire["currency"])


def money(wire: Data) -> str:
    read = amount(wire)
    return f"{format_minor(read.minor, read.currency)} {read.currency}"


def day(text: str) -> str:
    """30 Jun 2013."""
    on = date.fromisoformat(text)
    return f"{on.day} {on:%b %Y}"


def days(n: int) -> str:
    return "1 day" if n == 1 else f"{n} days"


def words(name: str | None) -> str:
    """Identifiers as words: `final_notice` is "final notice"."""
    return (name or "").replace("_", " ").replace("-", " ")


def joined(*parts: str | None) -> str:
    return " · ".join(part for part in parts if part)
