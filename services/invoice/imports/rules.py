"""An import: a file of invoices, of open items of a former system, or of what was paid in it, judged row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import orjson
from pydantic import ValidationError

from services.invoice.entities.rules import DEFAULT
from services.invoice.import_rows.rules import BadRow, Row, number_in, read_rows
from services.invoice.invoices.rules import Invoice
from services.invoice.journal.rules import Entry
from services.invoice.mapped_rows.rules import column_of, fits, place_of
from services.invoice.mappings.rules import Kind, Profile, Saved
from services.invoice.tables.rules import Table, Typed, read_csv, read_xlsx
from shared.errors import DomainError, NotFound, Refused

Mode = Literal["partial", "atomic"]
"""Good rows stand without the bad ones, or all or nothing."""
Format = Literal["ndjson", "csv", "xlsx"]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMATS: dict[str, Format] = {
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "text/csv": "csv",
    "application/csv": "csv",
    "text/tab-separated-values": "csv",
    XLSX: "xlsx",
}
"""By media type; for a file in a form also by its ending, since browsers guess the type."""
ENDINGS: dict[str, Format] = {"ndjson": "ndjson", "jsonl": "ndjson", "csv": "csv", "tsv": "csv", "xlsx": "xlsx"}
Status = Literal["running", "completed", "refused"]
Step = Literal["issue", "judge", "together"]

ROWS_MAX = 100_000
BYTES_MAX = 64 * 1024 * 1024
CHUNK_ROWS = 1_000


class ImportNotFound(NotFound):
    slug = "import-not-found"
    title = "There is no such import"


class ImportRefused(Refused):
    slug = "import-refused"
    title = "The file cannot be imported"


@dataclass(frozen=True, slots=True)
class Import:
    """`rows` counts what is not blank; it is complete when each was accepted, was present already, or was rejected.

    `checked` rows were judged ahead of an import that is all or nothing, or of a dry run, which issues nothing.
    """

    id: UUID
    version: int
    entity_id: str
    kind: Kind
    mode: Mode
    dry_run: bool
    format: Format
    profile_name: str | None
    profile_version: int | None
    status: Status
    rows: int
    accepted: int
    present: int
    rejected: int
    checked: int
    received_at: datetime
    completed_at: datetime | None
    working_since: datetime | None
    worked_until: datetime | None

    @property
    def done(self) -> int:
        """Rows of which it is known what becomes of them, or in an import ahead of its issue, that were judged."""
        return max(self.accepted + self.present + self.rejected, self.checked)

    @property
    def rows_per_second(self) -> float | None:
        if self.working_since is None or self.worked_until is None:
            return None
        seconds = (self.worked_until - self.working_since).total_seconds()
        return round(self.done / seconds, 1) if seconds > 0 else None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of the file, each behind the number of its line and a tab; `first_line` is that of the first."""

    first_line: int
    body: bytes
    rows: int

    @classmethod
    def of(cls, rows: Sequence[tuple[int, bytes]]) -> Chunk:
        return cls(rows[0][0], b"\n".join(b"%d\t%b" % row for row in rows), len(rows))

    def lines(self) -> Iterator[tuple[int, bytes]]:
        for row in self.body.split(b"\n"):
            line, _, content = row.partition(b"\t")
            yield int(line), content


