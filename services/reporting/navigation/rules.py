"""What the pages of this service share: their links, their filters in the address, and how figures read on them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from babel.numbers import format_decimal

from services.reporting.charts.rules import percent, stacked
from shared.calendar import add_months, month_end
from shared.money import Money, exponent
from shared.words import amount

SECTION = "Receivables"
LINKS = (
    ("/", "Receivables", "r"),
    ("/collections", "Collections", "c"),
    ("/patterns", "Patterns", "p"),
    ("/accounts", "My accounts", "a"),
)
"""Address, label and access key, in the order in which they stand."""
TEMPLATES = Path(__file__).parent / "templates"

WHOLE_FROM = 1_000
"""From this many currency units on, a page leaves the decimals away; the exact amount is in the tooltip."""
WINDOWS = (30, 90, 365)
"""How many days a page may look back."""


def read_day(text: str | None, today: date) -> date:
    """The day of the page's address; today where it holds none that can be read."""
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return today
    return day if date(1970, 1, 2) <= day <= date(2999, 12, 31) else today


def read_window(text: str | None) -> int:
    return next((days for days in WINDOWS if str(days) == text), 90)


def month_end_before(day: date) -> date:
    return month_end(add_months(day, -1))


def month_end_after(day: date) -> date:
    return month_end(day) if day != month_end(day) else month_end(day + timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Address:
    """A page's address with its filters; `on` is the day shown, and `is_live` whether the page follows today."""

    path: str
    on: date
    today: date
    is_live: bool
    kept: tuple[tuple[str, str], ...] = ()

    def link(self, path: str | None = None, **changed: Any) -> str:
        """The address with some filters changed; None leaves one out."""
        query: dict[str, Any] = dict(self.kept) if path is None else {}
        if not self.is_live:
            query["as_of"] = self.on.isoformat()
        query = {name: value for name, value in {**query, **changed}.items() if value is not None}
        return f"{path or self.path}?{urlencode(query)}" if query else path or self.path

    @property
    def earlier(self) -> date:
        return month_end_before(self.on)

    @property
    def later(self) -> date | None:
        return min(month_end_after(self.on), self.today) if self.on < self.today else None


def address(path: str, as_of: str | None, today: date, **kept: str | None) -> Address:
    """`kept` are the other filters that stay when one of them changes."""
    on = read_day(as_of, today)
    held = tuple((name, value) for name, value in kept.items() if value)
    return Address(path, on, today, not as_of or on == today, held)


def figure(value: Decimal | float | None, places: int = 1) -> str:
    """A figure for people: 1,234.5; a dash for none."""
    if value is None:
        return "–"
    shown = format_decimal(value, format="#,##0" + ("." + "0" * places if places else ""), locale="en")
    return shown.replace("-", "−")


def whole_amount(minor: int, currency: str) -> str:
    """€1,234,567, and €1,234.50 where it is small."""
    return amount(minor, currency, whole=shows_whole(minor, currency))


def shows_whole(minor: int, currency: str) -> bool:
    return minor == 0 or abs(minor) >= WHOLE_FROM * 10 ** exponent(currency)


def money_amount(money: Money | None) -> str:
    return amount(money.minor, money.currency) if money else ""


FILTERS = {"figure": figure}
VALUES = {
    "whole_amount": whole_amount,
    "money_amount": money_amount,
    "stacked": stacked,
    "percent": percent,
    "windows": WINDOWS,
}
