"""The ledger file that a replay takes: one invoice a line, what was billed and when it was settled.

Pure: text in, rows and faults out. Every bad line is reported with its number, not just the first.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, cast

from shared.money import Money

COLUMNS: tuple[str, ...] = (
    "customer_ref",
    "invoice_number",
    "invoice_date",
    "due_date",
    "amount",
    "currency",
    "settled_date",
    "disputed",
    "segment",
    "channel",
)
TEXT_LENGTH_MAX = 100

Channel = Literal["email", "letter"]

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Row:
    """One invoice of a ledger. `settled_date` is None while it is open; `line` is where the file has it."""

    line: int
    customer_ref: str
    invoice_number: str
    invoice_date: date
    due_date: date
    amount: Money
    settled_date: date | None
    disputed: bool
    segment: str
    channel: Channel


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong on a line, in a sentence for whoever made the file."""

    line: int
    problem: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.problem}"


class BadLedger(Exception):
    """The file cannot be replayed; `faults` has every reason, in the file's order."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


def load(path: Path) -> list[Row]:
    """The rows of a ledger file, in its order. Raises BadLedger, or OSError where there is no such file."""
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = raw.count(b"\n", 0, fault.start) + 1
        raise BadLedger([Fault(line, "the file is not UTF-8 text; save it as CSV in UTF-8")]) from None
    rows, faults = read(text.splitlines(keepends=True))
    if faults:
        raise BadLedger(faults)
    return rows


def read(lines: Iterable[str]) -> tuple[list[Row], list[Fault]]:
    """The good rows of a ledger, and what is wrong with the others."""
    reader = csv.reader(lines)
    rows: list[Row] = []
    faults: list[Fault] = []
    first_line_of: dict[str, int] = {}
    try:
        header = [name.strip() for name in next(reader, [])]
        if problem := _header_problem(header):
            return [], [Fault(max(reader.line_num, 1), problem)]
        for cells in reader:
            line = reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                faults.append(Fault(line, f"{len(cells)} columns where the header has {len(header)}"))
                continue
            row, problems = _row(line, dict(zip(header, (cell.strip() for cell in cells), strict=True)), first_line_of)
            faults.extend(Fault(line, problem) for problem in problems)
            if row is not None:
                rows.append(row)
    except csv.Error as fault:
        faults.append(Fault(reader.line_num, f"not CSV: {fault}"))
    if not rows and not faults:
        faults.append(Fault(max(reader.line_num, 1), "the ledger has no invoices"))
    return rows, faults


def _header_problem(header: list[str]) -> str | None:
    if missing := [name for name in COLUMNS if name not in header]:
        plural = "s" if len(missing) > 1 else ""
        hint = " (columns are separated by commas)" if len(header) == 1 and ";" in header[0] else ""
        return f"missing column{plural} {', '.join(missing)}{hint}"
    if twice := sorted({name for name in header if header.count(name) > 1}):
        return f"column {', '.join(twice)} stands there twice"
    return None


def _row(line: int, cells: Mapping[str, str], first_line_of: dict[str, int]) -> tuple[Row | None, list[str]]:
    problems: list[str] = []
    for name in ("customer_ref", "invoice_number", "segment"):
        problems.extend(_text_problems(name, cells[name]))
    number = cells["invoice_number"]
    if number in first_line_of:
        problems.append(f"invoice_number {number} is already on line {first_line_of[number]}")
    elif number:
        first_line_of[number] = line

    issued = _date("invoice_date", cells["invoice_date"], problems)
    due = _date("due_date", cells["due_date"], problems)
    settled = _date("settled_date", cells["settled_date"], problems) if cells["settled_date"] else None
    if issued and due and due < issued:
        problems.append(f"due_date {due} is before invoice_date {issued}")
    if issued and settled and settled < issued:
        problems.append(f"settled_date {settled} is before invoice_date {issued}")

    amount = _amount(cells["amount"], cells["currency"], problems)
    if cells["disputed"] not in ("yes", "no"):
        problems.append(f"disputed is yes or no, not {cells['disputed']!r}")
    if cells["channel"] not in ("email", "letter"):
        problems.append(f"channel is email or letter, not {cells['channel']!r}")
    if problems or issued is None or due is None or amount is None:
        return None, problems
    row = Row(
        line=line,
        customer_ref=cells["customer_ref"],
        invoice_number=number,
        invoice_date=issued,
        due_date=due,
        amount=amount,
        settled_date=settled,
        disputed=cells["disputed"] == "yes",
        segment=cells["segment"],
        channel=cast(Channel, cells["channel"]),
    )
    return row, []


def _text_problems(name: str, text: str) -> list[str]:
    if not text:
        return [f"{name} is empty"]
    if len(text) > TEXT_LENGTH_MAX:
        return [f"{name} has {len(text)} characters, at most {TEXT_LENGTH_MAX} are possible"]
    return [] if text.isprintable() else [f"{name} {text!r} contains control characters"]


def _date(name: str, text: str, problems: list[str]) -> date | None:
    try:
        if _ISO_DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    problems.append(f"{name} {text!r} is not a date such as 2026-03-31" if text else f"{name} is empty")
    return None


def _amount(text: str, currency: str, problems: list[str]) -> Money | None:
    try:
        amount = Money.parse(text, currency)
    except ValueError as fault:
        problems.append(str(fault))
        return None
    if amount.minor <= 0:
        problems.append(f"amount {text} is not more than zero")
        return None
    return amount
