"""What a mail says: the facts of a letter laid out as words, dates and amounts the customer reads easily."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency

from services.reminder.receivables.rules import BalanceItem, totals
from shared.events.reminder import Tone
from shared.mail_address import one_line
from shared.money import Money

TEMPLATES = ("due-soon", "first-reminder", "second-reminder", "firm-reminder", "urgent-reminder", "final-notice")
"""The templates there are; each has a file of wording in every language of `templates/`."""

LANGUAGES = ("en",)


@dataclass(frozen=True, slots=True)
class Letter:
    """Everything one mail is made of. `due_on` is the due date that a message before due is about."""

    contact_id: UUID
    customer_id: UUID
    recipient: str
    person: str | None
    customer: str | None
    language: str
    country: str | None
    template: str
    tone: Tone
    seller: str
    items: tuple[BalanceItem, ...]
    due_on: date | None
    pay_link: str
    written_on: date


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the statement, as text."""

    number: str
    issued: str
    due: str
    overdue: str
    amount: str


@dataclass(frozen=True, slots=True)
class View:
    """What the templates see."""

    seller: str
    customer: str | None
    greeting: str
    tone: Tone
    rows: tuple[Row, ...]
    count: int
    totals: tuple[str, ...]
    total: str
    first_number: str
    oldest_days: int
    due_on: str | None
    written_on: str
    pay_link: str
    overdue: bool


def view_of(letter: Letter) -> View:
    """Amounts are written as in the customer's country, dates in the language of the words around them."""
    words, figures = _words(letter.language), _figures(letter.language, letter.country)
    sums = tuple(_amount(money, figures) for money in totals(item.collectable for item in letter.items))
    return View(
        seller=one_line(letter.seller),
        customer=one_line(letter.customer) if letter.customer else None,
        greeting=_greeting(letter.person),
        tone=letter.tone,
        rows=tuple(_row(item, words, figures) for item in letter.items),
        count=len(letter.items),
        totals=sums,
        total=_listed(sums),
        first_number=letter.items[0].number if letter.items else "",
        oldest_days=max((item.days_overdue for item in letter.items), default=0),
        due_on=_day(letter.due_on, words) if letter.due_on else None,
        written_on=_day(letter.written_on, words),
        pay_link=letter.pay_link,
        overdue=letter.due_on is None,
    )


def language_of(customer_language: str) -> str:
    """The language a customer is written to in: theirs where there is wording for it, else English."""
    base = customer_language.replace("_", "-").partition("-")[0].lower()
    return base if base in LANGUAGES else LANGUAGES[0]


def _greeting(person: str | None) -> str:
    name = one_line(person) if person else ""
    return f"Dear {name}," if name else "Hello,"


def _row(item: BalanceItem, words: Locale, figures: Locale) -> Row:
    return Row(
        number=one_line(item.number),
        issued=_day(item.issued_on, words),
        due=_day(item.due_on, words),
        overdue=str(item.days_overdue) if item.days_overdue > 0 else "–",
        amount=_amount(item.collectable, figures),
    )


def _amount(money: Money, figures: Locale) -> str:
    return format_currency(money.decimal, money.currency, locale=figures, currency_digits=True)


def _day(day: date, words: Locale) -> str:
    """`7 February 2012` shortened to `7 Feb 2012`: no reader takes the month for the day."""
    return format_date(day, "d MMM y", locale=words)


def _listed(parts: tuple[str, ...]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _words(language: str) -> Locale:
    return Locale(language_of(language))


def _figures(language: str, country: str | None) -> Locale:
    base = language.replace("_", "-").partition("-")[0].lower()
    for tag in (f"{base}_{country}" if country else base, base):
        try:
            return Locale.parse(tag)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")
