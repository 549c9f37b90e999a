"""Views for BI tools: the figures of the books, under names that stay, for a role that reads them and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from services.reporting.rebuilds import handlers as rebuilds
from services.reporting.rebuilds.handlers import WantRebuild
from shared.db import Database, transaction
from shared.migrate import ROOT
from shared.money import _EXPONENTS, Money
from tests.reporting.books import Books
from tests.reporting.client import Reporting

D = date
DOCS = (ROOT / "docs" / "exports.md").read_text()
VIEWS = {
    "customer_v1": "customer_id external_id name status country segment collector currency net_days",
    "invoice_v1": "invoice_id number customer_id entity_id status issue_date due_date settled_on currency total "
    "balance disputed",
    "movement_v1": "invoice_id version customer_id entity_id currency kind issue_date due_date effective_on booked_on "
    "change",
    "payment_v1": "payment_id customer_id reference currency amount received_on booked_on applied_on",
    "promise_v1": "promise_id customer_id status made_on promised_on currency amount paid",
    "dispute_v1": "dispute_id customer_id invoice_id reason opened_on resolved_on outcome currency amount",
    "message_v1": "message_id customer_id strategy step tone channel status effective_on",
    "daily_flow_v1": "group_kind group_key effective_on currency invoices credit_sales cash credited written_off "
    "charged other",
    "product_line_v1": "invoice_id product_line currency amount",
    "late_reason_v1": "customer_id said_on reason",
}
"""What tools rely on: a name or a column that goes, or changes its place, breaks them."""


@asynccontextmanager
async def analyst(database: Database) -> AsyncIterator[Any]:
    """A connection with the rights of the role, given back without them."""
    async with database.pool.acquire() as connection, connection.transaction():
        await connection.execute("set local role dueward_bi")
        yield connection


async def refused(database: Database, sql: str) -> None:
    async with analyst(database) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with connection.transaction():
                await connection.execute(sql)


def a_ledger() -> Books:
    books = Books()
    acme = books.onboard("Acme", "key")
    books.look_after(acme, "eve", D(2021, 1, 2))
    item = books.issue(acme, D(2021, 3, 1), 1_234_50)
    books.pay(item, D(2021, 3, 9), 234_50)
    books.dispute(item, D(2021, 3, 10), 100_00)
    books.issue(acme, D(2021, 3, 2), 99_999, "JPY")
    books.issue(acme, D(2021, 3, 3), 1_234, "KWD")
    books.remind(acme, D(2021, 4, 6))
    books.call(acme, D(2021, 4, 7), "cash_flow")
    return books


async def test_views_have_the_columns_that_tools_rely_on_and_docs_name_them(reports_database: Database) -> None:
    rows = await reports_database.pool.fetch(
        """
        select table_name, string_agg(column_name, ' ' order by ordinal_position) as columns
        from information_schema.columns where table_schema = 'bi' group by table_name
        """
    )
    assert {row["table_name"]: row["columns"] for row in rows} == VIEWS
    for view, columns in VIEWS.items():
        (line,) = [line for line in DOCS.splitlines() if line.startswith(f"| `bi.{view}`")]
        assert " ".join(line.split("|")[2].replace("`", "").replace(",", "").split()) == columns


async def test_amounts_are_in_major_units_of_their_currency(reporting: Reporting) -> None:
    await reporting.hear(a_ledger())
    async with analyst(reporting.database) as connection:
        found = await connection.fetch("select currency, total::text, balance::text from bi.invoice_v1 order by total")
        assert [tuple(row) for row in found] == [
            ("KWD", "1.234", "1.234"),
            ("EUR", "1234.50", "1000.00"),
            ("JPY", "99999", "99999"),
        ]
        assert await connection.fetchval("select name || ', ' || collector from bi.customer_v1") == "Acme, eve"
        owed = "select sum(change) from bi.movement_v1 where currency = 'EUR' and effective_on <= $1"
        assert await connection.fetchval(owed, D(2021, 3, 8)) == Decimal("1234.50")
        assert await connection.fetchval(owed, D(2021, 3, 9)) == Decimal("1000.00")
        assert await connection.fetchval("select amount from bi.payment_v1") == Decimal("234.50")
        assert await connection.fetchval("select amount from bi.dispute_v1 where outcome is null") == Decimal("100.00")
        cash = "select cash from bi.daily_flow_v1 where group_kind = 'all' and effective_on = $1"
        assert await connection.fetchval(cash, D(2021, 3, 9)) == Decimal("234.50")


async def test_late_payment_can_be_told_by_product_line_and_reason_from_the_views(reporting: Reporting) -> None:
    books = a_ledger()
    books.issue(books.items[0].customer_id, D(2021, 3, 4), 300, "KWD", sold={"CLOUD": 200, "DESKS": 50})
    await reporting.hear(books)
    async with analyst(reporting.database) as connection:
        shares = await connection.fetch("select product_line, amount from bi.product_line_v1 order by product_line")
        assert [tuple(row) for row in shares] == [
            ("CLOUD", Decimal("0.200")),
            ("DESKS", Decimal("0.050")),
            (None, Decimal("0.050")),
        ]
        (said,) = await connection.fetch("select said_on, reason from bi.late_reason_v1")
        assert tuple(said) == (D(2021, 4, 7), "cash_flow")


async def test_every_currency_has_the_decimals_it_has_elsewhere(reports_database: Database) -> None:
    codes = sorted(_EXPONENTS)
    rows = await reports_database.pool.fetch(
        "select code, bi.major(-1234567, code)::text as amount from unnest($1::text[]) as c (code)", codes
    )
    assert {row["code"]: row["amount"] for row in rows} == {code: Money(-1234567, code).amount for code in codes}


async def test_the_role_reads_the_views_and_nothing_else(reporting: Reporting) -> None:
    await reporting.hear(a_ledger())
    database = reporting.database
    async with analyst(database) as connection:
        for view in VIEWS:
            assert await connection.fetch(f"select * from bi.{view}") is not None
    tables = await database.pool.fetch("select tablename from pg_tables where schemaname = 'public'")
    for row in tables:
        await refused(database, f'select * from "{row["tablename"]}"')
    for sql in (
        "delete from bi.message_v1",
        "update bi.promise_v1 set status = 'kept'",
        "insert into bi.movement_v1 (version) values (1)",
        "create table bi.mine (a int)",
        "create table public.mine (a int)",
        "select * from owed_by_group('all', 'due', date '2021-03-31')",
    ):
        await refused(database, sql)


async def test_views_and_their_readers_outlive_a_rebuild(reporting: Reporting) -> None:
    await reporting.hear(a_ledger())
    async with transaction(reporting.database) as tx:
        await rebuilds.want_rebuild(tx, WantRebuild("anna"))
    more = True
    while more:
        async with transaction(reporting.database) as tx:
            more = await rebuilds.rebuild_further(tx)
    books = Books()
    books.issue(books.onboard("Beta"), D(2021, 5, 1), 1_00)
    await reporting.hear(books)
    async with analyst(reporting.database) as connection:
        assert await connection.fetchval("select count(*) from bi.invoice_v1") == 4
        for view in VIEWS:
            assert await connection.fetch(f"select * from bi.{view}") is not None
