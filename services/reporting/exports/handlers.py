"""Reports as files. Rows are written as they are read, so that a million of them take no more memory than a few."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import xlsxwriter
from arro3.core import RecordBatchReader
from arro3.io import read_ipc_stream, write_ipc_stream, write_parquet

from services.reporting.exports import rules
from services.reporting.exports.rules import SHEET_ROWS_MAX, Format, TooLongForAWorkbook, Totals
from services.reporting.report_tables.rules import Cell, Column, Row, Table
from shared.money import Money, exponent

PIECE_BYTES = 64 * 1024
ROW_GROUP_ROWS = 100_000
WIDTHS = {"text": 18, "money": 17, "number": 12, "percent": 12, "count": 11, "date": 12}
WIDER = {
    "customer": 34,
    "customer_name": 34,
    "label": 28,
    "customer_id": 38,
    "benchmark_of": 46,
    "benchmark_source": 60,
}
FORMATS = {"number": "#,##0.00", "percent": '0.00" %"', "count": "#,##0", "date": "yyyy-mm-dd"}


async def export(table: Table, form: Format) -> AsyncGenerator[bytes]:
    """The file, piece by piece. Raises TooLongForAWorkbook before the first one."""
    if form == "csv":
        yield rules.header(table.columns)
        async for rows in table.chunks:
            yield rules.lines(rows)
        return
    with TemporaryDirectory(prefix="dueward-export-") as folder:
        path = Path(folder) / f"report.{form}"
        await (_write_workbook if form == "xlsx" else _write_parquet)(table, path)
        with path.open("rb") as file:
            while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
                yield piece


async def export_whole(table: Table, form: Format) -> bytes:
    """The same in one piece, as it is attached to a mail."""
    return b"".join([piece async for piece in export(table, form)])


async def _write_workbook(table: Table, path: Path) -> None:
    """Writing takes processor time, so it is done beside the event loop, chunk by chunk."""
    book = xlsxwriter.Workbook(
        path,
        {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_formulas": False, "strings_to_urls": False},
    )
    sheet = _Sheet(book, table)
    totals = Totals(table.columns)
    async for rows in table.chunks:
        if sheet.row + len(rows) > SHEET_ROWS_MAX:
            raise TooLongForAWorkbook(f"there are more than {SHEET_ROWS_MAX} rows; take them as CSV, or ask for fewer")
        totals.add(rows)
        await asyncio.to_thread(sheet.write, rows)
    await asyncio.to_thread(sheet.finish, totals.rows())


async def _write_parquet(table: Table, path: Path) -> None:
    """Its writer takes all rows in one call, so they are laid by beside the file first, chunk by chunk."""
    laid_by: list[Path] = []
    async for rows in table.chunks:
        laid_by.append(path.with_name(f"{len(laid_by)}.arrow"))
        await asyncio.to_thread(_lay_by, table, rows, laid_by[-1])
    await asyncio.to_thread(_gather, table, laid_by, path)


def _lay_by(table: Table, rows: Sequence[Row], path: Path) -> None:
    write_ipc_stream(rules.batch_of(table.columns, rows), path)


def _gather(table: Table, laid_by: Sequence[Path], path: Path) -> None:
    batches = (batch for each in laid_by for batch in read_ipc_stream(each))
    write_parquet(
        RecordBatchReader.from_batches(rules.schema_of(table.columns), batches),
        path,
        compression="zstd(3)",
        max_row_group_size=ROW_GROUP_ROWS,
        key_value_metadata=rules.facts_of(table),
    )


class _Sheet:
    """The report's sheet: a header that stays in place, amounts with their currency's decimals, totals at the end; and
    beside it a sheet that says what was asked."""

    def __init__(self, book: Any, table: Table) -> None:
        self._book, self._columns = book, table.columns
        self._formats: dict[tuple[str, bool], Any] = {}
        self._sheet = book.add_worksheet(table.title[:31])
        head = book.add_format(
            {"bold": True, "bg_color": "#0E5A53", "font_color": "#FFFFFF", "text_wrap": True, "valign": "top"}
        )
        for place, column in enumerate(table.columns):
            width = WIDER.get(column.name, WIDTHS[column.kind])
            self._sheet.set_column(place, place, width)
            self._sheet.write_string(0, place, column.title, head)
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_landscape()
        self._sheet.fit_to_pages(1, 0)
        self._sheet.repeat_rows(0)
        self.row = 1
        self._about(table)

    def _about(self, table: Table) -> None:
        about = self._book.add_worksheet("About")
        about.set_column(0, 0, 22)
        about.set_column(1, 1, 60)
        bold = self._book.add_format({"bold": True})
        asked = {name: value for name, value in table.asked.items() if name != "as_of"}
        facts = {"Report": table.title, "At the end of": table.as_of.isoformat(), **asked}
        for row, (name, value) in enumerate(facts.items()):
            about.write_string(row, 0, name.replace("_", " ").capitalize(), bold)
            about.write_string(row, 1, str(value))

    def write(self, rows: Sequence[Row], *, bold: bool = False) -> None:
        for row in rows:
            for place, (cell, column) in enumerate(zip(row, self._columns, strict=True)):
                self._put(place, cell, column, bold)
            self.row += 1

    def finish(self, totals: Sequence[Row]) -> None:
        if self.row > 1:
            self._sheet.autofilter(0, 0, self.row - 1, len(self._columns) - 1)
        self.write(totals, bold=True)
        self._book.close()

    def _put(self, place: int, cell: Cell, column: Column, bold: bool) -> None:
        if isinstance(cell, Money):
            places = exponent(cell.currency)
            form = self._format("#,##0" + ("." + "0" * places if places else ""), bold)
            self._sheet.write_number(self.row, place, cell.decimal, form)
        elif cell is None:
            if bold:
                self._sheet.write_blank(self.row, place, None, self._format("General", bold))
        elif column.kind == "date":
            self._sheet.write_datetime(self.row, place, cell, self._format(FORMATS["date"], bold))
        elif column.kind in FORMATS and not isinstance(cell, str):
            self._sheet.write_number(self.row, place, cell, self._format(FORMATS[column.kind], bold))
        else:
            self._sheet.write_string(self.row, place, str(cell), self._format("General", bold))

    def _format(self, number: str, bold: bool) -> Any:
        known = self._formats.get((number, bold))
        if known is None:
            more = {"bold": True, "top": 1} if bold else {}
            known = self._formats[number, bold] = self._book.add_format({"num_format": number, **more})
        return known
