"""The read models made again from the events: the same figures, while the service goes on, whatever is cut off."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from services.reporting import commands
from services.reporting.projection.handlers import READ_MODELS
from services.reporting.rebuilds import handlers as rebuilds
from services.reporting.rebuilds.handlers import WantRebuild
from services.reporting.rebuilds.rules import RebuildUnderWay
from services.reporting.standings import handlers as standings
from shared.db import Database, transaction
from tests.reporting.books import Books
from tests.reporting.client import Reporting
from tests.reporting.test_fold_agrees import LAST, a_ledger
from tests.reporting.test_projection import apply

KEPT = {
    "account_digest",
    "alert",
    "alert_reading",
    "alert_rule",
    "event",
    "notice",
    "notice_attachment",
    "rebuild",
    "reference",
    "saved_report",
    "saved_report_run",
}
"""Tables that are no read models: written by people, or the events themselves."""


async def tables(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every read model, less the sums that came and went again."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for table in READ_MODELS:
        rows = await database.pool.fetch(f"select t.* from {table} t order by t::text")
        found[table] = [
            tuple(row)
            for row in rows
            if table in ("movement", "standing_day") or any(isinstance(v, int) and v for v in row)
        ]
    return found


async def want(database: Database) -> None:
    async with transaction(database) as tx:
        await rebuilds.want_rebuild(tx, WantRebuild("anna"))


async def further(database: Database, chunk: int = 150) -> bool:
    async with transaction(database) as tx:
        return await rebuilds.rebuild_further(tx, chunk)


async def heard(database: Database, books: Books, months: int = 4) -> None:
    """All of it, some months' standings being kept before the last events come."""
    await apply(database, books.received[:200], 50)
    for _ in range(months):
        async with transaction(database) as tx:
            await standings.keep_standings(tx, LAST)
    await apply(database, books.received[200:], 50)


async def definitions(database: Database) -> list[tuple[Any, ...]]:
    """Columns, constraints and indexes of the read models."""
    return [
        tuple(row)
        for row in await database.pool.fetch(
            """
            select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
            where connamespace = 'public'::regnamespace and conrelid::regclass::text = any($1)
            union all
            select tablename, indexname, indexdef from pg_indexes where schemaname = 'public' and tablename = any($1)
            union all
            select table_name, column_name, data_type || is_nullable || coalesce(generation_expression, '')
            from information_schema.columns where table_schema = 'public' and table_name = any($1)
            order by 1, 2, 3
            """,
            list(READ_MODELS),
        )
    ]


async def test_a_rebuild_gives_identical_tables_of_the_same_making(reports_database: Database) -> None:
    await heard(reports_database, a_ledger(5))
    before, making = await tables(reports_database), await definitions(reports_database)
    await reports_database.pool.execute("update flow set sales_minor = sales_minor + 1")  # What it puts right.
    await want(reports_database)
    while await further(reports_database):
        pass
    after = await tables(reports_database)
    assert [name for name in READ_MODELS if after[name] != before[name]] == []
    assert await definitions(reports_database) == making
    assert await reports_database.pool.fetchval("select finished_at is not null from rebuild")


async def test_events_that_come_meanwhile_are_in_both_the_old_and_the_new_tables(reports_database: Database) -> None:
    books, chance = a_ledger(6), random.Random(6)
    half = len(books.events) // 2
    received = books.received
    await apply(reports_database, received[:half], 40)
    await want(reports_database)
    at = half
    while await further(reports_database):
        if at < len(received):
            size = chance.randrange(1, 60)
            await apply(reports_database, received[at : at + size], 20)
            at += size
    await apply(reports_database, received[at:], 40)
    rebuilt = await tables(reports_database)
    await want(reports_database)
    while await further(reports_database):
        pass
    assert await tables(reports_database) == rebuilt


async def test_a_rebuild_that_is_cut_off_goes_on_where_it_was(reports_database: Database) -> None:
    """A chunk is a transaction: cut anywhere, it leaves the chunks before it."""
    await heard(reports_database, a_ledger(7))
    before, chance = await tables(reports_database), random.Random(7)
    await want(reports_database)
    cut = 0
    for _ in range(60):
        part = asyncio.create_task(further(reports_database, 60))
        if chance.random() < 0.5:
            await asyncio.sleep(chance.random() * 0.05)
            part.cancel()
        done = await asyncio.gather(part, return_exceptions=True)
        if done == [False]:
            break
        cut += isinstance(done[0], asyncio.CancelledError)
    while await further(reports_database):
        pass
    assert cut
    assert await tables(reports_database) == before


async def test_views_and_privileges_go_over_to_the_new_tables(reports_database: Database) -> None:
    await heard(reports_database, a_ledger(8), months=1)
    await reports_database.pool.execute("create view owed_now as select sum(balance_minor) as minor from receivable")
    before = await reports_database.pool.fetchval("select minor from owed_now")
    await want(reports_database)
    while await further(reports_database):
        pass
    await reports_database.pool.execute("update receivable set balance_minor = balance_minor + 1")
    count = await reports_database.pool.fetchval("select count(*) from receivable")
    assert await reports_database.pool.fetchval("select minor from owed_now") == before + count


async def test_one_rebuild_at_a_time(reports_database: Database) -> None:
    await want(reports_database)
    with pytest.raises(RebuildUnderWay):
        await want(reports_database)


async def test_every_table_is_either_made_again_or_known_to_be_none_of_the_read_models(
    reports_database: Database, open_database: Any
) -> None:
    """A table that is added has to be put on one of the two lists."""
    plumbing = await open_database("plumbing")
    sql = "select tablename from pg_tables where schemaname = 'public'"
    shared = {row["tablename"] for row in await plumbing.pool.fetch(sql)}
    ours = {row["tablename"] for row in await reports_database.pool.fetch(sql)} - shared
    assert {table for table in ours - KEPT if not table.startswith("webhook")} == set(READ_MODELS)


async def test_operators_start_a_rebuild_over_http_and_see_how_far_it_is(reporting: Reporting, token: Any) -> None:
    await reporting.hear(a_ledger(9).received[:50])
    operator = {"authorization": f"Bearer {token('operations:write operations:read')}"}
    answer = await reporting.http.post("/v1/rebuilds", headers={**operator, "idempotency-key": "once-1"})
    assert answer.status_code == 202
    again = await reporting.http.post("/v1/rebuilds", headers={**operator, "idempotency-key": "once-2"})
    assert (again.status_code, again.json()["type"].rpartition("/")[2]) == (409, "rebuild-under-way")
    while await further(reporting.database):
        pass
    seen = (await reporting.http.get("/v1/rebuilds/latest", headers=operator)).json()
    assert (seen["events"], seen["reached"]) == (50, seen["last"])
    assert seen["finished_at"]


async def test_the_command_rebuilds_and_goes_on_with_one_under_way(reports_database: Database) -> None:
    await heard(reports_database, a_ledger(10), months=2)
    before = await tables(reports_database)
    await want(reports_database)
    await further(reports_database)
    await commands.rebuild(reports_database.url)
    assert await tables(reports_database) == before
    assert await reports_database.pool.fetchval("select count(*) from rebuild where finished_at is not null") == 1
