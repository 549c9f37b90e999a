"""MT940 (SWIFT customer statement) read into statements, with the German structured field 86 where banks send it.

The fields are taken apart by the mt-940 package. It passes over what it does not know and opens files that are named
like its input, so the text is looked over line by line first and handed over one statement at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from mt940 import Options
from mt940.models import Transactions

from services.invoice.bank_entries.rules import (
    Booking,
    Direction,
    Entry,
    Kind,
    Statement,
    StatementRefused,
    checked,
    iban,
    text,
)
from shared.money import Money

_TAG = re.compile(r":(\d{2}[A-Z]?|NS):")
_READ = {"20", "21", "25", "25P", "28", "28C", "60F", "60M", "61", "62F", "62M", "64", "65", "86"}
_NOT_READ = {"13", "13D", "34F", "90C", "90D", "NS"}
_MARK = re.compile(r":61:\d{6}(?:\d{4}|\s{4})?(R?[CD])", re.IGNORECASE)
_RETURN_CODES = {"108", "109", "159", "184"}
"""German business transaction codes: direct debits returned (108, 109, 184), a transfer returned (159)."""
_KEYWORDS = ("EREF", "KREF", "MREF", "CRED", "DEBT", "SVWZ", "ABWA", "ABWE", "IBAN", "BIC", "OAMT", "COAM", "PURP")
_SLASHED = re.compile(r"/(EREF|REMI|NAME|IBAN|ORDP|BENM|MARF|CSID|RTRN|TRTP|BIC|PREF|ADDR|ISDT|PURP|CNTP)/")


def looks_like(body: bytes) -> bool:
    head = _decoded(body[:4_000]).lstrip("\ufeff \r\n")
    return bool(_TAG.match(head)) or (head.startswith("{1:") and ":20:" in head)


def read(body: bytes) -> tuple[str, list[Statement]]:
    """Raises StatementRefused with the line."""
    statements = [_statement(block) for block in _blocks(_decoded(body))]
    if not statements:
        raise StatementRefused("the file holds no statement; each begins with :20:", line=1)
    return "mt940", statements


def _decoded(body: bytes) -> str:
    """UTF-8, else Latin-1: the standard's own set is a part of both."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("latin-1")


@dataclass(frozen=True, slots=True)
class _Field:
    """A field with its lines; `line` is the number of the first."""

    line: int
    tag: str
    value: str


@dataclass(frozen=True, slots=True)
class _Block:
    fields: tuple[_Field, ...]

    @property
    def line(self) -> int:
        return self.fields[0].line

    def first(self, *tags: str) -> _Field | None:
        return next((field for field in self.fields if field.tag in tags), None)


