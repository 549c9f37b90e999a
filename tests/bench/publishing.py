"""The relay by itself: a full outbox, drained to the broker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg

from deploy.local.layout import Layout
from shared import broker as brokers
from shared import outbox
from shared.broker import Broker
from shared.db import Database, transaction
from shared.migrate import migrate
from shared.relay import Relay
from tests.bench.payloads import issued_events


def broker_of(layout: Layout) -> Broker:
    """The stack's broker, with topics of this measurement's own."""
    return Broker(
        layout.bootstrap_servers,
        topic_prefix=f"bench-{uuid4().hex[:6]}.",
        partitions=4,
        replication_factor=1,
        idempotence=bool(layout.broker and layout.broker.has_idempotent_producers),
    )


@asynccontextmanager
async def fresh_database(layout: Layout, service: str | None) -> AsyncGenerator[Database]:
    """A migrated database beside the stack's, dropped afterwards."""
    name = f"bench_{uuid4().hex[:8]}"
    base = layout.database_url("invoice")
    url = urlunsplit(urlsplit(base)._replace(path=f"/{name}"))
    await asyncio.to_thread(migrate, url, service)
    database = await Database.open(url)
    try:
        yield database
    finally:
        await database.close()
        connection = await asyncpg.connect(base)
        await connection.execute(f'drop database "{name}" with (force)')
        await connection.close()


async def relay_events(layout: Layout, count: int) -> float:
    """Events a second from a full outbox until the last pointer is gone."""
    broker = broker_of(layout)
    async with brokers.admin(broker) as client:
        await brokers.ensure_topics(client, broker, ["ar.invoice"])
    async with fresh_database(layout, None) as database:
        events = issued_events(count)
        for start in range(0, count, 1_000):
            async with transaction(database) as tx:
                await outbox.append(tx, *events[start : start + 1_000])
        stop = asyncio.Event()
        began = time.perf_counter()
        running = asyncio.create_task(Relay(database, broker, "/dueward/invoice").run(stop))
        while await database.pool.fetchval("select exists (select from outbox)"):
            await asyncio.sleep(0.02)
        seconds = time.perf_counter() - began
        stop.set()
        await running
    return count / seconds
