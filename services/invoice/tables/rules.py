"""Tables of another system as rows of cells: CSV in whatever dialect, and spreadsheets (XLSX) that may be hostile.

A spreadsheet is a ZIP of XML. Before anything is unpacked its directory is read: sizes are what it says there, and no
more than that is ever unpacked of a part, so a bomb is refused by its own words. Parts with a document type, by which
XML bombs are built and files read, are refused; no spreadsheet has one.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Literal

import openpyxl

from shared.errors import Refused

COLUMNS_MAX = 200
CELL_CHARACTERS_MAX = 2_000
UNPACKED_BYTES_MAX = 256 * 1024 * 1024
PARTS_MAX = 2_000
BLANK_ROWS_MAX = 10_000
"""So many rows without anything, and a sheet is over: a stray format in its last row must not make a million of it."""

Delimiter = Literal[",", ";", "\t", "|"]
DELIMITERS: tuple[Delimiter, ...] = (",", ";", "\t", "|")
SNIFFED_ROWS = 50

Typed = str | list[str] | None
"""A cell: text as it stands, or a spreadsheet's own number `["n", "19.99"]` or date `["d", "2024-01-31"]`."""


class FileRefused(Refused):
    slug = "file-refused"
    title = "The file cannot be read"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that hold something, each with its line of the file (its row of the sheet), and how the file was read."""

    headings: list[str]
    rows: list[tuple[int, list[Typed]]]
    found: dict[str, Any]


def read_csv(body: bytes, *, encoding: str, delimiter: str, heading_row: int, rows_max: int, more: str) -> Table:
    """Read CSV; `auto` finds out encoding and delimiter. `more` is what to say of a file with too many rows.

    Raises FileRefused.
    """
    text, encoding = _decoded(body, encoding)
    if "\0" in text:
        raise FileRefused("the file holds the character U+0000; it is no text, or in another encoding")
    if delimiter == "auto":
        delimiter = _delimiter_of(text)
    return _table(
        _csv_rows(text, delimiter),
        heading_row,
        rows_max,
        more,
        {"format": "csv", "encoding": encoding, "delimiter": delimiter},
    )


def _decoded(body: bytes, encoding: str) -> tuple[str, str]:
    if encoding == "auto":
        marked = (b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")
        encodings = [name for mark, name in marked if body.startswith(mark)] or ["utf-8", "windows-1252"]
    else:
        encodings = [encoding]
    for name in encodings:
        try:
            return body.decode(name).removeprefix("\ufeff"), name
        except UnicodeError:
            continue
    raise FileRefused(f"the file is not in {' nor in '.join(encodings)}")


def _delimiter_of(text: str) -> Delimiter:
    """The one that cuts the first rows into most columns, the same number in each."""
    best: tuple[float, Delimiter] = (0, ",")
    for delimiter in DELIMITERS:
        head = [row for _, row in islice(_csv_rows(text[:200_000], delimiter, strict=False), SNIFFED_ROWS) if any(row)]
        widths = [len(row) for row in head]
        if not widths:
            continue
        usual = max(set(widths), key=widths.count)
        score = (usual - 1) * widths.count(usual) / len(widths)
        best = max(best, (score, delimiter), key=lambda each: each[0])
    return best[1]


def _csv_rows(text: str, delimiter: str, *, strict: bool = True) -> Iterator[tuple[int, list[Typed]]]:
    """Each row with the line that it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)
    line = 1
    try:
        for row in reader:
            yield line, list(row)
            line = reader.line_num + 1
    except csv.Error as error:
        raise FileRefused(f"line {line} is not CSV: {error}", line=line) from None


def read_xlsx(body: bytes, *, sheet: str | None, heading_row: int, rows_max: int, more: str) -> Table:
    """Read one sheet of a spreadsheet: what its cells show, formulas by their last result. Raises FileRefused."""
    _refuse_bombs(body)
    try:
        book = openpyxl.load_workbook(io.BytesIO(body), read_only=True, data_only=True, keep_links=False)
    except Exception as error:  # A broken part makes the library stumble over whatever is wrong with it.
        raise FileRefused(f"the file is no spreadsheet (XLSX): {str(error)[:200]}") from None
    try:
        names = [each.title for each in book.worksheets]
        if not names:
            raise FileRefused("the spreadsheet has no sheet")
        if sheet is not None and sheet not in names:
            raise FileRefused(f"there is no sheet {sheet!r}; there are {', '.join(map(repr, names[:20]))}")
        name = sheet or names[0]
        return _table(_sheet_rows(book[name]), heading_row, rows_max, more, {"format": "xlsx", "sheet": name})
    except FileRefused:
        raise
    except Exception as error:  # As above: rows are read from the file as they are wanted.
        raise FileRefused(f"the sheet cannot be read: {str(error)[:200]}") from None
    finally:
        book.close()


