"""What a question costs however many invoices there have ever been: ageing, ratios, debtors, the dashboard.

    python -m tests.bench.questions [longer|wider] [100000 1000000 10000000] [--open 1000000]

asks beside a million open invoices and so many settled ones, of which there are more because the books go back further,
or because there are more customers (`ledger_at_scale`); one ledger grows from size to size. Asked for are days of the
last month, of which every size says the same, and days of the whole history; of the wider ledger days of its last two
years. `make bench` asks a small ledger only. Measured is what a handler takes, with its statements; rows are what these
read of tables and indexes, by EXPLAIN ANALYZE. Aim: the largest costs at most 1.3 times the smallest, p99 under 50 ms.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg
import psutil
from rich.console import Console
from rich.table import Table

from deploy.local import embedded
from deploy.local.layout import Layout
from services.reporting.ageing import handlers as ageing
from services.reporting.ageing.rules import ALL_KNOWN
from services.reporting.dashboard import handlers as dashboard
from services.reporting.debtors import handlers as debtors
from services.reporting.kpis import handlers as kpis
from shared.db import Database, Tx, reading
from shared.migrate import migrate
from shared.process import keep_what_is_loaded
from tests.bench.ledger_at_scale import LONGER, OPEN_SINCE, SETTLED_BEFORE, TODAY, WIDER, Growth, grow
from tests.bench.load import percentile
from tests.bench.publishing import fresh_database

SIZES = (100_000, 1_000_000, 10_000_000)
OPEN = 1_000_000
ASKED = 200
AIM = 1.3
MONTH = 31
NAMES = {LONGER: "longer", WIDER: "wider"}
POSTGRES = {
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
}
EXPLAINED = 12

Question = Callable[[Tx, date], Awaitable[Any]]

QUESTIONS: dict[str, Question] = {
    "ageing": lambda tx, on: ageing.age_receivables(tx, ageing.AgeReceivables(on)),
    "ageing by segment": lambda tx, on: ageing.age_receivables(tx, ageing.AgeReceivables(on, group_by="segment")),
    "ageing, a page of 100 customers": lambda tx, on: ageing.age_receivables(
        tx, ageing.AgeReceivables(on, group_by="customer", limit=101)
    ),
    "ageing as known ten days later": lambda tx, on: ageing.age_receivables(
        tx, ageing.AgeReceivables(on, known_at=on + timedelta(days=10))
    ),
    "a page of 100 open invoices": lambda tx, on: ageing.list_open_invoices(
        tx, ageing.ListOpenInvoices(on, 101, late_min=31, late_max=60)
    ),
    "ratios, 90 days": lambda tx, on: kpis.measure_collection(tx, kpis.MeasureCollection(on, 90)),
    "trend of 24 months": lambda tx, on: kpis.dso_trend(tx, "EUR", on, 24, 90),
    "top 10 debtors": lambda tx, on: debtors.rank_debtors(tx, debtors.RankDebtors(on, ALL_KNOWN, None, "total", 10)),
    "top 10 by overdue": lambda tx, on: debtors.rank_debtors(
        tx, debtors.RankDebtors(on, ALL_KNOWN, None, "overdue", 10)
    ),
    "the dashboard": lambda tx, on: dashboard.draw_overview(tx, on, "EUR"),
}


@dataclass(frozen=True)
class Cost:
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    rows: int


async def ask_all(url: str, server_pid: int | None, asked: int, days_back: int) -> dict[str, Cost]:
    """Each question about days of the last `days_back`, the same ones for every ledger that is asked so."""
    database = await Database.open(url, pool_max=1)
    chance = random.Random(7)
    days = [TODAY - timedelta(days=chance.randrange(days_back)) for _ in range(asked)]
    costs: dict[str, Cost] = {}
    try:
        for name, question in QUESTIONS.items():
            async with reading(database) as tx:
                for on in days[:10]:
                    await question(tx, on)
                took_ms, cpu_before = [], _cpu_seconds(server_pid)
                for on in days:
                    began = time.perf_counter()
                    await question(tx, on)
                    took_ms.append((time.perf_counter() - began) * 1000)
                cpu_ms = (_cpu_seconds(server_pid) - cpu_before) * 1000 / len(days)
                rows = max([await _rows_read(tx, question, on) for on in days[:EXPLAINED]])
            costs[name] = Cost(percentile(took_ms, 0.5), percentile(took_ms, 0.99), cpu_ms, rows)
    finally:
        await database.close()
    return costs


async def _rows_read(tx: Tx, question: Question, on: date) -> int:
    """What the question's statements read of tables and indexes."""
    statements: list[tuple[str, Sequence[Any]]] = []
    with tx.connection.query_logger(lambda query: statements.append((query.query, query.args))):
        await question(tx, on)
        await asyncio.sleep(0)  # The driver tells of a statement when the loop comes round.
    rows = 0
    for query, args in statements:
        (plan,) = await tx.fetchval(f"explain (analyze, timing off, format json) {query}", *args)
        rows += sum(_scanned(node) for node in _nodes(plan["Plan"]))
    return rows


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


