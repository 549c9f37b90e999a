"""What a search costs, and how fast a long report leaves as a file, on a ledger of many open invoices.

    python -m tests.bench.finding [200000]

The floor of the files is PostgreSQL's own COPY of the same list.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import get_args

import asyncpg
from rich.console import Console
from rich.table import Table

from deploy.local import embedded
from deploy.local.layout import Layout
from services.reporting.exports import handlers as exports
from services.reporting.exports.rules import Format
from services.reporting.report_tables import handlers as report_tables
from services.reporting.report_tables.rules import Parameters
from services.reporting.search import handlers as search
from shared.db import Database, reading
from shared.migrate import migrate
from shared.process import keep_what_is_loaded
from tests.bench.ledger_at_scale import LONGER, OPEN_SINCE, SETTLED_BEFORE, TODAY, UNASKED, Growth, grow
from tests.bench.load import percentile
from tests.bench.publishing import fresh_database

ASKED = 200
FOUND = 6
"""Of each kind, as the pages show them."""
SEARCHES = {
    "a whole invoice number": "INV-N{}",
    "the end of an invoice number": "{}",
    "a customer's name": "customer {}",
    "a word that every customer has": "customer",
    "an amount": "{},00",
}


@dataclass(frozen=True)
class Cost:
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Rate:
    rows_per_second: float
    megabytes: float


async def prepare(url: str, open_: int) -> None:
    """A ledger, with the words and the indexes that a search reads."""
    connection = await asyncpg.connect(url)
    try:
        sql = "select indexdef from pg_indexes where indexname = any($1)"
        indexes = [row["indexdef"] for row in await connection.fetch(sql, list(UNASKED))]
        days = (OPEN_SINCE - SETTLED_BEFORE).days
        await grow(
            url, Growth(LONGER.customers, max(open_ // days, 1), LONGER.days), 0, max(open_ // days, 1) * days, open_
        )
        for definition in indexes:
            await connection.execute(definition.replace("CREATE INDEX", "CREATE INDEX IF NOT EXISTS", 1))
        await connection.execute(_WORDS)
        await connection.execute("analyze")
    finally:
        await connection.close()


_WORDS = """
insert into search_word (kind, word, id)
select 'customer', word, id from customer, regexp_split_to_table(lower(name), ' ') as word on conflict do nothing
"""


async def find_all(database: Database, open_: int, asked: int) -> dict[str, Cost]:
    chance = random.Random(7)
    costs: dict[str, Cost] = {}
    for name, text in SEARCHES.items():
        took_ms = []
        async with reading(database) as tx:
            for _ in range(asked):
                wanted = text.format(chance.randrange(1, open_))
                began = time.perf_counter()
                await search.search(tx, wanted, FOUND)
                took_ms.append((time.perf_counter() - began) * 1_000)
        costs[name] = Cost(percentile(took_ms, 0.5), percentile(took_ms, 0.99))
    return costs


async def export_all(database: Database, open_: int) -> dict[str, Rate]:
    """All open invoices in each form, and copied by PostgreSQL."""
    rates: dict[str, Rate] = {}
    forms: Sequence[Format] = get_args(Format)
    for form in forms:
        began, size = time.perf_counter(), 0
        async with reading(database) as tx:
            table = await report_tables.tabulate(tx, "open-invoices", Parameters(as_of=TODAY))
            async for piece in exports.export(table, form):
                size += len(piece)
        rates[form] = Rate(open_ / (time.perf_counter() - began), size / 1e6)
    copied, began = BytesIO(), time.perf_counter()
    async with database.pool.acquire() as connection:
        await connection.copy_from_query(_LIST, output=copied, format="csv")
    rates["COPY"] = Rate(open_ / (time.perf_counter() - began), len(copied.getvalue()) / 1e6)
    return rates


_LIST = """
select i.number, c.name, i.customer_id, i.issue_date, i.due_date, i.currency, i.balance_minor, i.disputed_minor
from invoice i join customer c on c.id = i.customer_id where i.settled_on is null order by i.due_date, i.id
"""


async def measure(database: Database, open_: int, asked: int = ASKED) -> tuple[Table, Table]:
    found = Table(f"search beside {open_:,} open invoices", "p50 ms", "p99 ms", box=None, pad_edge=False)
    for name, cost in (await find_all(database, open_, asked)).items():
        found.add_row(name, f"{cost.p50_ms:.1f}", f"{cost.p99_ms:.1f}")
    files = Table("open invoices as a file", "rows/s", "MB", "ratio", box=None, pad_edge=False)
    rates = await export_all(database, open_)
    for form, rate in rates.items():
        ratio = rate.rows_per_second / rates["COPY"].rows_per_second
        files.add_row(form, f"{rate.rows_per_second:,.0f}", f"{rate.megabytes:.1f}", f"{ratio:.2f}")
    return found, files


async def small(layout: Layout, open_: int, asked: int) -> tuple[Table, Table]:
    """On the stack's own PostgreSQL."""
    async with fresh_database(layout, "reporting") as database:
        await prepare(database.url, open_)
        return await measure(database, open_, asked)


async def _by_itself(url: str, open_: int) -> tuple[Table, Table]:
    await prepare(url, open_)
    database = await Database.open(url, pool_max=1)
    try:
        return await measure(database, open_)
    finally:
        await database.close()


def main(open_: int) -> None:
    """On a PostgreSQL of its own."""
    with tempfile.TemporaryDirectory(prefix="dueward-bench-", ignore_cleanup_errors=True) as folder:
        server = embedded.Postgres(Path(folder) / "postgres", embedded.free_port())
        with embedded.running(server, Path(folder) / "log"):
            migrate(server.url("reporting"), "reporting")
            for table in asyncio.run(_by_itself(server.url("reporting"), open_)):
                Console(highlight=False).print(table)


if __name__ == "__main__":
    keep_what_is_loaded()
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
