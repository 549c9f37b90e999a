"""Account movements as CSV, read by a profile that says which column is what."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from datetime import date
from time import strptime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from services.invoice.bank_entries.rules import Booking, Direction, Entry, Kind, Statement, StatementRefused, iban, text
from shared.money import Money, exponent

ROWS_MAX = 50_000


def _a_currency(code: str) -> str:
    exponent(code)
    return code


Column = Annotated[str, Field(min_length=1, max_length=200)]
Columns = Annotated[list[Column], Field(min_length=1, max_length=10)]


class CsvProfile(BaseModel):
    """How a bank writes its CSV. Columns are named by their headings; without a heading by number, `1` for the first.

    The amount stands in one signed column, in one beside a mark of debit or credit, or in two.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    delimiter: Literal[",", ";", "\t", "|"] = ";"
    encoding: Literal["auto", "utf-8", "latin-1", "windows-1252", "utf-16"] = Field(
        default="auto", description="auto: UTF-8, and Windows-1252 where it is none"
    )
    skip_lines: int = Field(default=0, ge=0, le=100, description="Lines above the heading")
    heading: bool = True
    date_format: str = Field(default="%Y-%m-%d", max_length=20, pattern=r"^[%A-Za-z./ -]+$", examples=["%d.%m.%Y"])
    decimal_mark: Literal[",", "."] = ","
    booked_on: Column
    value_on: Column | None = None
    amount: Column | None = None
    credit: Column | None = None
    debit: Column | None = None
    mark: Column | None = Field(default=None, description="The column that says debit or credit beside the amount")
    debit_marks: Annotated[list[Annotated[str, Field(max_length=20)]], Field(max_length=10)] = ["D", "DBIT", "S", "-"]
    currency: Column | None = Field(default=None, description="The column; without one, fixed_currency")
    fixed_currency: Annotated[str, AfterValidator(_a_currency)] | None = None
    account: Column | None = Field(default=None, description="The column of the own account; else named in the request")
    remittance: Columns = Field(description="Joined with a blank")
    party_name: Column | None = None
    party_iban: Column | None = None
    end_to_end_id: Column | None = None
    creditor_reference: Column | None = None
    mandate_id: Column | None = None
    bank_reference: Column | None = None
    booking_text: Column | None = None
    return_texts: Annotated[list[Annotated[str, Field(min_length=1, max_length=60)]], Field(max_length=20)] = []
    """Booking texts that say a debit takes back a receipt."""

    @model_validator(mode="after")
    def _one_amount(self) -> CsvProfile:
        if (self.amount is None) == (self.credit is None and self.debit is None):
            raise ValueError("name either amount, or credit and debit")
        if self.currency is None and self.fixed_currency is None:
            raise ValueError("name the column currency, or fixed_currency")
        return self

    @property
    def columns(self) -> list[str]:
        single = (
            self.booked_on,
            self.value_on,
            self.amount,
            self.credit,
            self.debit,
            self.mark,
            self.currency,
            self.account,
            self.party_name,
            self.party_iban,
            self.end_to_end_id,
            self.creditor_reference,
            self.mandate_id,
            self.bank_reference,
            self.booking_text,
        )
        return [*(name for name in single if name), *self.remittance]


def read(body: bytes, profile: CsvProfile, account: str | None) -> tuple[str, list[Statement]]:
    """A statement for each account of the file. Raises StatementRefused with the line."""
    content = _decoded(body, profile)
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=profile.delimiter, strict=True)
    by_account: dict[str, list[Booking]] = {}
    names: list[str] | None = None
    rows = 0
    try:
        for row in reader:
            line = reader.line_num
            if line <= profile.skip_lines or not any(cell.strip() for cell in row):
                continue
            if names is None:
                names = _names(row, profile, line)
                if profile.heading:
                    continue
            rows += 1
            if rows > ROWS_MAX:
                raise StatementRefused(f"at most {ROWS_MAX:,} rows are taken at once", line=line)
            if len(row) < len(names):
                raise StatementRefused(f"the row has {len(row)} columns, {len(names)} are expected", line=line)
            cells = dict(zip(names, (cell.strip() for cell in row), strict=False))
            own = iban(cells.get(profile.account or "") or account)
            if own is None:
                raise StatementRefused("neither the file nor the request names the account", line=line)
            by_account.setdefault(own, []).append(_booking(cells, profile, line))
    except csv.Error as error:
        raise StatementRefused(f"this is not CSV: {error}", line=reader.line_num) from None
    if names is None:
        raise StatementRefused("the file has no heading", line=1)
    if not by_account and account:
        by_account[iban(account) or account] = []
    return "csv", [_statement(own, bookings) for own, bookings in by_account.items()]


