"""Reports as files: the same figures as over HTTP, harmless in a spreadsheet, and however long."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from services.reporting.exports import handlers, rules
from services.reporting.report_tables import rules as report_tables
from services.reporting.report_tables.handlers import CHUNK
from services.reporting.report_tables.rules import SPECS, Cell, Column, Row, Table
from shared.money import Money
from tests.reporting.books import Books
from tests.reporting.client import Reporting, problem

D = date


def a_ledger() -> Books:
    books = Books()
    evil, acme = books.onboard('=HYPERLINK("http://evil")', "retail"), books.onboard("Acme", "key")
    for month in range(1, 8):
        item = books.issue(acme, D(2021, month, 5), 1_000_50)
        if month < 6:
            books.pay(item, D(2021, month + 2, 1))
    books.issue(evil, D(2021, 6, 10), 2_500_00)
    books.issue(evil, D(2021, 6, 10), 99_999, "JPY")
    books.remind(acme, D(2021, 7, 6), "first_reminder", (books.items[5].number,))
    return books


async def rows(reporting: Reporting, report: str, **query: Any) -> list[dict[str, str]]:
    answer = await reporting.http.get(f"/v1/reports/{report}.csv", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    return list(csv.DictReader(StringIO(answer.text)))


async def workbook(reporting: Reporting, report: str, **query: Any) -> Any:
    answer = await reporting.http.get(f"/v1/reports/{report}.xlsx", params=query)
    assert answer.status_code == 200, answer.text
    return openpyxl.load_workbook(BytesIO(answer.content))


async def test_a_file_has_the_figures_of_its_report(reporting: Reporting) -> None:
    await reporting.hear(a_ledger())
    as_of = "2021-07-31"
    shown = (await reporting.get("/v1/reports/ageing", as_of=as_of, group_by="segment"))["items"]
    for row, item in zip(await rows(reporting, "ageing", as_of=as_of, group_by="segment"), shown, strict=True):
        for name in ("currency", "group", "current", "d1_30", "d31_60", "d91_plus", "total", "overdue"):
            assert row[name] == item[name], name
    (kpis,) = (await reporting.get("/v1/reports/kpis", as_of=as_of, currency="EUR"))["items"]
    trend = await rows(reporting, "trend", as_of=as_of, months=2, currency="EUR")
    assert [row["on"] for row in trend] == ["2021-05-31", "2021-06-30", as_of]
    assert trend[-1]["dso"] == kpis["dso"]
    assert [row["total"] for row in await rows(reporting, "top-debtors", as_of=as_of)] == [
        "2500.00",
        "2001.00",
        "99999",
    ]
    for report in SPECS:
        for row in await rows(reporting, report, as_of=as_of):
            assert None not in row, report
        book = await workbook(reporting, report, as_of=as_of)
        assert [sheet.title for sheet in book] == [SPECS[report].title[:31], "About"]


async def test_a_workbook_is_formatted_by_currency_and_adds_up(reporting: Reporting) -> None:
    await reporting.hear(a_ledger())
    book = await workbook(reporting, "open-invoices", as_of="2021-07-31", late_min=0)
    sheet, about = book.worksheets
    head = {cell.value: cell.column - 1 for cell in sheet[1]}
    assert sheet.freeze_panes == "A2"
    found = list(sheet.iter_rows(min_row=2))
    yen, euro = (next(row for row in found if row[head["Currency"]].value == code) for code in ("JPY", "EUR"))
    assert (yen[head["Open"]].value, yen[head["Open"]].number_format) == (99_999, "#,##0")
    assert (euro[head["Open"]].number_format, euro[head["Issued"]].number_format) == ("#,##0.00", "yyyy-mm-dd")
    assert isinstance(euro[head["Issued"]].value, datetime)
    totals = {row[head["Currency"]].value: row[head["Open"]] for row in found if row[0].value == "Total"}
    assert {code: cell.value for code, cell in totals.items()} == {"EUR": 3_500.5, "JPY": 99_999}
    assert totals["EUR"].font.bold
    assert [[cell.value for cell in row] for row in about.iter_rows()] == [
        ["Report", "Open invoices"],
        ["At the end of", "2021-07-31"],
        ["Late min", "0"],
    ]


async def test_what_looks_like_a_formula_stays_text(reporting: Reporting) -> None:
    await reporting.hear(a_ledger())
    named = [row["customer_name"] for row in await rows(reporting, "open-invoices", as_of="2021-07-31")]
    assert '\'=HYPERLINK("http://evil")' in named
    book = await workbook(reporting, "open-invoices", as_of="2021-07-31")
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row if str(cell.value).startswith("=")]
    assert {cell.data_type for cell in cells} == {"s"}


@pytest.mark.parametrize(
    ("text", "written"),
    [("=1+1", "'=1+1"), ("+49", "'+49"), ("-5", "'-5"), ("@SUM", "'@SUM"), ("\t=1", "'\t=1"), ("a=1", "a=1"), ("", "")],
)
def test_only_what_begins_like_a_formula_is_marked(text: str, written: str) -> None:
    assert rules.harmless(text) == written
    assert rules.lines([[Decimal("-5.00"), None]]) == b"-5.00,\r\n"


async def test_a_long_list_comes_whole_and_in_order(reporting: Reporting) -> None:
    books = Books()
    customers = [books.onboard(f"C{n}") for n in range(3)]
    for n in range(CHUNK + 50):
        books.issue(customers[n % 3], D(2021, 1 + n % 3, 1), 100 + n)
    await reporting.hear(books, batch=1000)
    found = await rows(reporting, "open-invoices", as_of="2021-12-31")
    assert len({row["number"] for row in found}) == len(found) == CHUNK + 50
    assert [row["due_date"] for row in found] == sorted(row["due_date"] for row in found)
    assert sum(Decimal(row["balance"]) for row in found) * 100 == sum(item.total for item in books.items)


def ask(sql: str) -> list[tuple[Any, ...]]:
    return duckdb.execute(sql).fetchall()


async def kept(reporting: Reporting, folder: Path, report: str, **query: Any) -> str:
    """A file of a report in Parquet, as DuckDB calls it: its reader has no line in common with the writer."""
    answer = await reporting.http.get(f"/v1/reports/{report}.parquet", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    path = folder / f"{report}.parquet"
    path.write_bytes(answer.content)
    return f"'{path}'"


async def test_every_report_is_the_same_in_parquet_as_in_csv(reporting: Reporting, tmp_path: Path) -> None:
    await reporting.hear(a_ledger())
    for report in SPECS:
        file = await kept(reporting, tmp_path, report, as_of="2021-07-31")
        names = [name for (name,) in ask(f"select column_name from (describe from {file})")]
        in_csv = await rows(reporting, report, as_of="2021-07-31")
        assert not in_csv or names == list(in_csv[0]), report
        for row, plain in zip(ask(f"from {file}"), in_csv, strict=True):
            for cell, text in zip(row, plain.values(), strict=True):
                if isinstance(cell, Decimal):
                    assert cell == Decimal(text), (report, row)
                else:
                    assert ("" if cell is None else str(cell)) == text.removeprefix("'"), (report, row)


async def test_a_column_of_parquet_has_one_type_whatever_is_in_it(reporting: Reporting, tmp_path: Path) -> None:
    await reporting.hear(a_ledger())
    file = await kept(reporting, tmp_path, "open-invoices", as_of="2021-07-31")
    nothing_owed = await reporting.http.get("/v1/reports/open-invoices.parquet", params={"as_of": "2019-01-01"})
    (tmp_path / "nothing.parquet").write_bytes(nothing_owed.content)
    types = dict(ask(f"select column_name, column_type from (describe from {file})"))
    assert ask(f"describe from {file}") == ask(f"describe from '{tmp_path / 'nothing.parquet'}'")
    assert (types["balance"], types["due_date"], types["days_overdue"], types["number"]) == (
        "DECIMAL(28,4)",
        "DATE",
        "BIGINT",
        "VARCHAR",
    )
    sums = ask(f"select currency, sum(balance) from {file} group by 1 order by 1")
    assert sums == [("EUR", Decimal("4501.00")), ("JPY", Decimal(99_999))]
    facts = dict(ask(f"select key, value from parquet_kv_metadata({file})"))
    assert (facts[b"dueward.report"], facts[b"dueward.as_of"]) == (b"open-invoices", b"2021-07-31")


async def test_a_long_parquet_comes_in_groups_of_rows(tmp_path: Path) -> None:
    """As many chunks as make more than one group, without a ledger of that length."""
    columns = (Column("currency", "Currency"), Column("number", "Number", "count"), Column("open", "Open", "money"))
    size, count = 10_000, 11

    async def chunks() -> AsyncIterator[Sequence[Row]]:
        for chunk in range(count):
            yield [("EUR", n, Money(n, "EUR")) for n in range(chunk * size, (chunk + 1) * size)]

    table = Table("open-invoices", "Open invoices", D(2021, 7, 31), {}, columns, chunks())
    path = tmp_path / "long.parquet"
    path.write_bytes(await handlers.export_whole(table, "parquet"))
    assert ask(f"select count(distinct row_group_id) from parquet_metadata('{path}')") == [(2,)]
    assert ask(f"select number from '{path}'") == [(n,) for n in range(size * count)]
    assert ask(f"select sum(open) * 100 from '{path}'") == [(sum(range(size * count)),)]


LARGEST = (1 << 63) - 1


@pytest.mark.parametrize(
    ("kind", "cell", "read"),
    [
        ("money", Money(LARGEST, "JPY"), Decimal(LARGEST)),
        ("money", Money(-LARGEST, "CLF"), Decimal(-LARGEST).scaleb(-4)),
        ("money", Money(1, "KWD"), Decimal("0.001")),
        ("percent", Decimal("-0.000001"), Decimal("-0.000001")),
        ("count", LARGEST, LARGEST),
        ("count", True, True),
        ("date", D(1, 1, 1), D(1, 1, 1)),
        ("date", D(9999, 12, 31), D(9999, 12, 31)),
        ("text", '=HYPERLINK("http://evil")', '=HYPERLINK("http://evil")'),
        ("text", "Ünïted & Söhne 🏦", "Ünïted & Söhne 🏦"),
        ("text", "", ""),
    ],
)
def test_no_cell_is_changed_or_lost_in_columns(kind: Any, cell: Cell, read: Any) -> None:
    rows: list[Row] = [[cell], [None]]
    assert rules.batch_of([Column("x", "X", kind)], rows)["x"].to_pylist() == [read, None]


def test_what_does_not_fit_a_column_is_no_silent_nothing() -> None:
    rows: list[Row] = [[Decimal(10) ** 30]]
    with pytest.raises(AssertionError, match="not all of x is"):
        rules.batch_of([Column("x", "X", "percent")], rows)


async def test_each_report_takes_its_own_parameters_only(reporting: Reporting) -> None:
    async def asked(path: str, **query: Any) -> str:
        return problem(await reporting.http.get(f"/v1/reports/{path}", params=query), 422)

    assert await asked("ageing.csv", weeks=3) == "not-asked-of-this-report"
    assert await asked("ageing.csv", group_by="channel") == "not-asked-of-this-report"
    assert await asked("ageing.csv", buckets="90,30") == "unreadable-buckets"
    assert await asked("ageing.csv", nonsense=1) == "unknown-parameter"
    assert await asked("ageing.pdf") == await asked("nothing.csv") == "invalid-request"
    assert await reporting.get("/v1/reports/ageing") is not None  # The door of the report itself is another one.


@pytest.mark.parametrize(
    ("as_of", "today", "day"),
    [
        ("today", D(2021, 3, 1), D(2021, 3, 1)),
        ("yesterday", D(2021, 3, 1), D(2021, 2, 28)),
        ("end_of_last_week", D(2021, 3, 1), D(2021, 2, 28)),  # A Monday.
        ("end_of_last_week", D(2021, 3, 7), D(2021, 2, 28)),  # A Sunday: its week is not over.
        ("end_of_last_month", D(2021, 3, 1), D(2021, 2, 28)),
        ("end_of_last_month", D(2021, 3, 31), D(2021, 2, 28)),
        ("end_of_last_quarter", D(2021, 4, 1), D(2021, 3, 31)),
        ("end_of_last_quarter", D(2021, 3, 31), D(2020, 12, 31)),
        ("end_of_last_year", D(2021, 1, 1), D(2020, 12, 31)),
        (D(2019, 5, 5), D(2021, 1, 1), D(2019, 5, 5)),
    ],
)
def test_a_day_may_be_seen_from_today(as_of: Any, today: date, day: date) -> None:
    assert report_tables.day_of(as_of, today) == day
