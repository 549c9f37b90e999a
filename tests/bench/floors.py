"""The bare floors: each does what it is compared with, and nothing besides."""

from __future__ import annotations

import asyncio
import io
import multiprocessing
import time
import uuid
from collections.abc import Sequence
from typing import Any

import asyncpg
import uvicorn
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, Request

from deploy.local.embedded import HOST, free_port
from deploy.local.layout import Layout
from shared import broker as brokers
from shared.events.envelope import to_kafka
from tests.bench.issuing import invoice_body
from tests.bench.load import Connection, Run, load
from tests.bench.payloads import envelope_of, issued_events
from tests.bench.publishing import broker_of, fresh_database

ROUTE_TABLE = "create table bare (id uuid primary key, body jsonb not null, at timestamptz not null default now())"
UPSERT_TABLE = "create table bare (id uuid primary key, version bigint not null, data jsonb not null)"


def _serve(url: str, port: int) -> None:
    """A FastAPI route that parses JSON and inserts one row with plain asyncpg; no more."""
    app = FastAPI()
    pool: list[asyncpg.Pool] = []

    @app.on_event("startup")
    async def open_pool() -> None:
        pool.append(await asyncpg.create_pool(url))

    @app.post("/invoices", status_code=201)
    async def issue(body: dict[str, Any], request: Request) -> dict[str, str]:
        made = uuid.uuid4()
        await pool[0].execute("insert into bare (id, body) values ($1, $2)", made, (await request.body()).decode())
        return {"id": str(made)}

    uvicorn.run(app, host=HOST, port=port, access_log=False, log_level="warning", loop="uvloop", http="httptools")


async def post_to_a_bare_route(layout: Layout, count: int) -> float:
    """Requests a second of a bare route, under the same load and the same bodies."""
    bodies = [invoice_body(str(uuid.uuid4()), f"BARE-{n}") for n in range(count)]
    return (await load_a_bare_route(layout, bodies)).per_second


async def load_a_bare_route(layout: Layout, bodies: Sequence[bytes]) -> Run:
    """A bare route under a load of these bodies."""
    async with fresh_database(layout, None) as database:
        await database.pool.execute(ROUTE_TABLE)
        url = await database.pool.fetchval("select current_database()")
        port = free_port()
        base = layout.database_url(url)
        server = multiprocessing.get_context("spawn").Process(target=_serve, args=(base, port), daemon=True)
        server.start()
        try:
            await _until_it_listens(port)
            await load(port, "/invoices", bodies[:100], lambda _: "")
            return await load(port, "/invoices", bodies, lambda _: "")
        finally:
            server.terminate()
            server.join()


async def _until_it_listens(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            (await Connection.open(port)).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)
        else:
            return


COPIED_BEFORE = ("customer",)
COPIED = ("invoice", "invoice_line", "invoice_tax", "journal_entry", "event_log")
"""What an import writes for each invoice, in the order their foreign keys ask for."""


async def copy_the_same_rows(layout: Layout) -> float:
    """Invoices a second by COPY of everything the import wrote, into the same tables of a fresh database."""
    source = await asyncpg.connect(layout.database_url("invoice"))
    seconds, invoices = 0.0, 0
    try:
        async with fresh_database(layout, "invoice") as database, database.pool.acquire() as target:
            for table in (*COPIED_BEFORE, *COPIED):
                columns = await _plain_columns(source, table)
                rows = await _copied_out(source, table, columns)
                began = time.perf_counter()
                done = await target.copy_to_table(table, source=rows, columns=columns, format="binary")
                if table in COPIED:
                    seconds += time.perf_counter() - began
                if table == "invoice":
                    invoices = int(done.split()[1])
    finally:
        await source.close()
    return invoices / seconds


async def _plain_columns(connection: asyncpg.Connection, table: str) -> list[str]:
    rows = await connection.fetch(
        """
        select attname from pg_attribute
        where attrelid = $1::text::regclass and attnum > 0 and not attisdropped and attgenerated = '' order by attnum
        """,
        table,
    )
    return [row["attname"] for row in rows]


async def _copied_out(connection: asyncpg.Connection, table: str, columns: Sequence[str]) -> io.BytesIO:
    rows = io.BytesIO()
    listed = ", ".join(f'"{name}"' for name in columns)
    await connection.copy_from_query(f"select {listed} from {table}", output=rows, format="binary")
    rows.seek(0)
    return rows


async def send_plainly(layout: Layout, count: int) -> float:
    """Events a second of plain sends with the same keys, values and headers, all acknowledged."""
    broker = broker_of(layout)
    async with brokers.admin(broker) as client:
        await brokers.ensure_topics(client, broker, ["ar.invoice"])
    messages = [to_kafka(envelope_of(event)) for event in issued_events(count)]
    producer = AIOKafkaProducer(**broker.connection(), acks="all", enable_idempotence=broker.idempotence)
    await producer.start()
    try:
        began = time.perf_counter()
        sent = [
            await producer.send(broker.wire_name("ar.invoice"), value, key=key, headers=headers)
            for key, value, headers in messages
        ]
        await asyncio.gather(*sent)
        return count / (time.perf_counter() - began)
    finally:
        await producer.stop()


async def upsert_plainly(layout: Layout, count: int) -> float:
    """Events a second of a plain upsert in batches of 200, one transaction each, of the same payloads."""
    rows = [(event.subject, event.version, event.model_dump(mode="json")) for event in issued_events(count)]
    async with fresh_database(layout, None) as database:
        await database.pool.execute(UPSERT_TABLE)
        began = time.perf_counter()
        for start in range(0, count, 200):
            batch = rows[start : start + 200]
            async with database.pool.acquire() as connection, connection.transaction():
                await connection.execute(
                    """
                    insert into bare (id, version, data)
                    select * from unnest($1::uuid[], $2::bigint[], $3::jsonb[])
                    on conflict (id) do update set version = excluded.version, data = excluded.data
                    where bare.version < excluded.version
                    """,
                    *(list(column) for column in zip(*batch, strict=True)),
                )
        return count / (time.perf_counter() - began)
