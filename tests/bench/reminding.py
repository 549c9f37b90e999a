"""A day of reminders and a month's simulation over a large book: accounts that owe ten invoices each.

`fill` makes the book set-based, in seconds: accounts in five time zones, invoices two by two on five due dates a
fortnight apart, and an open case each whose next step is due now. One account in ten has no address, another one stands
before its step's day. The daily run is what the worker's `remind` does first: the engine takes the step that is due in
each case, 200 cases a transaction, until none is left. Its floor reads the same rows in the same chunks and evaluates
nothing.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from deploy.local.layout import Layout
from services.reminder.cases import handlers as cases
from services.reminder.simulations import handlers as simulations
from services.reminder.simulations.handlers import Simulate
from services.reminder.simulator import Simulator
from services.reminder.ticks import CASES_AT_ONCE
from shared.db import Database, reading, transaction
from shared.process import keep_what_is_loaded
from tests.bench.publishing import fresh_database

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
"""Noon, so that contacts may go out in most of the book's time zones."""
ITEMS = 10

Figures = TypeVar("Figures")


@dataclass(frozen=True)
class Day:
    """A daily run: accounts decided a second, in how much time of the processor, and how large the process became."""

    per_second: float
    cpu_seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Month:
    """A simulation of thirty days, in two processes. `peak_mb` is the larger one's."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    contacts: int


async def fill(database: Database, accounts: int) -> None:
    """The whole book at noon of a day, the clock included."""
    pool = database.pool
    await pool.execute("insert into clock (now) values ($1) on conflict (singleton) do update set now = $1", NOW)
    for statement in (_ACCOUNTS, _RECEIVABLES, _CASES):
        await pool.execute(statement, accounts, NOW, timeout=600)
    for table in ("account", "receivable", "collection_case"):
        await pool.execute(f"vacuum analyze {table}", timeout=600)


_ACCOUNTS = """
insert into account (id, version, external_id, name, country, language, time_zone, currency, segment, contacts)
select md5('account' || n)::uuid, 1, 'C-' || n, 'Customer ' || n, 'DE', 'de',
       (array['UTC', 'Europe/Berlin', 'Europe/London', 'Europe/Helsinki', 'Africa/Lagos'])[n % 5 + 1], 'EUR',
       'standard',
       case when n % 10 = 3 then '[]'::jsonb
            else jsonb_build_array(jsonb_build_object(
                'role', 'billing', 'name', 'Accounts payable', 'email', 'ap-' || n || '@example.com', 'phone', null))
       end
from generate_series(1, $1::int) n where $2::timestamptz is not null
"""

_RECEIVABLES = f"""
insert into receivable (id, version, customer_id, entity_id, number, issue_date, due_date, currency, total_minor,
                        balance_minor, disputed_minor, collectable_minor, overdue_episode, overdue_since)
select md5('invoice' || n || '-' || i)::uuid, 1, md5('account' || n)::uuid, 'default', 'R-' || n || '-' || i,
       due - 30, due, 'EUR', 10000 + 100 * i, 10000 + 100 * i, 0, 10000 + 100 * i,
       (due < day)::int, case when due < day then due + 1 end
from (select n, i, ($2::timestamptz)::date as day,
             ($2::timestamptz)::date - 16 - n % 4 + 14 * (i / 2) as due
      from generate_series(1, $1::int) n, generate_series(0, {ITEMS - 1}) i) made
"""

_CASES = """
insert into collection_case (customer_id, id, version, entity_id, status, episode, strategy, strategy_version, level,
                             step, opened_on, climbed_on, stepped_on, noticed, check_at)
select md5('account' || n)::uuid, md5('case' || n)::uuid, 3, 'default', 'open', 1, 'default', 1, level,
       case level when 2 then 'second-reminder' when 3 then 'firm-reminder' end, ($2::timestamptz)::date - 15,
       ($2::timestamptz)::date - 6, ($2::timestamptz)::date - 6, '[]', $2
from (select n, case when n % 10 = 7 then 3 else 2 end as level from generate_series(1, $1::int) n) made
"""


async def daily_run(layout: Layout, accounts: int) -> Day:
    async with fresh_database(layout, "reminder") as database:
        await fill(database, accounts)
        return await _in_a_process_of_its_own(escalate_all, database.url, accounts)


async def _in_a_process_of_its_own(
    work: Callable[[Database, int], Coroutine[Any, Any, Figures]], url: str, accounts: int
) -> Figures:
    """Whose memory and time are those of the work alone."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, _work, work, url, accounts)


def _work(work: Callable[[Database, int], Coroutine[Any, Any, Figures]], url: str, accounts: int) -> Figures:
    async def run() -> Figures:
        database = await Database.open(url)
        try:
            return await work(database, accounts)
        finally:
            await database.close()

    keep_what_is_loaded()
    return asyncio.run(run())


async def escalate_all(database: Database, accounts: int) -> Day:
    began, cpu = time.perf_counter(), time.process_time()
    decided = taken = 0
    while True:
        async with transaction(database) as tx:
            tx.now = NOW
            taken = await cases.escalate_cases(tx, CASES_AT_ONCE)
        if not taken:
            break
        decided += taken
    seconds = time.perf_counter() - began
    if decided < accounts:
        raise RuntimeError(f"only {decided} of {accounts} accounts were decided")
    return Day(decided / seconds, time.process_time() - cpu, _own_peak_mb())


async def floor_of_daily_run(layout: Layout, accounts: int) -> float:
    async with fresh_database(layout, "reminder") as database:
        await fill(database, accounts)
        return await read_all(database)


async def read_all(database: Database) -> float:
    """Accounts a second by reading the same rows: cases, accounts and invoices, a chunk at a time."""
    began = time.perf_counter()
    read, after = 0, None
    async with database.pool.acquire() as connection:
        while rows := await connection.fetch(_READ_CASES, after, CASES_AT_ONCE):
            ids = [row["customer_id"] for row in rows]
            await connection.fetch(_READ_ACCOUNTS, ids)
            read, after = read + len(rows), ids[-1]
    return read / (time.perf_counter() - began)


_READ_CASES = """
select * from collection_case where $1::uuid is null or customer_id > $1 order by customer_id, entity_id limit $2
"""
_READ_ACCOUNTS = """
select a.*, r.* from account a
left join receivable r on r.customer_id = a.id and r.entity_id = 'default' and r.balance_minor > 0
where a.id = any($1::uuid[]) order by a.id, r.due_date, r.number
"""


async def simulate_a_month(layout: Layout, accounts: int) -> Month:
    async with fresh_database(layout, "reminder") as database:
        await fill(database, accounts)
        return await _in_a_process_of_its_own(foretell, database.url, accounts)


async def foretell(database: Database, accounts: int) -> Month:
    """The default strategy over the whole book, as `POST /v1/strategies/default/simulations` runs it."""
    command = Simulate("default", (None,), 30, None, None, "none", "none", "keep")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    async with reading(database) as tx:
        tx.now = NOW
        job = await simulations.prepare(tx, command)
    (tally,) = await Simulator().run(database, job)
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if tally.accounts != accounts:
        raise RuntimeError(f"{tally.accounts} of {accounts} accounts were simulated")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Month(seconds, cpu, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, tally.contacts.total())


def _own_peak_mb() -> float:
    """Of this program alone: `ru_maxrss` also knows the memory of the process that started it, as large as it was."""
    (peak,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024
