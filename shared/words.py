"""How days, moments, amounts and identifiers read on the pages for staff, in English."""

from __future__ import annotations

import re
from datetime import date, datetime

from babel.numbers import format_currency, format_decimal, get_currency_symbol

from shared.money import Money

_AMOUNT = re.compile(r"(?<![\w.,:-])(-?\d+(?:\.\d+)?) ([A-Z]{3})\b", re.ASCII)


def day_words(day: date | datetime | None) -> str:
    """30 Jun 2013; a dash for none."""
    return f"{day.day} {day:%b %Y}" if day else "–"


def moment_words(moment: datetime | None) -> str:
    """30 Jun 2013, 08:15 UTC."""
    return f"{day_words(moment)}, {moment:%H:%M} UTC" if moment else "–"


def amount(minor: int, currency: str, *, whole: bool = False) -> str:
    """€1,234.50, or €1,235; the code in place of a symbol that is not widely read."""
    symbol = "¤\xa0" if get_currency_symbol(currency, locale="en")[-1:].isalpha() else "¤"
    pattern = f"{symbol}#,##0" if whole else f"{symbol}#,##0.00"
    shown = format_currency(Money(minor, currency).decimal, currency, pattern, locale="en", currency_digits=not whole)
    return shown.replace("-", "−")


def money_words(money: Money) -> str:
    return amount(money.minor, money.currency)


def amounts_in(sentence: str) -> str:
    """A sentence that the API gives too, with its amounts as pages show them: `1234.50 EUR` reads "€1,234.50"."""
    return _AMOUNT.sub(_shown, sentence)


def _shown(found: re.Match[str]) -> str:
    try:
        return money_words(Money.parse(found[1], found[2]))
    except ValueError:
        return found[0]  # 14:00 UTC


def number(value: float) -> str:
    """1,234.5: at most two decimals."""
    return format_decimal(value, format="#,##0.##", locale="en")


def words(name: str | None) -> str:
    """An identifier for people: `partly_paid` reads "Partly paid"."""
    text = (name or "–").replace("_", " ").replace("-", " ").strip()
    return text[:1].upper() + text[1:]


def days_late(days: int) -> str:
    if days <= 0:
        return "due today" if days == 0 else f"due in {-days} day{'s' if days < -1 else ''}"
    return f"{days} day{'s' if days > 1 else ''} late"
