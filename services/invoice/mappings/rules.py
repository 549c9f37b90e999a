"""Mapping profiles: how a table of another system is read, cell by cell, as the rows that an import takes.

A profile names for each field a column, or a constant for all rows; values may be translated, numbers and dates are
read in the format said. Nothing is guessed when a file is imported: guessing is for the preview, which proposes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field, model_validator

from services.invoice.drafting.rules import Wire
from shared.errors import NotFound, Refused

Kind = Literal["invoices", "opening_balances", "payment_history"]
Content = Literal["text", "money", "number", "whole", "date"]

STANDARD = "standard"
"""The profile that is always there: the columns are called as the fields are."""
COLUMNS_MAX = 200
CELL_CHARACTERS_MAX = 2_000

CUSTOMER: dict[str, Content] = {"customer_external_id": "text", "customer_id": "text"}
_COMMON: dict[str, Content] = {
    "number": "text",
    "reference": "text",
    "issue_date": "date",
    "due_date": "date",
    "currency": "text",
    "entity_id": "text",
}
FIELDS: dict[Kind, dict[str, Content]] = {
    "invoices": {
        **CUSTOMER,
        **_COMMON,
        "line_number": "whole",
        "description": "text",
        "quantity": "number",
        "unit_price": "money",
        "tax_category": "text",
        "tax_rate": "number",
        "net_days": "whole",
        "delivery_channel": "text",
        "product_line": "text",
    },
    "opening_balances": {
        **CUSTOMER,
        **_COMMON,
        "balance": "money",
        "total": "money",
        "delivery_channel": "text",
        "product_line": "text",
    },
    "payment_history": {
        **CUSTOMER,
        **_COMMON,
        "total": "money",
        "settled_on": "date",
        "method": "text",
        "product_line": "text",
    },
}
"""Every field that a column may fill, and what is read from it."""
NEEDED: dict[Kind, tuple[str, ...]] = {
    "invoices": ("unit_price", "currency"),
    "opening_balances": ("number", "issue_date", "balance", "currency"),
    "payment_history": ("number", "issue_date", "total", "currency", "settled_on"),
}
EXAMPLES: dict[str, str] = {
    "customer_external_id": "C-1001",
    "number": "2024-0815",
    "reference": "PO 4711",
    "issue_date": "2024-03-01",
    "due_date": "2024-03-31",
    "currency": "EUR",
    "line_number": "1",
    "description": "Consulting",
    "quantity": "2.5",
    "unit_price": "120.00",
    "tax_category": "S",
    "tax_rate": "19",
    "delivery_channel": "email",
    "balance": "80.00",
    "total": "120.00",
    "settled_on": "2024-04-03",
    "method": "bank_transfer",
    "product_line": "SERVICES",
}


class ProfileNotFound(NotFound):
    slug = "import-profile-not-found"
    title = "There is no such import profile"


class ProfileRefused(Refused):
    slug = "import-profile"
    title = "The import profile cannot be used"


DateFormat = Annotated[
    str,
    Field(max_length=20, pattern=r"^(%[dmYyjbB]|[./ -]){3,20}$", examples=["%d.%m.%Y"], description="As strptime's"),
]
DecimalMark = Literal[".", ","]
Cell = Annotated[str, Field(max_length=CELL_CHARACTERS_MAX)]


class ColumnIn(Wire):
    """One column of the file and the field that it fills."""

    column: Annotated[str, Field(min_length=1, max_length=200, description="Its heading, or its number from 1")]
    field: str
    values: Annotated[dict[Cell, Cell], Field(max_length=1_000)] = Field(
        default_factory=dict, description="What cells mean: {'Y': 'email'}; others are taken as they are"
    )
    date_format: DateFormat | None = None
    decimal_mark: DecimalMark | None = None


class Profile(Wire):
    """How files of one kind are read. Formats of the file itself count for CSV; a spreadsheet brings its own numbers
    and dates, and only its text cells are read by the formats here."""

    kind: Kind
    delimiter: Literal["auto", ",", ";", "\t", "|"] = "auto"
    encoding: Literal["auto", "utf-8", "windows-1252", "latin-1", "utf-16"] = Field(
        default="auto", description="auto: by its byte order mark, else UTF-8, else Windows-1252"
    )
    sheet: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="Of a spreadsheet; left out: the first"
    )
    heading_row: Annotated[int, Field(strict=True, ge=1, le=100)] = 1
    date_format: DateFormat = "%Y-%m-%d"
    decimal_mark: DecimalMark = "."
    columns: Annotated[tuple[ColumnIn, ...], Field(max_length=COLUMNS_MAX)]
    constants: dict[str, Cell] = Field(default_factory=dict, max_length=50)

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Profile:
        fields = FIELDS[self.kind]
        filled = [*(column.field for column in self.columns), *self.constants]
        unknown = [name for name in filled if name not in fields]
        if unknown:
            raise ValueError(f"{self.kind} have no field {', '.join(unknown)}; there are {', '.join(fields)}")
        twice = sorted({name for name in filled if filled.count(name) > 1})
        if twice:
            raise ValueError(f"filled twice: {', '.join(twice)}")
        missing = [name for name in NEEDED[self.kind] if name not in filled]
        if missing:
            raise ValueError(f"{self.kind} need {', '.join(missing)}")
        if not set(CUSTOMER) & set(filled):
            raise ValueError("name the customer, by customer_external_id or customer_id")
        return self


def standard(kind: Kind) -> Profile:
    """The built-in profile of a kind: columns named as the fields, ISO dates, decimal points."""
    return Profile(kind=kind, columns=tuple(ColumnIn(column=name, field=name) for name in FIELDS[kind]))


@dataclass(frozen=True, slots=True)
class Saved:
    """A version of a profile."""

    name: str
    version: int
    profile: Profile
    saved_at: datetime
    saved_by: str


@lru_cache
def read_profile(document: str) -> Profile:
    return Profile.model_validate_json(document)


def template(profile: Profile) -> str:
    """A file to fill in: the headings of the profile and one row of examples, in its formats."""
    delimiter = profile.delimiter if profile.delimiter != "auto" else ("," if profile.decimal_mark == "." else ";")
    headings = [column.column for column in profile.columns if column.field != "customer_id"]
    cells = [_example(column, profile) for column in profile.columns if column.field != "customer_id"]
    rows = [delimiter.join(_quoted(cell, delimiter) for cell in row) for row in (headings, cells)]
    return "\r\n".join([*[""] * (profile.heading_row - 1), *rows, ""])


def _example(column: ColumnIn, profile: Profile) -> str:
    example = EXAMPLES.get(column.field, "")
    content = FIELDS[profile.kind][column.field]
    back = {meaning: cell for cell, meaning in column.values.items()}
    if example in back:
        return back[example]
    if content == "date" and example:
        return date.fromisoformat(example).strftime(column.date_format or profile.date_format)
    if content in ("money", "number"):
        return example.replace(".", column.decimal_mark or profile.decimal_mark)
    return example


def _quoted(cell: str, delimiter: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if {delimiter, '"', "\r", "\n"} & set(cell) else cell
