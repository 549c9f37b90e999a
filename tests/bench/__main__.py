"""`make bench`: what the spine does in a second, each figure beside a bare floor measured in the same run.

The floors do the same job with nothing around it: a FastAPI route with one plain insert, COPY, plain sends, a plain
batched upsert. A ratio carries from one machine to another better than a rate; both are printed. Nothing fails on a
time. `make bench ARGS="drift --ledger file.csv"` measures something else: how well drifts are found.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from deploy.local import stack
from deploy.local.embedded import free_port
from deploy.local.layout import POSTGRES_PORT, Layout
from shared.process import keep_what_is_loaded
from tests.bench import (
    cash,
    deciding,
    drift,
    finding,
    floors,
    forecasting,
    imports,
    issuing,
    load,
    projection,
    publishing,
    questions,
    rebuilding,
    reminding,
)
from tests.bench.rest import until_at_rest

console = Console(highlight=False)


@dataclass(frozen=True)
class Size:
    """How much of each is done; the short form is for CI."""

    posts: int
    rows: int
    events: int
    payments: int
    decisions: int
    accounts: int
    """That are reminded; each owes ten invoices."""


FULL = Size(posts=4_000, rows=100_000, events=50_000, payments=300, decisions=4_000, accounts=100_000)
SHORT = Size(posts=400, rows=5_000, events=5_000, payments=40, decisions=400, accounts=2_000)


@dataclass(frozen=True)
class Measured:
    rates: Table
    day: reminding.Day
    month: reminding.Month
    decisions: load.Run
    bare: load.Run
    delays_ms: cash.Delays
    questions: tuple[Table, ...]


async def measure(layout: Layout, size: Size) -> Measured:
    """Every measurement against a running stack, one after the other."""
    customers = await issuing.onboard(layout, 50)
    rates, day = await measure_rates(layout, size, customers)
    await until_at_rest(layout)
    console.print("[dim]measuring a simulation of thirty days ...")
    month = await reminding.simulate_a_month(layout, size.accounts)
    await until_at_rest(layout)
    console.print("[dim]measuring credit decisions ...")
    decisions = await deciding.make_decisions(layout, customers, size.decisions)
    await until_at_rest(layout)
    bodies = [deciding.decision_body(customers[0], n) for n in range(size.decisions)]
    bare = await floors.load_a_bare_route(layout, bodies)
    await until_at_rest(layout)
    delays_ms = await cash.from_payment_to_silence(layout, customers[:5], size.payments)
    await until_at_rest(layout)
    console.print("[dim]asking about past days ...")
    asked = await questions.small(layout, settled=size.rows // 5, open_=size.rows // 5, asked=50)
    await until_at_rest(layout)
    console.print("[dim]searching, and writing files ...")
    found, files = await finding.small(layout, open_=size.rows // 5, asked=50)
    return Measured(rates, day, month, decisions, bare, delays_ms, (asked, found, files))


async def measure_rates(layout: Layout, size: Size, customers: list[str]) -> tuple[Table, reminding.Day]:
    """What is done in a second, each beside its floor; and the daily run of reminders, of which more is told."""
    table = Table("what", "Dueward", "floor", "ratio", "aim", box=None, pad_edge=False)

    async def row(what: str, aim: str, ours: Awaitable[float], floor: Callable[[], Awaitable[float]]) -> None:
        await until_at_rest(layout)
        console.print(f"[dim]measuring {what} ...")
        measured = await ours
        await until_at_rest(layout)
        bare = await floor()
        table.add_row(what, f"{measured:,.0f}/s", f"{bare:,.0f}/s", f"{measured / bare:.2f}", aim)

    await row(
        "POST /v1/invoices, 16 connections",
        "0.50",
        issuing.post_invoices(layout, customers, size.posts),
        lambda: floors.post_to_a_bare_route(layout, size.posts),
    )
    await row(
        f"import of {size.rows:,} invoices",
        "0.20",
        imports.import_invoices(layout, customers, size.rows),
        lambda: floors.copy_the_same_rows(layout),
    )
    await row(
        "relay to Kafka, events",
        "0.33",
        publishing.relay_events(layout, size.events),
        lambda: floors.send_plainly(layout, size.events),
    )
    await row(
        "reporting's projection, events",
        "0.25",
        projection.project_events(layout, size.events),
        lambda: floors.upsert_plainly(layout, size.events),
    )
    await row(
        "rebuild of the read models, events",
        "",
        rebuilding.rebuild_events(layout, size.events),
        lambda: rebuilding.fold_plainly(layout, size.events),
    )
    days: list[reminding.Day] = []

    async def daily_run() -> float:
        days.append(await reminding.daily_run(layout, size.accounts))
        return days[0].per_second

    await row(
        f"daily run of reminders, {size.accounts:,} accounts",
        "0.33",
        daily_run(),
        lambda: reminding.floor_of_daily_run(layout, size.accounts),
    )
    return table, days[0]


def report(size: Size, measured: Measured) -> None:
    decisions, bare, delays_ms = measured.decisions, measured.bare, measured.delays_ms
    day, month = measured.day, measured.month
    for table in (measured.rates, *measured.questions):
        console.print()
        console.print(table)
    console.print(
        f"\na credit decision with a reservation, {decisions.requests} over 16 connections: "
        f"median {decisions.percentile_ms(0.5):.1f} ms, 99th percentile {decisions.percentile_ms(0.99):.1f} ms; "
        f"the bare route {bare.percentile_ms(0.5):.1f} ms and {bare.percentile_ms(0.99):.1f} ms"
    )
    console.print(
        f"\nfrom a payment's answer to its reminder being suppressed: median {delays_ms.median:.0f} ms, "
        f"99th percentile {delays_ms.p99:.0f} ms, over {delays_ms.count} payments"
    )
    console.print(
        f"the daily run, over {size.accounts * reminding.ITEMS:,} open items, took {day.cpu_seconds:.1f} s of the"
        f" processor (PostgreSQL's not counted) and at most"
        f" {day.peak_mb:.0f} MB, aim 500"
    )
    console.print(
        f"simulating thirty days of these accounts ({month.contacts:,} contacts) took {month.seconds:.1f} s, aim 60:"
        f" {month.cpu_seconds:.1f} s of the processor in processes of at most {month.peak_mb:.0f} MB"
    )


def main(short: bool) -> None:
    """Start a stack of its own in a temporary folder, measure, and take it down again."""
    with tempfile.TemporaryDirectory(prefix="dueward-bench-", ignore_cleanup_errors=True) as folder:
        # The ports of a stack lie within 55,000 of each other; a free one for PostgreSQL says where there is room.
        layout = Layout(folder=Path(folder), offset=max(free_port() - POSTGRES_PORT, 1_000) % 10_000, mode="up")
        stack.up(layout)
        size = SHORT if short else FULL
        keep_what_is_loaded()  # As in the processes measured; the floors that run in this one have it as well.
        try:
            report(size, asyncio.run(measure(layout, size)))
        finally:
            stack.down(layout)


if __name__ == "__main__":
    if sys.argv[1:2] == ["drift"]:
        drift.main(sys.argv[2:])
    elif "forecast" in sys.argv[1:]:
        forecasting.main(sys.argv[1:])
    else:
        main(short="--short" in sys.argv)
