"""A file from the bank: which format it is in, and what is kept of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Literal
from uuid import UUID

from services.invoice.bank_csv import rules as bank_csv
from services.invoice.bank_csv.rules import CsvProfile
from services.invoice.bank_entries.rules import Direction, Format, Kind, Statement, StatementRefused
from services.invoice.camt import rules as camt
from services.invoice.swift_mt940 import rules as swift_mt940
from shared.errors import NotFound, Refused
from shared.money import Money, format_minor

BYTES_MAX = 16 * 1024 * 1024

Stated = Literal["auto", "camt", "mt940", "csv"]


class BankStatementNotFound(NotFound):
    slug = "bank-statement-not-found"
    title = "There is no such bank statement"


class CsvProfileNotFound(NotFound):
    slug = "csv-profile-not-found"
    title = "There is no CSV profile of this name"


class AccountUnknown(Refused):
    slug = "bank-account-unknown"
    title = "No selling entity has this bank account"


@dataclass(frozen=True, slots=True)
class File:
    """A file as read: `message` names its format more closely, `camt.053.001.08`."""

    format: Format
    message: str
    content_hash: str
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class BankEntry:
    """A movement as it was recorded, once."""

    id: UUID
    bank_statement_id: UUID
    entity_id: str
    account: str
    line: int
    direction: Direction
    kind: Kind
    amount_minor: int
    currency: str
    booked_on: date
    value_on: date | None
    bank_reference: str | None
    end_to_end_id: str | None
    creditor_reference: str | None
    remittance: str | None
    additional_info: str | None
    mandate_id: str | None
    party_name: str | None
    party_iban: str | None
    charges_minor: int
    reason: str | None
    applied_at: datetime | None

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """What may name an invoice, with the name of each field, the most telling first."""
        fields = (
            ("creditor reference", self.creditor_reference),
            ("end-to-end id", self.end_to_end_id),
            ("remittance text", self.remittance),
            ("additional information", self.additional_info),
        )
        return tuple((name, text) for name, text in fields if text)


@dataclass(frozen=True, slots=True)
class Part:
    """One statement of a file, as it is kept: amounts are decimal text in `currency`."""

    account: str
    currency: str | None
    reference: str | None
    sequence: str | None
    first_on: date | None
    last_on: date | None
    opening: str | None
    closing: str | None
    entries: int


@dataclass(frozen=True, slots=True)
class Received:
    """A file of which every entry has been recorded: `entries_new` by this one, the others by files before it."""

    id: UUID
    entity_id: str
    format: Format
    message: str
    content_hash: str
    parts: tuple[Part, ...]
    entries: int
    entries_new: int
    received_at: datetime


def read(body: bytes, stated: Stated, profile: CsvProfile | None, account: str | None) -> File:
    """Read a file whole. Raises StatementRefused with the line of what is wrong."""
    if not body.strip():
        raise StatementRefused("the file is empty", line=1)
    format = _format(body, stated, profile)
    if format == "camt":
        message, statements = camt.read(body)
    elif format == "mt940":
        message, statements = swift_mt940.read(body)
    elif profile is None:
        raise StatementRefused("a CSV is read by a profile; name one", field="query.profile")
    else:
        message, statements = bank_csv.read(body, profile, account)
    return File(format, message, sha256(body).hexdigest(), tuple(statements))


def _format(body: bytes, stated: Stated, profile: CsvProfile | None) -> Format:
    if stated != "auto":
        return stated
    if camt.looks_like(body):
        return "camt"
    if swift_mt940.looks_like(body):
        return "mt940"
    if profile is not None:
        return "csv"
    raise StatementRefused("this is neither XML nor MT940; a CSV needs a profile", line=1)


def part(statement: Statement) -> Part:
    def shown(minor: int | None) -> str | None:
        return None if minor is None or statement.currency is None else format_minor(minor, statement.currency)

    return Part(
        account=statement.account,
        currency=statement.currency,
        reference=statement.reference,
        sequence=statement.sequence,
        first_on=statement.first_on,
        last_on=statement.last_on,
        opening=shown(statement.opening_minor),
        closing=shown(statement.closing_minor),
        entries=count([statement]),
    )


def count(statements: Sequence[Statement]) -> int:
    return sum(len(booking.entries) for statement in statements for booking in statement.bookings)


def is_applied(kind: Kind) -> bool:
    """Whether entries of a kind may be a customer's; debits and charges are recorded only."""
    return kind in ("receipt", "return", "returned_to_us")
