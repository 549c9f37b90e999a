"""An import: a file of invoices, of open items of a former system, or of what was paid in it, judged row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import AfterValidator, Field, ValidationError, model_validator

from services.invoice.drafting.rules import DeliveryChannel, ExternalId, InvoiceIn, InvoiceNumber, IsoDate, Wire
from services.invoice.invoices.rules import Invoice
from services.invoice.journal.rules import Entry
from services.invoice.mappings.rules import Kind, Layout, Profile, Reason, fits, lay_out, map_row
from services.invoice.pricing.rules import ONE, Line, Priced, price
from services.invoice.tables.rules import Table, Typed, typed_number
from shared.errors import DomainError, NotFound, Refused
from shared.money import Money

__all__ = ["Kind", "Reason"]

Mode = Literal["partial", "atomic"]
"""Good rows stand without the bad ones, or all or nothing."""
Format = Literal["ndjson", "csv", "xlsx"]
Status = Literal["running", "completed", "refused"]
Step = Literal["issue", "judge", "together"]

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


# --- rows of a former system ---


def _more_than_nothing(amount: Money) -> Money:
    if amount.minor <= 0:
        raise ValueError("an amount above zero is wanted")
    return amount


Amount = Annotated[Money, AfterValidator(_more_than_nothing)]


class FormerInvoice(Wire):
    """An invoice of a former system: it keeps its number and dates."""

    customer_id: UUID | None = None
    customer_external_id: ExternalId | None = None
    number: InvoiceNumber
    issue_date: IsoDate
    due_date: IsoDate | None = None
    reference: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    delivery_channel: DeliveryChannel = "email"

    @model_validator(mode="after")
    def _one_customer(self) -> FormerInvoice:
        if (self.customer_id is None) == (self.customer_external_id is None):
            raise ValueError("name the customer once, by customer_id or by customer_external_id")
        return self


class OpenItem(FormerInvoice):
    """What is still owed of it. The tax was declared where it was issued, so the item has none."""

    balance: Amount = Field(description="What is still owed, tax included")
    total: Amount | None = Field(default=None, description="What it came to; told on the line")

    @model_validator(mode="after")
    def _owes_at_most_all(self) -> OpenItem:
        if self.total and (self.total.currency != self.balance.currency or self.total.minor < self.balance.minor):
            raise ValueError("the balance is at most the total, in its currency")
        return self

    @property
    def settled_on(self) -> date | None:
        return None

    def priced(self) -> Priced:
        of = f" of {self.total}" if self.total else ""
        return price([Line(f"Balance brought forward{of}", ONE, self.balance)])


class PaidInvoice(FormerInvoice):
    """Paid in full in the former system: it tells how its customer pays."""

    total: Amount
    settled_on: IsoDate
    method: Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[a-z][a-z_]*$")] = "bank_transfer"

    @model_validator(mode="after")
    def _paid_after_issue(self) -> PaidInvoice:
        if self.settled_on < self.issue_date:
            raise ValueError("it was not paid before it was issued")
        return self

    def priced(self) -> Priced:
        return price([Line("Paid in a former system", ONE, self.total)])


Wanted = InvoiceIn | OpenItem | PaidInvoice
_SHAPES: dict[Kind, type[InvoiceIn] | type[OpenItem] | type[PaidInvoice]] = {
    "invoices": InvoiceIn,
    "opening_balances": OpenItem,
    "payment_history": PaidInvoice,
}


@dataclass(frozen=True, slots=True)
class Row:
    """A line that reads as what its import is of, and adds up."""

    line: int
    wanted: Wanted
    priced: Priced

    @property
    def settled_on(self) -> date | None:
        return self.wanted.settled_on if isinstance(self.wanted, PaidInvoice) else None


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


TOO_MANY = f"the file holds more than {ROWS_MAX:,} rows, at most that many are taken at once"


def split_table(table: Table) -> list[Chunk]:
    """The same for rows of cells, each kept with its line. Raises ImportRefused for a table without rows."""
    if not table.rows:
        raise ImportRefused("the file holds headings, and no rows below them")
    return [
        Chunk(part[0][0], b"\n".join(orjson.dumps([line, *cells]) for line, cells in part), len(part))
        for start in range(0, len(table.rows), CHUNK_ROWS)
        if (part := table.rows[start : start + CHUNK_ROWS])
    ]


def read_chunk(run: Run, chunk: Chunk) -> tuple[list[Row], dict[int, BadRow]]:
    """The rows of a chunk that read as they should, and by line those that do not."""
    if run.profile is None:
        shape = _SHAPES[run.kind]
        read = [read_row(line, content, shape) for line, content in chunk.lines()]
    elif run.headings is not None:
        read = read_rows(run.profile, run.headings, chunk)
    else:
        read = [_read_object(run.profile, line, content) for line, content in chunk.lines()]
    rows: list[Row] = []
    bad: dict[int, BadRow] = {}
    for each in read:
        if isinstance(each, Row):
            rows.append(each)
        else:
            bad[each.line] = each
    return rows, bad


def read_rows(profile: Profile, headings: Sequence[str], chunk: Chunk) -> list[Row | BadRow]:
    """The rows of a table's chunk, by a profile."""
    layout = lay_out(profile, headings)
    return [_read_cells(layout, line, cells) for line, *cells in map(orjson.loads, chunk.body.split(b"\n"))]


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