@dataclass(frozen=True, slots=True)
class Run:
    """An import as its chunks need it: `headings` are those of a table, whose rows are kept as arrays of cells."""

    id: UUID
    entity_id: str
    kind: Kind
    mode: Mode
    dry_run: bool
    rows: int
    profile: Profile | None
    headings: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came."""

    body: bytes
    format: Format


def format_of(filename: str | None) -> Format | None:
    """By the ending of its name."""
    return ENDINGS.get((filename or "").rpartition(".")[2].lower())


TOO_MANY = f"the file holds more than {ROWS_MAX:,} rows, at most that many are taken at once"


def read_upload(upload: Upload, saved: Saved | None, rows_max: int = ROWS_MAX, more: str = TOO_MANY) -> Table | None:
    """The table that a profile reads in a file, None for JSON lines; a large one takes seconds. Raises FileRefused."""
    if upload.format == "ndjson":
        return None
    assert saved is not None
    profile = saved.profile
    if upload.format == "csv":
        return read_csv(
            upload.body,
            encoding=profile.encoding,
            delimiter=profile.delimiter,
            heading_row=profile.heading_row,
            rows_max=rows_max,
            more=more,
        )
    return read_xlsx(upload.body, sheet=profile.sheet, heading_row=profile.heading_row, rows_max=rows_max, more=more)


def split(body: bytes, kind: Kind, profile: Profile | None) -> list[Chunk]:
    """Cut JSON lines into chunks. Raises ImportRefused for an empty file or one with too many rows."""
    rows = [(line, stripped) for line, row in enumerate(body.split(b"\n"), start=1) if (stripped := row.strip())]
    if not rows:
        raise ImportRefused("the file holds no rows; each line is an invoice as JSON")
    if len(rows) > ROWS_MAX:
        raise ImportRefused(f"the file holds {len(rows):,} rows, at most {ROWS_MAX:,} are taken at once")
    member = column_of(profile, "number") if profile else "number"
    named = kind == "invoices" and member is not None
    return _chunks([(line, row, number_in(row, member) if named and member else None) for line, row in rows])


def split_table(table: Table, kind: Kind, profile: Profile) -> list[Chunk]:
    """The same for rows of cells, kept as JSON arrays. Raises ImportRefused for a table without rows."""
    if not table.rows:
        raise ImportRefused("the file holds headings, and no rows below them")
    place = place_of(profile, table.headings, "number") if kind == "invoices" else None
    return _chunks([(line, orjson.dumps(cells), _text(cells, place)) for line, cells in table.rows])


def _text(cells: Sequence[Typed], place: int | None) -> str | None:
    cell = cells[place] if place is not None and place < len(cells) else None
    return cell[1] if isinstance(cell, list) else cell and cell.strip()


def _chunks(rows: Sequence[tuple[int, bytes, str | None]]) -> list[Chunk]:
    """Rows in the order of the file, but those of one invoice number together, since one chunk issues them."""
    together: dict[str | int, list[tuple[int, bytes]]] = {}
    for line, content, number in rows:
        together.setdefault(number or line, []).append((line, content))
    chunks: list[Chunk] = []
    part: list[tuple[int, bytes]] = []
    for same in together.values():
        part += same
        if len(part) >= CHUNK_ROWS:
            chunks.append(Chunk.of(part))
            part = []
    return [*chunks, Chunk.of(part)] if part else chunks


def read_chunk(run: Run, chunk: Chunk) -> tuple[list[Row], dict[int, BadRow]]:
    """What the rows of a chunk ask for, and by line those that are refused."""
    return read_rows(chunk.lines(), kind=run.kind, entity_id=run.entity_id, profile=run.profile, headings=run.headings)


def read_table(profile: Profile, table: Table, kind: Kind) -> tuple[list[Row], dict[int, BadRow]]:
    """The same for the first rows of a table that is only looked at."""
    lines = [(line, orjson.dumps(cells)) for line, cells in table.rows]
    return read_rows(lines, kind=kind, entity_id=DEFAULT, profile=profile, headings=table.headings)


def usable(document: dict[str, Any], headings: Sequence[str]) -> tuple[Profile | None, str | None]:
    """A proposed profile where it can be used on these headings, or why not."""
    try:
        profile = Profile.model_validate(document)
        fits(profile, headings, built_in=False)
    except ValidationError as error:
        return None, "; ".join(str(each["msg"]).removeprefix("Value error, ") for each in error.errors())
    except DomainError as error:
        return None, error.detail
    return profile, None


# --- what is there already ---


def content_of(invoice: Invoice, settled_on: date | None) -> str:
    """All that a second row of the same number is compared by: customer, amounts, dates, and how it is delivered."""
    return "|".join(
        map(
            str,
            (
                *(invoice.customer_id, invoice.currency, invoice.net_minor, invoice.tax_minor, invoice.issue_date),
                *(invoice.due_date, invoice.reference, invoice.delivery_channel, settled_on),
            ),
        )
    )


def says_the_same(row: Row, drafted: Invoice, existing: Invoice) -> bool:
    """Whether a row asks for the invoice that is there: what it leaves open, dates and delivery, is as on the invoice.

    How far the invoice is paid by now does not matter, but a payment history wants it settled on its day.
    """
    issue_date, due_date = drafted.issue_date, drafted.due_date
    if row.wanted.issue_date is None:
        issue_date = existing.issue_date
        due_date = row.wanted.due_date or existing.due_date
    return (
        drafted.customer_id == existing.customer_id
        and (drafted.currency, drafted.net_minor, drafted.tax_minor)
        == (existing.currency, existing.net_minor, existing.tax_minor)
        and (issue_date, due_date) == (existing.issue_date, existing.due_date)
        and drafted.reference == existing.reference
        and row.wanted.delivery_channel in (None, existing.delivery_channel)
        and row.settled_on in (None, existing.settled_on)
    )


def opening_entries(invoices: Sequence[Invoice], today: date) -> list[Entry]:
    """Items of a former system are no sales of this one: they stand against the opening balance account."""
    return [
        Entry(
            invoice.entity_id,
            invoice.customer_id,
            invoice.raised_on,
            today,
            "opening",
            debit="trade_receivables",
            credit="opening_balance",
            amount_minor=invoice.total_minor,
            currency=invoice.currency,
            invoice_id=invoice.id,
        )
        for invoice in invoices
    ]


def paid_before_entry(invoice: Invoice, payment_id: UUID, effective_on: date, booked_on: date) -> Entry:
    """Money that a former system received never came to this one's bank: the payment is taken out of it again."""
    return Entry(
        invoice.entity_id,
        invoice.customer_id,
        effective_on,
        booked_on,
        "opening",
        debit="opening_balance",
        credit="bank",
        amount_minor=invoice.total_minor,
        currency=invoice.currency,
        payment_id=payment_id,
    )