def _refuse_bombs(body: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as parts:
            infos = parts.infolist()
            if len(infos) > PARTS_MAX:
                raise FileRefused(f"the spreadsheet has {len(infos):,} parts, at most {PARTS_MAX:,} are taken")
            unpacked = sum(info.file_size for info in infos)
            if unpacked > UNPACKED_BYTES_MAX:
                raise FileRefused(
                    f"the spreadsheet unpacks to {unpacked:,} bytes, at most {UNPACKED_BYTES_MAX:,} are taken; "
                    "send it as CSV or in parts"
                )
            for info in infos:
                if info.flag_bits & 1:
                    raise FileRefused("the spreadsheet is encrypted; save it without a password")
                if info.filename.endswith((".xml", ".rels", ".vml")):
                    with parts.open(info) as part:
                        if b"<!DOCTYPE" in part.read(4_096).replace(b"\0", b"").upper():
                            raise FileRefused("the spreadsheet has a part with a document type, which none needs")
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError, ValueError) as error:
        raise FileRefused(f"the file is no spreadsheet (XLSX): {str(error)[:200]}") from None


def _sheet_rows(sheet: Any) -> Iterator[tuple[int, list[Typed]]]:
    sheet.reset_dimensions()  # What a file says of its size is not to be relied on.
    blank = 0
    for line, row in enumerate(sheet.iter_rows(max_col=COLUMNS_MAX + 1, values_only=True), start=1):
        cells = [_cell(value) for value in row]
        while cells and cells[-1] in (None, ""):
            cells.pop()
        blank = 0 if cells else blank + 1
        if blank > BLANK_ROWS_MAX:
            return
        yield line, cells


def _cell(value: Any) -> Typed:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return typed_number(value)
    if isinstance(value, datetime):
        return ["d", value.date().isoformat()]
    if isinstance(value, date):
        return ["d", value.isoformat()]
    return str(value)


def typed_number(value: float | Decimal) -> list[str]:
    """A spreadsheet's number as exact text: what binary fractions add beyond ten decimals is taken away."""
    exact = Decimal(repr(value) if isinstance(value, float) else value)
    if not exact.is_finite() or abs(exact) >= 10**18:
        return ["n", str(value)]
    text = format(round(exact, 10), "f")
    return ["n", text.rstrip("0").rstrip(".") if "." in text else text]


def _table(
    lines: Iterator[tuple[int, list[Typed]]], heading_row: int, rows_max: int, more: str, found: dict[str, Any]
) -> Table:
    headings: list[str] | None = None
    rows: list[tuple[int, list[Typed]]] = []
    for count, (line, cells) in enumerate(lines, start=1):
        if count < heading_row:
            continue
        if headings is None:
            headings = [_shown(cell) for cell in cells]
            if not any(headings):
                raise FileRefused(f"row {heading_row} should hold the headings and is empty")
            if len(headings) > COLUMNS_MAX:
                raise FileRefused(f"the file has more than {COLUMNS_MAX} columns")
            continue
        if not any(cell.strip() if isinstance(cell, str) else cell for cell in cells):
            continue
        if len(rows) >= rows_max:
            if not more:
                break
            raise FileRefused(more)
        rows.append((line, [_short(cell) for cell in cells[:COLUMNS_MAX]]))
    if headings is None:
        raise FileRefused("the file holds no headings")
    return Table(headings, rows, found)


def _shown(cell: Typed) -> str:
    return re.sub(r"\s+", " ", cell if isinstance(cell, str) else cell[1] if cell else "").strip()


def _short(cell: Typed) -> Typed:
    """Text that is longer than any field takes is cut just beyond that, so that the row is refused and not the file."""
    return cell[: CELL_CHARACTERS_MAX + 1] if isinstance(cell, str) else cell