def _read_cells(layout: Layout, line: int, cells: Sequence[Typed]) -> Row | BadRow:
    mapped, reasons = map_row(layout, cells)
    if reasons:
        return BadRow(line, tuple(reasons))
    row = read_row(line, orjson.dumps(mapped), _SHAPES[layout.profile.kind])
    return _in_terms_of_fields(row) if isinstance(row, BadRow) else row


def _read_object(profile: Profile, line: int, content: bytes) -> Row | BadRow:
    """A JSON object whose members are the columns of a profile."""
    try:
        members = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        return BadRow(line, (Reason("#", f"is not JSON: {error}"),))
    if not isinstance(members, dict) or not all(isinstance(v, str | int | float | None) for v in members.values()):
        return BadRow(line, (Reason("#", "with a profile, a line is a JSON object of plain values"),))
    cells = [_plain_cell(value) for value in members.values()]
    return _read_cells(lay_out(profile, list(members)), line, cells)


def _plain_cell(value: str | float | None) -> Typed:
    if isinstance(value, bool):
        return "true" if value else "false"
    return typed_number(value) if isinstance(value, int | float) else value


_FIELD_AT = {
    "/lines/0/unit_price": "unit_price",
    "/lines/0/quantity": "quantity",
    "/lines/0/description": "description",
    "/lines/0/tax/rate": "tax_rate",
    "/lines/0/tax/category": "tax_category",
    "/lines/0/tax": "tax_category",
    "/payment_terms/net_days": "net_days",
    "/lines": "unit_price",
}


def _in_terms_of_fields(row: BadRow) -> BadRow:
    """What is wrong with a row of cells, said of the fields that its columns fill."""

    def named(reason: Reason) -> Reason:
        path = reason.pointer.removeprefix("#")
        for place, name in _FIELD_AT.items():
            if path == place or path.startswith(place + "/"):
                return Reason(f"#/{name}", reason.detail)
        return reason

    return BadRow(row.line, tuple(map(named, row.reasons)))


def read_row(line: int, content: bytes, shape: Any = InvoiceIn) -> Row | BadRow:
    """One line as an invoice (or what else an import is of), or every reason why it is none."""
    if len(content) > ROW_BYTES_MAX:
        return BadRow(line, (Reason("#", f"the row has {len(content):,} bytes, at most {ROW_BYTES_MAX:,} are read"),))
    if b"\\u0000" in content:
        return BadRow(line, (Reason("#", "text with the character U+0000 cannot be kept"),))
    try:
        wanted = shape.model_validate_json(content)
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
    """Whether a row asks for the invoice that is there: dates that it leaves open are those of the invoice.

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
        and (drafted.reference, drafted.delivery_channel) == (existing.reference, existing.delivery_channel)
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
