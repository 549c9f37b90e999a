"""An import: a file of invoices, a JSON object a line, judged row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import ValidationError

from services.invoice.drafting.rules import InvoiceIn
from services.invoice.pricing.rules import Priced
from shared.errors import DomainError, NotFound, Refused

ROWS_MAX = 100_000
BYTES_MAX = 64 * 1024 * 1024
CHUNK_ROWS = 1_000
ROW_BYTES_MAX = 256 * 1024


class ImportNotFound(NotFound):
    slug = "import-not-found"
    title = "There is no such import"


class ImportRefused(Refused):
    slug = "import-refused"
    title = "The file cannot be imported"


@dataclass(frozen=True, slots=True)
class Import:
    """`rows` counts lines that are not blank; the import is complete when each was accepted or rejected."""

    id: UUID
    version: int
    entity_id: str
    status: Literal["running", "completed"]
    rows: int
    accepted: int
    rejected: int
    received_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some lines of the file as they came; `first_line` is the number of the first, from 1."""

    first_line: int
    body: bytes
    rows: int

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Lines that hold something, with their numbers."""
        for number, line in enumerate(self.body.split(b"\n"), start=self.first_line):
            if stripped := line.strip():
                yield number, stripped


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row was not taken; `pointer` leads to the field, `#` to the row as a whole."""

    pointer: str
    detail: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line that reads as an invoice and adds up."""

    line: int
    wanted: InvoiceIn
    priced: Priced


@dataclass(frozen=True, slots=True)
class BadRow:
    line: int
    reasons: tuple[Reason, ...]


def split(body: bytes) -> list[Chunk]:
    """Cut a file into chunks of lines. Raises ImportRefused for an empty file or one with too many rows."""
    lines = body.split(b"\n")
    chunks: list[Chunk] = []
    for start in range(0, len(lines), CHUNK_ROWS):
        part = lines[start : start + CHUNK_ROWS]
        rows = sum(1 for line in part if line.strip())
        if rows:
            chunks.append(Chunk(start + 1, b"\n".join(part), rows))
    total = sum(chunk.rows for chunk in chunks)
    if total == 0:
        raise ImportRefused("the file holds no rows; each line is an invoice as JSON")
    if total > ROWS_MAX:
        raise ImportRefused(f"the file holds {total:,} rows, at most {ROWS_MAX:,} are taken at once")
    return chunks


def read_row(line: int, content: bytes) -> Row | BadRow:
    """One line as an invoice, or every reason why it is none."""
    if len(content) > ROW_BYTES_MAX:
        return BadRow(line, (Reason("#", f"the row has {len(content):,} bytes, at most {ROW_BYTES_MAX:,} are read"),))
    if b"\\u0000" in content:
        return BadRow(line, (Reason("#", "text with the character U+0000 cannot be kept"),))
    try:
        wanted = InvoiceIn.model_validate_json(content)
        return Row(line, wanted, wanted.priced())
    except ValidationError as error:
        return BadRow(line, tuple(map(_reason, error.errors(include_url=False, include_input=False))))
    except DomainError as error:
        return BadRow(line, (reason_of(error),))


def reason_of(error: DomainError) -> Reason:
    return Reason(f"#{error.field or ''}", error.detail)


def _reason(found: Mapping[str, Any]) -> Reason:
    pointer = "#" + "".join(f"/{part}" for part in found["loc"])
    kind = found["type"]
    if kind == "missing":
        return Reason(pointer, "is required")
    if kind == "extra_forbidden":
        return Reason(pointer, "is not a field of an invoice")
    if kind == "string_pattern_mismatch":
        return Reason(pointer, f"does not match {found['ctx']['pattern']}")
    detail = str(found["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    return Reason(pointer, detail)


def repeated_numbers(rows: Sequence[Row], taken: set[str]) -> dict[int, Reason]:
    """By line, the rows whose own number exists already or stands further up."""
    seen = set(taken)
    repeated: dict[int, Reason] = {}
    for row in rows:
        number = row.wanted.number
        if number is None:
            continue
        if number in seen:
            repeated[row.line] = Reason("#/number", f"invoice number {number} exists already")
        seen.add(number)
    return repeated
