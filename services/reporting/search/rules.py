"""What is asked for in a search box, and the words under which something is found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from shared.errors import Refused
from shared.events.credit import CustomerEvent
from shared.events.event import Event
from shared.events.invoice import PaymentEvent
from shared.money import MINOR_MAX, Money, format_minor

Kind = Literal["customer", "invoice", "payment", "dispute", "contact"]
KINDS: tuple[Kind, ...] = ("customer", "invoice", "payment", "dispute", "contact")

QUERY_MAX = 200
WORDS_MAX = 6
"""Of a question; what is said beyond them is not looked for."""
WORD_LENGTH_MAX = 40
WORDS_KEPT_MAX = 24
"""Of a name or a reference."""

_WORD = re.compile(r"[^\W_]+")
_AMOUNT = re.compile(r"(\d{1,3}(?:[,.' ]\d{3})+|\d{1,15})(?:[.,](\d{1,4}))?")


class NothingAsked(Refused):
    slug = "nothing-asked"
    title = "There is nothing to look for"


@dataclass(frozen=True, slots=True)
class Question:
    """`amounts` are the ways to read it as an amount, each of (whole units, decimals as written)."""

    text: str
    words: tuple[str, ...]
    id: UUID | None
    amounts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something found; `title` is what it is called, `on` the day it is of, `status` how it stands."""

    kind: Kind
    id: UUID
    title: str
    customer_id: UUID
    customer: str | None
    on: date | None = None
    currency: str | None = None
    amount_minor: int | None = None
    status: str | None = None

    @property
    def amount(self) -> str | None:
        if self.amount_minor is None or self.currency is None:
            return None
        return format_minor(self.amount_minor, self.currency)


def read_question(text: str) -> Question:
    """Raises NothingAsked for one without a letter or digit."""
    words = words_of(text)[:WORDS_MAX]
    if not words:
        raise NothingAsked("a search needs a letter or a digit", field="query.q")
    return Question(text, words, _id(text), _amounts(text))


def words_of(text: str) -> tuple[str, ...]:
    """Each word once, in lower case, in the order they stand."""
    found = (word[:WORD_LENGTH_MAX] for word in _WORD.findall(text.lower()))
    return tuple(dict.fromkeys(found))[:WORDS_KEPT_MAX]


def _id(text: str) -> UUID | None:
    try:
        return UUID(text.strip())
    except ValueError:
        return None


def _amounts(text: str) -> tuple[tuple[str, str], ...]:
    """1.234 may be a thousand and some, or one and some."""
    bare = re.sub(r"[A-Z]{3}|[€$£¥]", "", text.replace("\xa0", " ")).strip()
    read: dict[tuple[str, str], None] = {}
    if written := _AMOUNT.fullmatch(bare):
        read[re.sub(r"\D", "", written[1]), written[2] or ""] = None
    if plain := re.fullmatch(r"(\d{1,15})[.,](\d{1,4})", bare):
        read[plain[1], plain[2]] = None
    return tuple(read)


def minor_amounts(question: Question, currencies: Iterable[str]) -> list[tuple[int, str]]:
    """(minor units, currency) of every currency that can be read so: `12.50` is no amount of yen."""
    found: dict[tuple[int, str], None] = {}
    for currency in currencies:
        for whole, decimals in question.amounts:
            try:
                minor = Money.parse(f"{whole}.{decimals}" if decimals else whole, currency).minor
            except ValueError:
                continue
            if 0 < minor <= MINOR_MAX:
                found[minor, currency] = None
    return list(found)


def words_said(events: Iterable[Event | None]) -> tuple[list[tuple[str, str, UUID]], Mapping[UUID, str]]:
    """(word, kind, id) of everything that customers and payments are called, sorted; and payments' references. A name
    that a customer had before stays among its words."""
    words: set[tuple[str, str, UUID]] = set()
    references: dict[UUID, str] = {}
    for event in events:
        if isinstance(event, CustomerEvent):
            called = f"{event.customer.name} {event.customer.external_id}"
            joined = "".join(words_of(event.customer.external_id))[:WORD_LENGTH_MAX]
            words |= {(word, "customer", event.customer.id) for word in (*words_of(called), joined) if word}
        elif isinstance(event, PaymentEvent) and event.payment.reference:
            references[event.payment.id] = event.payment.reference
            words |= {(word, "payment", event.payment.id) for word in words_of(event.payment.reference)}
    return sorted(words), references