def _statement(account: str, bookings: Sequence[Booking]) -> Statement:
    days = [booking.booked_on for booking in bookings]
    return Statement(
        line=1,
        account=account,
        currency=bookings[0].currency if bookings else None,
        reference=None,
        sequence=None,
        opening_minor=None,
        closing_minor=None,
        bookings=tuple(bookings),
        first_on=min(days, default=None),
        last_on=max(days, default=None),
    )


def _decoded(body: bytes, profile: CsvProfile) -> str:
    encodings = ("utf-8-sig", "windows-1252") if profile.encoding == "auto" else (profile.encoding,)
    for encoding in encodings:
        try:
            return body.decode(encoding).removeprefix("\ufeff")
        except UnicodeError:
            continue
    raise StatementRefused(f"the file is not in {profile.encoding}", line=1)


def _names(row: Sequence[str], profile: CsvProfile, line: int) -> list[str]:
    names = [cell.strip() for cell in row] if profile.heading else [str(n) for n in range(1, len(row) + 1)]
    missing = [name for name in profile.columns if name not in names]
    if missing:
        raise StatementRefused(f"there is no column {', '.join(map(repr, missing))}", line=line)
    return names


def _booking(cells: Mapping[str, str], profile: CsvProfile, line: int) -> Booking:
    currency = (cells[profile.currency] if profile.currency else "") or profile.fixed_currency or ""
    signed = _signed(cells, profile, currency, line)
    direction: Direction = "credit" if signed > 0 else "debit"
    booking_text = text(_cell(cells, profile.booking_text))
    said = (booking_text or "").casefold()
    back = any(each.casefold() in said for each in profile.return_texts)
    kinds: dict[tuple[Direction, bool], Kind] = {
        ("credit", False): "receipt",
        ("credit", True): "returned_to_us",
        ("debit", True): "return",
        ("debit", False): "debit",
    }
    reference = text(_cell(cells, profile.bank_reference))
    entry = Entry(
        line=line,
        kind=kinds[direction, back],
        amount_minor=abs(signed),
        bank_reference=reference,
        end_to_end_id=text(_cell(cells, profile.end_to_end_id)),
        creditor_reference=text(_cell(cells, profile.creditor_reference)),
        remittance=text(" ".join(cells[name] for name in profile.remittance)),
        additional_info=booking_text,
        mandate_id=text(_cell(cells, profile.mandate_id)),
        party_name=text(_cell(cells, profile.party_name)),
        party_iban=iban(_cell(cells, profile.party_iban)),
    )
    booked_on = _day(cells[profile.booked_on], profile, line)
    value_on = _cell(cells, profile.value_on)
    return Booking(
        line=line,
        direction=direction,
        amount_minor=abs(signed),
        currency=currency,
        booked_on=booked_on,
        value_on=_day(value_on, profile, line) if value_on else None,
        reversal=False,
        bank_reference=reference,
        detailed=True,
        entries=(entry,),
    )


def _cell(cells: Mapping[str, str], column: str | None) -> str | None:
    return cells.get(column) if column else None


def _signed(cells: Mapping[str, str], profile: CsvProfile, currency: str, line: int) -> int:
    if profile.amount:
        minor = _amount(cells[profile.amount], profile, currency, line)
        if profile.mark:
            minor = -abs(minor) if cells[profile.mark] in profile.debit_marks else abs(minor)
    else:
        credit, debit = _cell(cells, profile.credit), _cell(cells, profile.debit)
        minor = abs(_amount(credit, profile, currency, line)) if credit else 0
        minor -= abs(_amount(debit, profile, currency, line)) if debit else 0
    if minor == 0:
        raise StatementRefused("the row has no amount", line=line)
    return minor


def _amount(written: str, profile: CsvProfile, currency: str, line: int) -> int:
    plain = re.sub(r"[\s\u00a0'’]", "", written)
    plain = plain.replace("." if profile.decimal_mark == "," else ",", "").replace(profile.decimal_mark, ".")
    if plain.endswith("-"):
        plain = "-" + plain[:-1]
    try:
        return Money.parse(plain.removeprefix("+"), currency).minor
    except ValueError as error:
        raise StatementRefused(f"{written!r} is not an amount: {error}", line=line) from None


def _day(written: str, profile: CsvProfile, line: int) -> date:
    try:
        return date(*strptime(written, profile.date_format)[:3])
    except ValueError:
        raise StatementRefused(f"{written!r} is not a date like {profile.date_format}", line=line) from None
