"""The languages that customers are written to in, and how each writes days, amounts and shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

from shared.money import Money

LANGUAGES = ("en", "de", "fr", "es")
Words = Mapping[str, tuple[str, str, str, str]]
"""What is said by its key, in the order of LANGUAGES."""


@dataclass(frozen=True, slots=True)
class Tongue:
    language: str
    locale: Locale

    def say(self, words: Words, key: str, **parts: object) -> str:
        return words[key][LANGUAGES.index(self.language)].format(**parts)

    def day(self, day: date) -> str:
        return format_date(day, "long", locale=self.locale)

    def money(self, amount: Money) -> str:
        return format_currency(amount.decimal, amount.currency, locale=self.locale, currency_digits=True)

    def percent(self, value: Decimal | int) -> str:
        blank = "" if self.language == "en" else "\xa0"
        return f"{format_decimal(Decimal(value), format='#,##0.####', locale=self.locale)}{blank}%"


@cache
def tongue(language: str, country: str | None = None) -> Tongue:
    """The language where there are words in it, English otherwise; figures as in the country."""
    base = language.partition("-")[0].lower()
    known = base if base in LANGUAGES else "en"
    try:
        locale = Locale.parse(f"{known}_{country}")
    except (UnknownLocaleError, ValueError):
        locale = Locale.parse("en_GB" if known == "en" else known)
    return Tongue(known, locale)