def _blocks(content: str) -> Iterator[_Block]:
    """Statements, each from its :20: on; what stands between them (SWIFT envelopes, a lone dash) is passed over."""
    fields: list[_Field] = []
    for number, raw in enumerate(content.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        line = raw.rstrip()
        if not line or line == "-" or (line.startswith(("{", "-}")) and not _TAG.search(line)):
            continue
        line = re.sub(r"^.*\{4:\s*", "", line)
        match = _TAG.match(line)
        if match is None:
            if not fields:
                raise StatementRefused(f"{line[:40]!r} stands before the first field", line=number)
            last = fields[-1]
            fields[-1] = _Field(last.line, last.tag, f"{last.value}\n{line}")
            continue
        tag = match[1]
        if tag not in _READ | _NOT_READ:
            raise StatementRefused(f"there is no field :{tag}: in an MT940", line=number)
        if tag == "20":
            if fields:
                yield _Block(tuple(fields))
            fields = []
        elif not fields:
            raise StatementRefused(f":{tag}: stands before the first :20:", line=number)
        fields.append(_Field(number, tag, line[match.end() :]))
    if fields:
        yield _Block(tuple(fields))


def _statement(block: _Block) -> Statement:
    account = block.first("25", "25P")
    opening, closing = block.first("60F", "60M"), block.first("62F", "62M")
    for missing, what in ((account, ":25:"), (opening, ":60F:"), (closing, ":62F:")):
        if missing is None:
            raise StatementRefused(f"the statement has no {what}", line=block.line)
    assert account is not None
    parsed = _parsed(block)
    balances = [
        parsed.data.get(f"{kind}_{side}_balance")
        for side in ("opening", "closing")
        for kind in ("final", "intermediate")
    ]
    ends = [balance for balance in balances if balance is not None]
    if len(ends) != 2:
        raise StatementRefused("the balances cannot be read", line=block.line)
    currency = str(ends[0].amount.currency)
    number = block.first("28C", "28")
    return checked(
        Statement(
            line=block.line,
            account=iban(account.value.split("\n")[0]) or "",
            currency=currency,
            reference=text(block.fields[0].value),
            sequence=text(number.value) if number else None,
            opening_minor=_minor(ends[0].amount.amount, currency, block.line),
            closing_minor=_minor(ends[1].amount.amount, currency, block.line),
            bookings=tuple(_bookings(block, parsed, currency)),
            first_on=_day(ends[0].date),
            last_on=_day(ends[1].date),
        )
    )


def _parsed(block: _Block) -> Transactions:
    """The package's reading of the block. A field that it cannot read is named with its line."""
    read_fields = [field for field in block.fields if field.tag in _READ]
    for field in read_fields:
        try:  # Each line by itself first, so that a fault is known by its line.
            if field.tag == "61":
                Transactions(options=Options.all()).parse(f":61:{field.value}")
        except (RuntimeError, ValueError, ArithmeticError):
            raise StatementRefused(f"':61:{field.value[:60]}' is no statement line", line=field.line) from None
    reading = Transactions(options=Options.all())
    try:
        reading.parse("\n".join(f":{_plain(field.tag)}:{_inert(field)}" for field in read_fields))
    except (RuntimeError, ValueError, ArithmeticError) as error:
        tag = str(getattr(error.args[1], "id", "")) if len(error.args) > 1 else ""
        culprit = next((field for field in block.fields if field.tag.startswith(tag)), block.fields[0])
        raise StatementRefused(f"':{culprit.tag}:{culprit.value[:60]}' cannot be read", line=culprit.line) from None
    return reading


def _plain(tag: str) -> str:
    return "25" if tag == "25P" else tag


def _inert(field: _Field) -> str:
    """A details field may hold lines that look like fields of their own; the package would begin anew at them."""
    return field.value.replace("\n:", "\n :")


def _bookings(block: _Block, parsed: Transactions, currency: str) -> Iterator[Booking]:
    lines = [(index, field) for index, field in enumerate(block.fields) if field.tag == "61"]
    if len(lines) != len(parsed.transactions):
        raise StatementRefused("the statement's lines cannot be told apart", line=block.line)
    for (index, field), transaction in zip(lines, parsed.transactions, strict=True):
        following = block.fields[index + 1] if index + 1 < len(block.fields) else None
        details = following.value if following and following.tag == "86" else ""
        yield _booking(field, transaction.data, details, currency)


def _booking(field: _Field, data: dict[str, Any], details: str, currency: str) -> Booking:
    mark = _MARK.match(f":61:{field.value}")
    if mark is None:
        raise StatementRefused(f"{field.value[:40]!r} is neither a credit nor a debit", line=field.line)
    # RC takes back a credit, so money goes; RD takes back a debit, so money comes.
    sign = mark[1].upper()
    direction: Direction = "credit" if sign in ("C", "RD") else "debit"
    minor = abs(_minor(data["amount"].amount, currency, field.line))
    code, told = _told(details)
    reversal = sign.startswith("R")
    back = reversal or code in _RETURN_CODES or "RTRN" in told
    kinds: dict[tuple[Direction, bool], Kind] = {
        ("credit", False): "receipt",
        ("credit", True): "returned_to_us",
        ("debit", True): "return",
    }
    kind = kinds.get((direction, back), "charge" if code[:1] == "8" else "debit")
    customer_reference = text(data.get("customer_reference"))
    entry = Entry(
        line=field.line,
        kind=kind,
        amount_minor=minor,
        bank_reference=text(data.get("bank_reference")),
        end_to_end_id=text(told.get("EREF")) or customer_reference,
        remittance=text(told.get("SVWZ")),
        additional_info=text(f"{told.get('text', '')} {data.get('extra_details') or ''}"),
        mandate_id=text(told.get("MREF")),
        party_name=text(told.get("name")),
        party_iban=iban(told.get("iban")),
        reason=text(told.get("RTRN")),
    )
    value_on = _day(data["date"])
    booked_on = _day(data.get("entry_date")) or value_on
    assert booked_on is not None
    return Booking(
        line=field.line,
        direction=direction,
        amount_minor=minor,
        currency=currency,
        booked_on=booked_on,
        value_on=value_on,
        reversal=reversal,
        bank_reference=text(data.get("bank_reference")),
        detailed=bool(details),
        entries=(entry,),
    )


def _told(details: str) -> tuple[str, dict[str, str]]:
    """What field 86 says: the German form (`166?00...?20EREF+...?32name`), the form of words in slashes
    (`/EREF/../REMI/..`), or plain text. Returns the business transaction code, empty for none, and its parts."""
    joined = details.replace("\n", "")
    german = re.match(r"(\d{3})(?=\?)", joined)
    if german:
        parts = [(piece[:2], piece[2:]) for piece in joined[3:].split("?")[1:]]
        purpose = "".join(value for code, value in parts if code[:1] == "2" or "60" <= code <= "63")
        told = _keywords(purpose)
        told["text"] = " ".join(value for code, value in parts if code in ("00", "34"))
        told["name"] = "".join(value for code, value in parts if code in ("32", "33"))
        told["iban"] = told.get("IBAN") or next((value for code, value in parts if code == "31"), "")
        return german[1], told
    if _SLASHED.search(joined):
        pieces = _SLASHED.split(joined)
        told = {}
        for word, value in zip(pieces[1::2], pieces[2::2], strict=True):
            told[word] = " ".join((told.get(word, ""), value.strip("/ "))).strip()
        remittance = told.get("REMI", "")
        remittance = re.sub(r"^(USTD|STRD)?//?", "", remittance)
        return "", {**told, "SVWZ": remittance or pieces[0], "name": told.get("NAME", ""), "iban": told.get("IBAN", "")}
    return "", {"SVWZ": details.replace("\n", " ")}


def _keywords(purpose: str) -> dict[str, str]:
    """`EREF+...SVWZ+...` by keyword; without keywords all of it is the remittance text."""
    pieces = re.split(rf"({'|'.join(_KEYWORDS)})\+", purpose)
    told = {word: value.strip() for word, value in zip(pieces[1::2], pieces[2::2], strict=True)}
    told["SVWZ"] = " ".join(part for part in (pieces[0].strip(), told.get("SVWZ", "")) if part)
    return told


def _minor(decimal: Decimal, currency: str, line: int) -> int:
    try:
        return Money.parse(decimal.normalize(), currency).minor
    except ValueError as error:
        raise StatementRefused(str(error), line=line) from None


def _day(day: date | None) -> date | None:
    return date(day.year, day.month, day.day) if isinstance(day, date) else None
