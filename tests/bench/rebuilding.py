"""How fast the read models are made again from the feed, beside a plain fold of the same events."""

from __future__ import annotations

import time
from collections import defaultdict

import orjson

from deploy.local.layout import Layout
from services.reporting.consumers import project
from services.reporting.rebuilds import handlers as rebuilds
from services.reporting.rebuilds.handlers import WantRebuild
from shared.db import Database, transaction
from shared.delivery import Received
from shared.events.envelope import Envelope
from tests.bench.payloads import envelope_of, issued_events
from tests.bench.publishing import fresh_database

BATCH = 500


async def rebuild_events(layout: Layout, count: int) -> float:
    """Events a second from the request until the new tables are in their place."""
    async with fresh_database(layout, "reporting") as database:
        await _fill(database, count)
        began = time.perf_counter()
        async with transaction(database) as tx:
            await rebuilds.want_rebuild(tx, WantRebuild("bench"))
        while True:
            async with transaction(database) as tx:
                if not await rebuilds.rebuild_further(tx):
                    return count / (time.perf_counter() - began)


async def fold_plainly(layout: Layout, count: int) -> float:
    """Events a second of reading the feed and adding balances up by customer and due day in memory; nothing written."""
    async with fresh_database(layout, "reporting") as database:
        await _fill(database, count)
        began, seen = time.perf_counter(), 0
        sums: dict[tuple[str, str], int] = defaultdict(int)
        while True:
            rows = await database.pool.fetch(
                "select seq, data::text as data from event where seq > $1 order by seq limit 1000", seen
            )
            if not rows:
                return count / (time.perf_counter() - began)
            for row in rows:
                data = orjson.loads(row["data"])
                change = int(data["change"]["amount"].replace(".", ""))
                sums[data["customer_id"], data["invoice"]["due_date"]] += change
            seen = rows[-1]["seq"]


async def _fill(database: Database, count: int) -> None:
    envelopes: list[tuple[Envelope, object]] = [(envelope_of(event), event) for event in issued_events(count)]
    for start in range(0, count, BATCH):
        async with transaction(database) as tx:
            await project(
                tx,
                [
                    Received(envelope, event, "ar.invoice", 0, start, (), envelope.data)  # pyright: ignore[reportArgumentType]
                    for envelope, event in envelopes[start : start + BATCH]
                ],
            )
