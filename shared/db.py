"""PostgreSQL: one pool a process, and transactions that carry their events.

`transaction()` is the only way to a `Tx`, and a `Tx` is what the outbox asks for: state and events commit together.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from shared.clock import Clock, ClockNotSet

INFRASTRUCTURE_ERRORS = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.QueryCanceledError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.LockNotAvailableError,
    ClockNotSet,
    ConnectionError,
    OSError,
    TimeoutError,
)
"""Faults of the machinery, never of the event or request at hand: wait and do it again."""

WAKE_CHANNEL = "outbox"
WAKE_PAUSE_SECONDS = 0.005


@dataclass(slots=True)
class Tx:
    """An open transaction: SQL, the business time it runs at, and the events to be written at its end."""

    connection: Any
    now: datetime
    before_commit: list[Callable[[Tx], Awaitable[None]]] = field(default_factory=list)
    staged: list[tuple[Any, ...]] = field(default_factory=list)

    async def fetch(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        return await self.connection.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: Any) -> asyncpg.Record | None:
        return await self.connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        return await self.connection.fetchval(sql, *args)

    async def execute(self, sql: str, *args: Any) -> str:
        return await self.connection.execute(sql, *args)

    async def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        await self.connection.executemany(sql, rows)

    async def copy_records(self, table: str, columns: Sequence[str], records: Iterable[Sequence[Any]]) -> None:
        await self.connection.copy_records_to_table(table, records=records, columns=list(columns))

    @asynccontextmanager
    async def savepoint(self) -> AsyncGenerator[None]:
        """A part that may fail alone: its writes and its events go, the transaction and its locks stay."""
        staged = len(self.staged)
        try:
            async with self.connection.transaction():
                yield
        except BaseException:
            del self.staged[staged:]
            raise


class Database:
    """A service's database: the pool, its clock, and a debounced word to the relay after commits with events."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock, url: str = "") -> None:
        self.pool = pool
        self.clock = clock
        self.url = url
        self._unheard = False
        self._waking: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, url: str, *, clock: Clock | None = None, pool_min: int = 1, pool_max: int = 10) -> Database:
        pool = await asyncpg.create_pool(
            url,
            min_size=pool_min,
            max_size=pool_max,
            init=_prepare,
            reset=_nothing_to_reset,
            command_timeout=60,
            server_settings={"timezone": "UTC", "jit": "off"},
        )
        return cls(pool, clock or Clock(), url)

    async def close(self) -> None:
        if self._waking:
            await asyncio.gather(self._waking, return_exceptions=True)
        try:
            async with asyncio.timeout(5):
                await self.pool.close()
        except TimeoutError:
            self.pool.terminate()

    def wake_relay(self) -> None:
        """Tell the relay that there is something to publish; it polls anyway, so a lost word costs only time."""
        self._unheard = True
        if self._waking is None or self._waking.done():
            self._waking = asyncio.create_task(self._wake())

    async def _wake(self) -> None:
        """At once after the first commit; after those that follow on its heels, once for all of them."""
        try:
            while self._unheard:
                self._unheard = False
                await self.pool.execute("select pg_notify($1, '')", WAKE_CHANNEL)
                await asyncio.sleep(WAKE_PAUSE_SECONDS)
        except INFRASTRUCTURE_ERRORS:
            return


@asynccontextmanager
async def transaction(database: Database) -> AsyncGenerator[Tx]:
    """Commit what the block did, its events included, or nothing of it."""
    async with database.pool.acquire() as connection:
        async with connection.transaction():
            tx = Tx(connection, await database.clock.business_now(connection))
            yield tx
            for step in tx.before_commit:
                await step(tx)
        if tx.staged:
            database.wake_relay()


@asynccontextmanager
async def reading(database: Database) -> AsyncGenerator[Tx]:
    """A connection to read with: no transaction is opened, each statement sees what is committed."""
    async with database.pool.acquire() as connection:
        yield Tx(connection, await database.clock.business_now(connection))


@asynccontextmanager
async def snapshot(database: Database) -> AsyncGenerator[tuple[Tx, str]]:
    """One picture of the database to read from, and its name, by which other connections see the same one while this
    is open."""
    async with (
        database.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        tx = Tx(connection, await database.clock.business_now(connection))
        yield tx, await connection.fetchval("select pg_export_snapshot()")


async def _prepare(connection: asyncpg.Connection) -> None:
    # In the binary format, which is also that of COPY; jsonb's is its version, 1, before the text.
    await connection.set_type_codec(
        "json", encoder=orjson.dumps, decoder=orjson.loads, schema="pg_catalog", format="binary"
    )
    await connection.set_type_codec(
        "jsonb",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda value: orjson.loads(value[1:]),
        schema="pg_catalog",
        format="binary",
    )


async def _nothing_to_reset(connection: asyncpg.Connection) -> None:
    """Pooled connections keep no session state: locks and settings are bound to a transaction."""
