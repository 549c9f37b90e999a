"""Rows of an import: each line of a file read by itself, then those of one number put together as one invoice.

An invoice is taken with all of its rows or with none: where one cannot be read, or two do not agree, none of them is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import AfterValidator, Field, ValidationError, model_validator

from services.invoice.drafting.rules import (
    LINES_MAX,
    DeliveryChannel,
    ExternalId,
    InvoiceIn,
    InvoiceNumber,
    IsoDate,
    Wire,
)
from services.invoice.mapped_rows.rules import Layout, Reason, lay_out, map_row
from services.invoice.mappings.rules import Kind, Profile
from services.invoice.pricing.rules import ONE, Line, LineDetails, Priced, ProductLine, price
from services.invoice.tables.rules import Typed, typed_number
from shared.errors import DomainError
from shared.money import Money

ROW_BYTES_MAX = 256 * 1024


class InvoiceRow(InvoiceIn):
    """An invoice, or some of its lines: rows of the same number that agree in everything else are one invoice."""

    line_number: Annotated[int, Field(ge=1, le=999_999)] | None = Field(
        default=None, description="Where the row stands in its invoice; left out: in the order of the file"
    )


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
    delivery_channel: DeliveryChannel | None = None
    entity_id: Annotated[str, Field(min_length=1, max_length=64)] = Field(
        default="default", description="Left out: the entity that the import is for"
    )
    product_line: ProductLine | None = None

    @model_validator(mode="after")
    def _one_customer(self) -> FormerInvoice:
        if (self.customer_id is None) == (self.customer_external_id is None):
            raise ValueError("name the customer once, by customer_id or by customer_external_id")
        return self

    def _priced(self, description: str, amount: Money) -> Priced:
        sold_as = LineDetails(about={"product_line": self.product_line}) if self.product_line else None
        return price([Line(description, ONE, amount, details=sold_as)])


class OpenItem(FormerInvoice):
    """What is still owed of it. The tax was declared where it was issued, so the item has none."""

    balance: Amount = Field(description="What is still owed, tax included")
    total: Amount | None = Field(default=None, description="What it came to; told on the line")

    @model_validator(mode="after")
    def _owes_at_most_all(self) -> OpenItem:
        if self.total and (self.total.currency != self.balance.currency or self.total.minor < self.balance.minor):
            raise ValueError("the balance is at most the total, in its currency")
        return self

    def priced(self) -> Priced:
        of = f" of {self.total}" if self.total else ""
        return self._priced(f"Balance brought forward{of}", self.balance)


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
        return self._priced("Paid in a former system", self.total)


Wanted = InvoiceIn | OpenItem | PaidInvoice
_SHAPES: dict[Kind, type[InvoiceRow] | type[OpenItem] | type[PaidInvoice]] = {
    "invoices": InvoiceRow,
    "opening_balances": OpenItem,
    "payment_history": PaidInvoice,
}


@dataclass(frozen=True, slots=True)
class Row:
    """What one line of the file asks for and comes to, or several lines together, the first of them `line`."""

    line: int
    entity_id: str
    wanted: Wanted
    priced: Priced
    further: tuple[int, ...] = ()

    @property
    def lines(self) -> tuple[int, ...]:
        return self.line, *self.further

    @property
    def key(self) -> str | None:
        """Its number with the entity, whose numbers are its own; no number has a colon."""
        return f"{self.entity_id}:{self.wanted.number}" if self.wanted.number else None

    @property
    def settled_on(self) -> date | None:
        return self.wanted.settled_on if isinstance(self.wanted, PaidInvoice) else None

    def refused(self, *reasons: Reason) -> dict[int, BadRow]:
        """Each of its lines with the reasons, by line."""
        return {line: BadRow(line, reasons) for line in self.lines}


@dataclass(frozen=True, slots=True)
class BadRow:
    line: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """A line by itself: what it asks for, or why it cannot be read; `key` is what the rows of an invoice share."""

    line: int
    entity_id: str
    number: str | None
    wanted: Wanted | None
    reasons: tuple[Reason, ...] = ()

    @property
    def key(self) -> tuple[str, str] | int:
        return (self.entity_id, self.number) if self.number else self.line


def read_rows(
    lines: Iterable[tuple[int, bytes]],
    *,
    kind: Kind,
    entity_id: str,
    profile: Profile | None = None,
    headings: Sequence[str] | None = None,
) -> tuple[list[Row], dict[int, BadRow]]:
    """What lines ask for, and by line those that are refused. With `headings` a line is a JSON array of cells, with a
    profile alone an object whose members are its columns, else an object with the fields of its kind."""
    shape = _SHAPES[kind]
    if profile is None:
        read = [_read(line, content, shape, entity_id) for line, content in lines]
    elif headings is not None:
        layout = lay_out(profile, headings)
        read = [_read_cells(layout, line, orjson.loads(content), entity_id) for line, content in lines]
    else:
        read = [_read_object(profile, line, content, entity_id) for line, content in lines]
    return _put_together(read, by_number=kind == "invoices", of_cells=profile is not None)


def _put_together(read: Sequence[Read], *, by_number: bool, of_cells: bool) -> tuple[list[Row], dict[int, BadRow]]:
    parts: dict[Any, list[Read]] = {}
    for each in read:
        parts.setdefault(each.key if by_number else each.line, []).append(each)
    rows: list[Row] = []
    bad: dict[int, BadRow] = {}
    for same in parts.values():
        if refused := _disagreement(same):
            bad |= refused
            continue
        row = _joined(same)
        if isinstance(row, Row):
            rows.append(row)
            continue
        reason = _in_terms_of_a_field(row) if of_cells else row
        bad |= {each.line: BadRow(each.line, (reason,)) for each in same}
    return rows, bad


def _joined(same: Sequence[Read]) -> Row | Reason:
    """The invoice that rows of one number are together, or why it adds up to none."""
    first = same[0]
    wanted = first.wanted
    assert wanted is not None
    if len(same) > 1:
        invoices = [each.wanted for each in same if isinstance(each.wanted, InvoiceRow)]
        if all(each.line_number for each in invoices):
            invoices.sort(key=lambda each: each.line_number or 0)
        lines = [line for each in invoices for line in each.lines]
        if len(lines) > LINES_MAX:
            return Reason("#/lines", f"an invoice of {len(lines):,} lines; it has at most {LINES_MAX:,}")
        wanted = wanted.model_copy(update={"lines": lines})
    try:
        return Row(first.line, first.entity_id, wanted, wanted.priced(), tuple(each.line for each in same[1:]))
    except DomainError as error:
        return reason_of(error)


def _disagreement(same: Sequence[Read]) -> dict[int, BadRow]:
    """By line, why rows of one number are no invoice; empty where they are one."""
    unread = [each for each in same if each.wanted is None]
    if unread:
        because = Reason("#/number", f"line {unread[0].line} is of the same invoice and cannot be taken")
        return {each.line: BadRow(each.line, each.reasons or (because,)) for each in same}
    first = same[0]
    said: dict[int | None, int] = {}
    for each in same[1:]:
        if name := _differing(first.wanted, each.wanted):
            reason = Reason(f"#/{name}", f"lines {first.line} and {each.line} are of one invoice and differ in {name}")
            return {each.line: BadRow(each.line, (reason,)) for each in same}
    for place, each in enumerate(same if len(same) > 1 else ()):
        at = getattr(each.wanted, "line_number", None)
        twin = said.get(at) if at else next((e.line for e in same[:place] if e.wanted == each.wanted), None)
        if twin:
            what = f"are both number {at} of one invoice" if at else "say the same; meant as two, they need line_number"
            reason = Reason("#/line_number", f"lines {twin} and {each.line} {what}")
            return {each.line: BadRow(each.line, (reason,)) for each in same}
        said[at] = each.line
    return {}


_HEAD = tuple(name for name in InvoiceRow.model_fields if name not in ("lines", "line_number", "entity_id"))


def _differing(one: Wanted | None, other: Wanted | None) -> str | None:
    return next((name for name in _HEAD if getattr(one, name) != getattr(other, name)), None)


def _read_cells(layout: Layout, line: int, cells: Sequence[Typed], entity_id: str) -> Read:
    mapped, reasons = map_row(layout, cells)
    number, seller = mapped.get("number"), mapped.get("entity_id") or entity_id
    if reasons:
        return Read(line, seller, number, None, tuple(reasons))
    read = _read(line, orjson.dumps(mapped), _SHAPES[layout.profile.kind], entity_id)
    if read.wanted:
        return read
    return Read(line, seller, number, None, tuple(map(_in_terms_of_a_field, read.reasons)))


def _read_object(profile: Profile, line: int, content: bytes, entity_id: str) -> Read:
    """A JSON object whose members are the columns of a profile."""
    try:
        members = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        return Read(line, entity_id, None, None, (Reason("#", f"is not JSON: {error}"),))
    if not isinstance(members, dict) or not all(isinstance(v, str | int | float | None) for v in members.values()):
        reason = Reason("#", "with a profile, a line is a JSON object of plain values")
        return Read(line, entity_id, None, None, (reason,))
    cells = [_plain_cell(value) for value in members.values()]
    return _read_cells(lay_out(profile, list(members)), line, cells, entity_id)


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
    "/lines/0/product_line": "product_line",
    "/payment_terms/net_days": "net_days",
    "/lines": "unit_price",
}


def _in_terms_of_a_field(reason: Reason) -> Reason:
    """What is wrong with a row of cells, said of the field that its column fills."""
    path = reason.pointer.removeprefix("#")
    for place, name in _FIELD_AT.items():
        if path == place or path.startswith(place + "/"):
            return Reason(f"#/{name}", reason.detail)
    return reason


def _read(line: int, content: bytes, shape: type[InvoiceRow | OpenItem | PaidInvoice], entity_id: str) -> Read:
    """One line as an invoice (or what else an import is of), or every reason why it is none."""
    reasons: tuple[Reason, ...]
    if len(content) > ROW_BYTES_MAX:
        reasons = (Reason("#", f"the row has {len(content):,} bytes, at most {ROW_BYTES_MAX:,} are read"),)
        return Read(line, entity_id, None, None, reasons)
    if b"\\u0000" in content:
        reasons = (Reason("#", "text with the character U+0000 cannot be kept"),)
        return Read(line, entity_id, number_in(content), None, reasons)
    try:
        wanted = shape.model_validate_json(content)
    except ValidationError as error:
        reasons = tuple(map(_reason, error.errors(include_url=False, include_input=False)))
        return Read(line, entity_id, number_in(content), None, reasons)
    own = wanted.entity_id if "entity_id" in wanted.model_fields_set else entity_id
    return Read(line, own, wanted.number, wanted)


def number_in(content: bytes, member: str = "number") -> str | None:
    """The invoice number that a line of JSON names, whatever else is wrong with it."""
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    number = found.get(member) if isinstance(found, dict) else None
    return str(number).strip() if isinstance(number, str | int) and number else None


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
