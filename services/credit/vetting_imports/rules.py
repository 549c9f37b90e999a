"""A CSV of what was learned about customers: a line an input, each taken or refused by itself."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from io import StringIO
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from services.credit.vetting.rules import MONEY_FIELDS, Particulars, Text
from shared.errors import Refused

LINES_MAX = 1_000
CHARACTERS_MAX = 1_000_000
_HEAD = ("external_id", "source", "dated_on", "expires_on", "currency")
_PARTICULARS: TypeAdapter[Particulars] = TypeAdapter(Particulars)


class UnusableFile(Refused):
    slug = "unusable-file"
    title = "The file cannot be read as inputs"


class _Head(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)

    external_id: str = Field(min_length=1, max_length=128)
    source: Text
    dated_on: date
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """`number` is the line in the file, from 1."""

    number: int
    external_id: str
    source: str
    dated_on: date
    expires_on: date | None
    particulars: Particulars


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """`field` is the column at fault, where there is one."""

    line: int
    field: str | None
    detail: str


def decoded(body: bytes) -> str:
    """Raises UnusableFile."""
    try:
        return body.decode()
    except UnicodeDecodeError as fault:
        raise UnusableFile(f"The file is not UTF-8: {fault.reason}.") from None


def read(text: str) -> list[Line | RefusedLine]:
    """In the order of the file. Raises UnusableFile for what is no such CSV, or too long a one."""
    if len(text) > CHARACTERS_MAX:
        raise UnusableFile(f"The file has {len(text)} characters; at most {CHARACTERS_MAX} are read at once.")
    reader = csv.DictReader(StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        columns = reader.fieldnames or ()
        lacking = [name for name in ("external_id", "kind", "source", "dated_on") if name not in columns]
        if lacking:
            raise UnusableFile(f"The first line names the columns; {', '.join(lacking)} are not among them.")
        lines = []
        for row in reader:
            if len(lines) == LINES_MAX:
                raise UnusableFile(f"At most {LINES_MAX} inputs are taken at once.")
            lines.append(_line(reader.line_num, row))
    except csv.Error as fault:
        raise UnusableFile(f"Line {reader.line_num} is no CSV: {fault}.") from None
    return lines


def _line(number: int, row: dict[str | Any, Any]) -> Line | RefusedLine:
    if None in row or None in row.values():
        return RefusedLine(number, None, "has more or fewer cells than there are columns")
    cells = {name: cell.strip() for name, cell in row.items() if cell.strip()}
    told: dict[str, Any] = {name: cell for name, cell in cells.items() if name not in _HEAD}
    for name in MONEY_FIELDS & told.keys():
        told[name] = {"amount": told[name], "currency": cells.get("currency", "")}
    try:
        head = _Head.model_validate({name: cells.get(name) for name in _Head.model_fields})
        particulars = _PARTICULARS.validate_python(told)
    except ValidationError as invalid:
        error = invalid.errors(include_url=False, include_input=False)[0]
        named = [str(part) for part in error["loc"] if part in row]
        return RefusedLine(number, named[0] if named else None, error["msg"])
    return Line(number, head.external_id, head.source, head.dated_on, head.expires_on, particulars)
