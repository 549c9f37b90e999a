"""Clock-driven work runs when it is due by the business clock, catches up, and says when it is next due."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from prometheus_client import REGISTRY

from shared.db import Database, transaction
from shared.ticks import TickContext, Ticker, Ticks

OpenDatabase = Callable[..., Awaitable[Database]]


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def announcing() -> Ticks:
    """A job that announces one chore a call, as soon as it is due."""
    ticks = Ticks()

    @ticks.on(next_due="select min(due_at) from chore where announced_at is null")
    async def announce(context: TickContext) -> bool:
        async with transaction(context.database) as tx:
            announced = await tx.execute(
                """
                update chore set announced_at = $1
                where due_at = (select min(due_at) from chore where announced_at is null and due_at <= $1)
                """,
                context.now,
            )
        return announced != "UPDATE 0"

    return ticks


async def chores(database: Database, *moments: datetime) -> None:
    async with database.pool.acquire() as connection:
        await connection.execute("create table if not exists chore (due_at timestamptz, announced_at timestamptz)")
        await connection.executemany("insert into chore values ($1)", [(moment,) for moment in moments])


async def set_clock(database: Database, now: datetime) -> None:
    async with database.pool.acquire() as connection:
        await connection.execute(
            "insert into clock (now) values ($1) on conflict (singleton) do update set now = excluded.now", now
        )
        await connection.execute("select pg_notify('clock', '')")


async def ticked(database: Database, now: datetime) -> None:
    deadline = time.monotonic() + 60
    while True:
        async with database.pool.acquire() as connection:
            if await connection.fetchval("select ticked from clock") == now:
                return
        assert time.monotonic() < deadline, "the ticks never finished"
        await asyncio.sleep(0.01)


async def announced(database: Database) -> list[datetime | None]:
    async with database.pool.acquire() as connection:
        rows = await connection.fetch("select announced_at from chore order by due_at")
    return [row["announced_at"] for row in rows]


async def test_missed_days_are_caught_up_and_nothing_is_done_early(open_database: OpenDatabase) -> None:
    database = await open_database("plumbing", simulated=True)
    await chores(database, at(1), at(2), at(3, 12), at(9))
    await set_clock(database, at(3, 11))
    stop = asyncio.Event()
    running = asyncio.create_task(Ticker(database, announcing(), None).run(stop))
    try:
        await ticked(database, at(3, 11))
        assert await announced(database) == [at(3, 11), at(3, 11), None, None]
        await set_clock(database, at(3, 12))
        await ticked(database, at(3, 12))
        assert await announced(database) == [at(3, 11), at(3, 11), at(3, 12), None]
        await set_clock(database, at(8))
        await ticked(database, at(8))
        assert (await announced(database))[-1] is None
    finally:
        stop.set()
        await running


async def test_a_job_that_fails_is_tried_again_and_does_not_stop_the_others(open_database: OpenDatabase) -> None:
    database = await open_database("plumbing", simulated=True)
    await chores(database, at(1))
    await set_clock(database, at(2))
    calls: list[datetime] = []
    ticks = announcing()

    @ticks.on(next_due="select case when count(*) < 1 then timestamptz '2026-03-01' end from broker")
    async def stumble(context: TickContext) -> bool:
        calls.append(context.now)
        if len(calls) == 1:
            raise RuntimeError("not this time")
        async with transaction(context.database) as tx:
            await tx.execute("insert into broker (cluster_id) values ('done')")
        return True

    stop = asyncio.Event()
    running = asyncio.create_task(Ticker(database, ticks, None).run(stop))
    try:
        await ticked(database, at(2))
    finally:
        stop.set()
        await running
    assert calls == [at(2), at(2)]
    assert await announced(database) == [at(2)]


async def test_a_job_that_never_failed_stands_among_the_figures_so_that_the_first_failure_is_an_increase(
    open_database: OpenDatabase,
) -> None:
    ticks = Ticks()

    @ticks.on(next_due="select null::timestamptz")
    async def never_fails(context: TickContext) -> bool:
        return False

    stop = asyncio.Event()
    stop.set()
    await Ticker(await open_database("plumbing"), ticks, None).run(stop)
    assert REGISTRY.get_sample_value("dueward_tick_failures_total", {"tick": "never_fails"}) == 0


async def test_a_ticker_that_lost_its_database_hears_the_clock_again(open_database: OpenDatabase) -> None:
    database = await open_database("plumbing", simulated=True)
    await chores(database, at(9))
    await set_clock(database, at(1))
    stop = asyncio.Event()
    running = asyncio.create_task(Ticker(database, announcing(), None).run(stop))
    try:
        await ticked(database, at(1))
        async with database.pool.acquire() as connection:
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        await set_clock(database, at(2))
        await ticked(database, at(2))
        began = time.monotonic()
        for day in range(3, 28):
            await set_clock(database, at(day))
            await ticked(database, at(day))
        # Deaf, it would look once a second.
        assert time.monotonic() - began < 15
    finally:
        stop.set()
        await running