def _scanned(node: dict[str, Any]) -> int:
    if "Relation Name" not in node:
        return 0
    return round((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])


def _cpu_seconds(server_pid: int | None) -> float:
    """Of this process and, where it is known, of PostgreSQL."""
    server = [psutil.Process(server_pid)] if server_pid else []
    times = [process.cpu_times() for process in (*server, *(server[0].children() if server else ()), psutil.Process())]
    return sum(each.user + each.system for each in times)


async def small(layout: Layout, settled: int, open_: int, asked: int) -> Table:
    """A small ledger on the stack's own PostgreSQL."""
    a_day = settled // (OPEN_SINCE - SETTLED_BEFORE).days
    growth = Growth(LONGER.customers, a_day, LONGER.days)
    settled = a_day * (OPEN_SINCE - SETTLED_BEFORE).days
    async with fresh_database(layout, "reporting") as database:
        await grow(database.url, growth, 0, settled, open_)
        return _table({settled: await ask_all(database.url, None, asked, MONTH)})


def measure(growth: Growth, sizes: Sequence[int], open_: int, asked: int) -> None:
    """Print the costs beside each other, with how much the largest ledger costs beside the smallest."""
    console = Console(highlight=False, width=160)
    spans = {"longer": ("the last month", "the whole history"), "wider": ("two years",)}[NAMES[growth]]
    found: dict[str, dict[int, dict[str, Cost]]] = {span: {} for span in spans}
    with tempfile.TemporaryDirectory(prefix="dueward-bench-", ignore_cleanup_errors=True) as folder:
        server = embedded.Postgres(Path(folder) / "postgres", embedded.free_port(), POSTGRES)
        with embedded.running(server, Path(folder) / "log"):
            url = server.url("reporting")
            migrate(url, "reporting")
            pid = int((server.data / "postmaster.pid").read_text().split()[0])
            for before, settled in pairwise((0, *sizes)):
                began = time.perf_counter()
                asyncio.run(grow(url, growth, before, settled, open_))
                seconds, gigabytes = time.perf_counter() - began, asyncio.run(_gigabytes(url))
                console.print(
                    f"[dim]{settled - before:,} settled invoices loaded beside {before or open_:,} in {seconds:.0f} s;"
                    f" {gigabytes:.1f} GB now"
                )
                for span in spans:
                    found[span][settled] = asyncio.run(ask_all(url, pid, asked, _days_back(span, growth, settled)))
                    console.print(f"\ndays of {span}, {NAMES[growth]}")
                    console.print(_table(found[span]))


def _days_back(span: str, growth: Growth, settled: int) -> int:
    whole = (TODAY - growth.first_day(settled)).days
    return {"the last month": MONTH, "the whole history": whole, "two years": min(730, whole)}[span]


async def _gigabytes(url: str) -> float:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("select pg_database_size(current_database())") / 1e9
    finally:
        await connection.close()


def _table(found: dict[int, dict[str, Cost]]) -> Table:
    table = Table("question", box=None, pad_edge=False)
    for settled in found:
        table.add_column(f"{settled:,} settled\np50 / p99 / cpu ms, rows", justify="right", no_wrap=True)
    table.add_column(f"last / first, aim {AIM}\np50, cpu, rows", justify="right", no_wrap=True)
    for name in QUESTIONS:
        costs = [found[settled][name] for settled in found]
        first, last = costs[0], costs[-1]
        table.add_row(
            name,
            *(f"{c.p50_ms:.1f} / {c.p99_ms:.1f} / {c.cpu_ms:.1f}, {c.rows:,}" for c in costs),
            f"{last.p50_ms / first.p50_ms:.2f}, {last.cpu_ms / max(first.cpu_ms, 0.01):.2f},"
            f" {last.rows / max(first.rows, 1):.2f}",
        )
    return table


if __name__ == "__main__":
    keep_what_is_loaded()
    asking = ArgumentParser(prog="python -m tests.bench.questions")
    asking.add_argument("growth", nargs="?", choices=NAMES.values(), default="longer")
    asking.add_argument("settled", nargs="*", type=int, default=SIZES)
    asking.add_argument("--open", type=int, default=OPEN)
    chosen = asking.parse_args()
    wanted = next(growth for growth, name in NAMES.items() if name == chosen.growth)
    measure(wanted, chosen.settled or SIZES, chosen.open, ASKED)
