"""What a bank says of an account, whatever the file's format: statements, bookings, and the entries they consist of.

A booking is one line of the account. It holds one entry, or, where the bank booked a batch and says what is in it,
one for each payment. The same booking is told again and again (camt.054 at once, camt.053 at night, the same file
sent twice): its `key` says which are the same, its place among equals of one file how many there really are.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Literal

from shared.errors import Refused
from shared.money import Money, format_minor

Format = Literal["camt", "mt940", "csv"]
Direction = Literal["credit", "debit"]
Kind = Literal["receipt", "return", "returned_to_us", "debit", "charge"]
"""receipt: money of a payer. return: the bank took a receipt back (a direct debit returned, a reversal).
returned_to_us: money that we sent came back. debit and charge: recorded, never applied."""

TEXT_MAX = 1_000
_ABSENT = {
    "NOTPROVIDED",
    "NOT PROVIDED",
    "NOTPROVIDED.",
    "NONREF",
    "NOREF",
    "NOTAVAILABLE",
    "N/A",
    "KEINE",
    "UNSTRUCTURED",
}
_BLANKS = re.compile(r"[\s\u00a0]+")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", re.ASCII)


class StatementRefused(Refused):
    """The file is not what it says, or is damaged: nothing of it is taken. `line` counts from 1."""

    slug = "bank-statement-refused"
    title = "The bank statement cannot be read"

    def __init__(self, detail: str, *, line: int | None = None, field: str | None = None) -> None:
        super().__init__(f"line {line}: {detail}" if line else detail, field=field, line=line)


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement of money. Amounts are positive; `direction` says which way. `charges_minor` is what banks kept of a
    payment on its way; `reason` is why it was returned, as an ISO code (AC04, MD06) where there is one."""

    line: int
    kind: Kind
    amount_minor: int
    bank_reference: str | None = None
    end_to_end_id: str | None = None
    creditor_reference: str | None = None
    remittance: str | None = None
    additional_info: str | None = None
    mandate_id: str | None = None
    party_name: str | None = None
    party_iban: str | None = None
    charges_minor: int = 0
    reason: str | None = None

    @property
    def said(self) -> tuple[object, ...]:
        """What tells it from other entries, in a form that does not depend on blanks and letters."""
        texts = (self.end_to_end_id, self.creditor_reference, self.remittance, self.mandate_id, self.party_iban)
        return (self.amount_minor, *(_BLANKS.sub("", text or "").upper() for text in texts))


@dataclass(frozen=True, slots=True)
class Booking:
    """One line of the account; its entries add up to `amount_minor`, charges aside. `detailed` says whether the bank
    told what the line consists of, or only its sum."""

    line: int
    direction: Direction
    amount_minor: int
    currency: str
    booked_on: date
    value_on: date | None
    reversal: bool
    bank_reference: str | None
    detailed: bool
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One account over one period. Balances are signed, None where the format has none (camt.054, CSV)."""

    line: int
    account: str
    currency: str | None
    reference: str | None
    sequence: str | None
    opening_minor: int | None
    closing_minor: int | None
    bookings: tuple[Booking, ...]
    first_on: date | None = None
    last_on: date | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """How often a booking has been recorded so far, and which of these occurrences without details."""

    times: int = 0
    undetailed: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Recorded:
    """What becomes of a booking of a file: its place among equals, and whether it takes the place of one known by its
    sum only."""

    booking: Booking
    key: str
    occurrence: int
    replaces: bool


def text(value: str | None) -> str | None:
    """Text of the bank without outer and double blanks; None for nothing, and for `NOTPROVIDED` and its like."""
    cleaned = _BLANKS.sub(" ", (value or "").replace("\0", "")).strip()[:TEXT_MAX]
    return cleaned if cleaned and cleaned.upper() not in _ABSENT else None


def iban(value: str | None) -> str | None:
    """An account number in its electronic form, `DE89370400440532013000`; other accounts without blanks."""
    compact = _BLANKS.sub("", value or "").upper()
    return compact[:64] or None


def is_iban(account: str | None) -> bool:
    return bool(account and _IBAN.fullmatch(account))


def key(account: str, booking: Booking) -> str:
    """What is the same in every telling of a booking.

    The bank's own reference of it with date and amount, where there is one: a camt.054 and a camt.053 share it, also
    when only one of them has the details. Else everything that is said of its entries.
    """
    told: list[object] = [account, booking.direction, booking.reversal, booking.amount_minor, booking.currency]
    told.append(booking.booked_on.isoformat())
    if booking.bank_reference:
        told += ["ref", booking.bank_reference.upper()]
    else:
        told += ["said", *sorted(entry.said for entry in booking.entries)]
    return sha256(repr(told).encode()).hexdigest()[:40]


def news(account: str, bookings: Sequence[Booking], known: dict[str, Known]) -> list[Recorded]:
    """What of a file is new on an account, given how often each key has been recorded.

    Equals within one file are different bookings (twice 3.50 at the same counter), equals of two files are the same
    ones. A booking known by its sum only is replaced by one with details.
    """
    seen: dict[str, int] = defaultdict(int)
    found: list[Recorded] = []
    for booking in bookings:
        name = key(account, booking)
        seen[name] += 1
        before = known.get(name, Known())
        if seen[name] > before.times:
            found.append(Recorded(booking, name, seen[name], replaces=False))
        elif booking.detailed and seen[name] in before.undetailed:
            found.append(Recorded(booking, name, seen[name], replaces=True))
    return found


def checked(statement: Statement) -> Statement:
    """The statement itself, when its bookings lead from its opening to its closing balance.

    Raises StatementRefused: something is missing, as in a file cut off or edited.
    """
    if statement.opening_minor is None or statement.closing_minor is None:
        return statement
    moved = sum(each.amount_minor if each.direction == "credit" else -each.amount_minor for each in statement.bookings)
    missing = statement.closing_minor - statement.opening_minor - moved
    if missing:
        currency = statement.currency or "EUR"
        raise StatementRefused(
            f"statement {statement.reference or ''} of {statement.account} does not add up: the closing balance is "
            f"{format_minor(statement.closing_minor, currency)}, opening balance and entries give "
            f"{format_minor(statement.opening_minor + moved, currency)}",
            line=statement.line,
        )
    return statement


def amount(written: str | None, currency: str, line: int) -> int:
    """Minor units of an amount as banks write it, `1234.50` or `1234,5`. Raises StatementRefused."""
    plain = (written or "").strip().replace(",", ".").rstrip(".")
    whole, _, decimals = plain.partition(".")
    try:
        # Trailing zeros beyond the currency's decimals are only another way to write it.
        return Money.parse(f"{whole}.{decimals.rstrip('0')}" if decimals.rstrip("0") else whole, currency).minor
    except ValueError as error:
        raise StatementRefused(f"{written!r} is not an amount in {currency}: {error}", line=line) from None


def not_in_future(statements: Iterable[Statement], last_on: date) -> None:
    """Raises StatementRefused for a booking dated after `last_on`."""
    for statement in statements:
        for booking in statement.bookings:
            if booking.booked_on > last_on:
                raise StatementRefused(f"booked on {booking.booked_on}, which is still to come", line=booking.line)
