"""What a question about a past day costs however many invoices there have ever been: ageing, ratios, debtors, the
dashboard, each asked for days spread over three years.

`python -m tests.bench.questions 100000 1000000 10000000` asks beside a million open invoices and so many settled ones;
`make bench` asks small ledgers only. Measured is what a handler takes, with its statements; rows are what these read of
tables and indexes, by EXPLAIN ANALYZE.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

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
from tests.bench import ledger_at_scale
from tests.bench.ledger_at_scale import FIRST_DAY, TODAY
from tests.bench.load import percentile
from tests.bench.publishing import fresh_database

OPEN = 1_000_000
ASKED = 200
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


async def ask_all(url: str, server_pid: int | None, asked: int) -> dict[str, Cost]:
    """Each question on days from a year after the first to the last, the same for every ledger."""
    database = await Database.open(url, pool_max=1)
    chance = random.Random(7)
    days = [FIRST_DAY + timedelta(days=chance.randrange(365, (TODAY - FIRST_DAY).days + 1)) for _ in range(asked)]
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
    async with fresh_database(layout, "reporting") as database:
        await ledger_at_scale.load(database.url, settled, open_)
        return _table({settled: await ask_all(database.url, None, asked)})


def measure(sizes: Sequence[int], open_: int, asked: int) -> None:
    """Print the costs beside each other, with how much the largest ledger costs beside the smallest."""
    console = Console(highlight=False)
    found: dict[int, dict[str, Cost]] = {}
    for settled in sizes:
        with tempfile.TemporaryDirectory(prefix="dueward-bench-", ignore_cleanup_errors=True) as folder:
            server = embedded.Postgres(
                Path(folder) / "postgres",
                embedded.free_port(),
                {"shared_buffers": "1GB", "max_wal_size": "8GB", "maintenance_work_mem": "256MB"},
            )
            with embedded.running(server, Path(folder) / "log"):
                migrate(server.url("reporting"), "reporting")
                began = time.perf_counter()
                asyncio.run(ledger_at_scale.load(server.url("reporting"), settled, open_))
                seconds = time.perf_counter() - began
                console.print(f"[dim]{settled:,} settled and {open_:,} open invoices loaded in {seconds:.0f} s")
                pid = int((server.data / "postmaster.pid").read_text().split()[0])
                found[settled] = asyncio.run(ask_all(server.url("reporting"), pid, asked))
                console.print(_table(found))
            server.destroy()


def _table(found: dict[int, dict[str, Cost]]) -> Table:
    table = Table("question", box=None, pad_edge=False)
    for settled in found:
        table.add_column(f"{settled:,} settled\np50 / p99 / cpu ms, rows", justify="right")
    table.add_column("last / first\np50, cpu", justify="right")
    for name in QUESTIONS:
        costs = [found[settled][name] for settled in found]
        first, last = costs[0], costs[-1]
        table.add_row(
            name,
            *(f"{c.p50_ms:.1f} / {c.p99_ms:.1f} / {c.cpu_ms:.1f}, {c.rows:,}" for c in costs),
            f"{last.p50_ms / first.p50_ms:.2f}, {last.cpu_ms / max(first.cpu_ms, 0.01):.2f}",
        )
    return table


if __name__ == "__main__":
    keep_what_is_loaded()
    measure([int(size) for size in sys.argv[1:]] or [100_000, 1_000_000, 10_000_000], OPEN, ASKED)
