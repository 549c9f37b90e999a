"""Reports as comma-separated values (RFC 4180) and as columns of Parquet, as far as nothing is read or written."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any, Literal

from arro3.core import Array, DataType, Field, RecordBatch, Schema

from services.reporting.report_tables.rules import Cell, Column, Kind, Row, Table
from shared.errors import Refused
from shared.money import Money

Format = Literal["csv", "xlsx", "parquet"]
MEDIA_TYPES: Mapping[Format, str] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
SHEET_ROWS_MAX = 1_000_000
"""A sheet of a workbook ends at 1,048,576 rows."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes a spreadsheet take text for a formula (OWASP, CSV injection)."""

_MONEY = DataType.decimal128(28, 4)
"""Wide enough for each amount in each currency, and for a sum of many in the tools that widen sums by ten digits: one
type whatever currencies are in it, so that the files of several days are one data set."""
_FIGURE = DataType.decimal128(18, 6)
_EPOCH = date(1970, 1, 1).toordinal()


class TooLongForAWorkbook(Refused):
    slug = "too-long-for-a-workbook"
    title = "A workbook does not hold so many rows"


def file_name(report: str, as_of: date, suffix: str) -> str:
    return f"{report}-{as_of.isoformat()}.{suffix}"


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula: what begins like one gets an apostrophe before it."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def header(columns: Sequence[Column]) -> bytes:
    return lines([[column.name for column in columns]])


def lines(rows: Iterable[Row]) -> bytes:
    """Amounts and figures with a point, days as 2021-03-31, nothing for what is not known."""
    written = StringIO()
    csv.writer(written, lineterminator="\r\n").writerows([_text(cell) for cell in row] for row in rows)
    return written.getvalue().encode()


def _text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case str():
            return harmless(cell)
        case Money():
            return cell.amount
        case date():
            return cell.isoformat()
        case Decimal():
            return f"{cell:f}"
        case _:
            return str(cell)


class Totals:
    """The sum of each column that adds up, currency by currency, in the order in which they come."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._adding = [place for place, column in enumerate(columns) if column.adds]
        self._currency = next((place for place, column in enumerate(columns) if column.name == "currency"), None)
        self._width = len(columns)
        self._sums: dict[str, dict[int, Money | int]] = {}

    def add(self, rows: Iterable[Row]) -> None:
        if self._currency is None or not self._adding:
            return
        for row in rows:
            sums = self._sums.setdefault(str(row[self._currency]), {})
            for place in self._adding:
                cell = row[place]
                if isinstance(cell, Money):
                    before = sums.get(place)
                    sums[place] = before + cell if isinstance(before, Money) else cell
                elif isinstance(cell, int):
                    before = sums.get(place, 0)
                    sums[place] = cell + (before if isinstance(before, int) else 0)

    def rows(self) -> list[list[Cell]]:
        """A row a currency, named Total in its first column, unless the currency stands there."""
        found: list[list[Cell]] = []
        for currency, sums in self._sums.items():
            row: list[Cell] = [None] * self._width
            row[0] = "Total"
            assert self._currency is not None
            row[self._currency] = f"Total {currency}" if self._currency == 0 else currency
            for place, whole in sums.items():
                row[place] = whole
            found.append(row)
        return found


# What each kind of column is in Parquet: how its cells are handed over, and the type that they are cast to.
_COLUMNAR: Mapping[Kind, tuple[DataType, DataType]] = {
    "text": (DataType.utf8(), DataType.utf8()),
    "money": (DataType.utf8(), _MONEY),
    "number": (DataType.utf8(), _FIGURE),
    "percent": (DataType.utf8(), _FIGURE),
    "count": (DataType.int64(), DataType.int64()),
    "date": (DataType.int32(), DataType.date32()),
}


def schema_of(columns: Sequence[Column]) -> Schema:
    return Schema([Field(column.name, _COLUMNAR[column.kind][1], nullable=True) for column in columns])


def batch_of(columns: Sequence[Column], rows: Sequence[Row]) -> RecordBatch:
    """Text stays as it is: where a column has a type, nothing is taken for a formula."""
    arrays = [
        _array(column, [_columnar(row[place], column.kind) for row in rows]) for place, column in enumerate(columns)
    ]
    return RecordBatch.from_arrays(arrays, schema=schema_of(columns))


def _array(column: Column, cells: Sequence[str | int | None]) -> Array:
    handed_over, wanted = _COLUMNAR[column.kind]
    array = Array(cells, type=handed_over).cast(wanted)
    # A cast makes nothing of what does not fit, without a word.
    assert array.null_count == sum(cell is None for cell in cells), f"not all of {column.name} is {wanted}"
    return array


def _columnar(cell: Cell, kind: Kind) -> str | int | None:
    match cell:
        case None:
            return None
        case Money():
            return cell.amount
        case date():
            return cell.toordinal() - _EPOCH
        case Decimal():
            return f"{cell:f}"
        case int() if kind == "count":
            return cell
        case _:
            return str(cell)


def facts_of(table: Table) -> dict[str, str]:
    """What stands in a Parquet file beside its columns."""
    asked: dict[str, Any] = {name: value for name, value in table.asked.items() if name != "as_of"}
    return {
        "dueward.report": table.report,
        "dueward.as_of": table.as_of.isoformat(),
        "dueward.asked": json.dumps(asked, sort_keys=True),
    }
