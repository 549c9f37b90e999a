"""The relay carries committed events to Kafka, in order per key, each until the broker has acknowledged it.

It is queue-style: whatever pointer is visible is published, in sequence order per shard, and deleted after the ack.
(A relay that remembered the last sequence would lose a slow commit.) A shard belongs to the session that holds its
advisory lock. For each partition one batch is under way at a time and it stands or falls as a whole, so nothing
overtakes a failed event of its own key; a failed publish is simply an event that is still unpublished.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from shared import log, telemetry
from shared.broker import Broker, BrokerReplaced
from shared.clock import real_now
from shared.db import INFRASTRUCTURE_ERRORS, WAKE_CHANNEL, Database
from shared.event_log import SHARDS
from shared.events.envelope import Envelope, to_kafka
from shared.waiting import rest_s, wait_for_either, wait_until_set

logger = log.get(__name__)

LOCK_SPACE = 0x6F757462
"""First half of the advisory lock key of a shard ("outb")."""

BATCH_EVENTS = 500
BATCH_BYTES = 950_000
POLL_SECONDS = 0.25


class Relay:
    """Publishes one service's outbox; any number may run, each shard has one at work."""

    def __init__(self, database: Database, broker: Broker, source: str) -> None:
        self._database = database
        self._broker = broker
        self._source = source
        self._wake = asyncio.Event()
        self._last_offset: dict[tuple[str, int], int] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until told to stop; a lost database or broker is waited for, not given up on."""
        pause = 0.1
        while not stop.is_set():
            try:
                await self._session(stop)
                pause = 0.1
            except (*INFRASTRUCTURE_ERRORS, KafkaError) as error:
                logger.warning("relay_interrupted", error=repr(error), retry_in_seconds=pause)
                await wait_until_set(stop, pause)
                pause = min(pause * 2, 5)

    async def _session(self, stop: asyncio.Event) -> None:
        async with self._database.pool.acquire() as connection:
            producer = AIOKafkaProducer(
                **self._broker.connection(),
                acks="all",
                enable_idempotence=self._broker.idempotence,
                linger_ms=0,
                max_batch_size=BATCH_BYTES,
                request_timeout_ms=15_000,
            )
            await connection.add_listener(WAKE_CHANNEL, self._woken)
            await producer.start()
            try:
                await self._publish_until(stop, connection, producer)
            finally:
                await producer.stop()
                await self._let_go(connection)

    async def _publish_until(self, stop: asyncio.Event, connection: Any, producer: AIOKafkaProducer) -> None:
        shards = await self._lock_shards(connection)
        while not stop.is_set():
            self._wake.clear()
            rows = await self._pending(connection, shards)
            if rows:
                published = await self._publish(producer, rows)
                await self._forget(connection, published)
                if not published:
                    await wait_until_set(stop, POLL_SECONDS)
                elif len(rows) < BATCH_EVENTS and not self._database.clock.simulated:
                    await wait_until_set(stop, rest_s(len({row["key"] for row in rows})))
                continue
            if len(shards) < SHARDS:
                shards = await self._lock_shards(connection)
            await wait_for_either(stop, self._wake, POLL_SECONDS)

    async def _lock_shards(self, connection: Any) -> list[int]:
        """Session locks: they end with the connection, so a dead relay's shards are free at once."""
        rows = await connection.fetch(
            """
            select shard from generate_series(0, $2::int - 1) shard
            where exists (select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()
                          and classid = $1::int::oid and objid = shard::oid)
               or pg_try_advisory_lock($1::int, shard)
            """,
            LOCK_SPACE,
            SHARDS,
        )
        return [row["shard"] for row in rows]

    async def _pending(self, connection: Any, shards: list[int]) -> Sequence[asyncpg.Record]:
        pointers = await connection.fetch(
            "select seq, month from outbox where shard = any($1::smallint[]) order by seq limit $2",
            shards,
            BATCH_EVENTS,
        )
        if not pointers:
            return ()
        by_month: dict[Any, list[int]] = defaultdict(list)
        for pointer in pointers:
            by_month[pointer["month"]].append(pointer["seq"])
        rows = []
        # One month at a time with constants the planner can prune by; joining the two tables is far slower.
        for month, seqs in by_month.items():
            rows += await connection.fetch(
                """
                select seq, shard, topic, key, id, type, subject, time, version, correlation, causation, traceparent,
                       data::text as data
                from event_log where month = $1 and seq = any($2::bigint[]) order by seq
                """,
                month,
                seqs,
            )
        return sorted(rows, key=lambda row: row["seq"]) if len(by_month) > 1 else rows

    async def _publish(self, producer: AIOKafkaProducer, rows: Sequence[Any]) -> list[Any]:
        """Send one batch to each partition; return the rows the broker has acknowledged."""
        batches: dict[tuple[str, int], tuple[Any, list[Any]]] = {}
        full: set[tuple[str, int]] = set()
        stamp = int(real_now().timestamp() * 1000)
        for row in rows:
            topic = self._broker.wire_name(row["topic"])
            key, value, headers = to_kafka(self._envelope(row))
            place = (topic, partition_of(key, len(await producer.partitions_for(topic))))
            if place in full:
                continue
            if place not in batches:
                batches[place] = (producer.create_batch(), [])
            batch, members = batches[place]
            if batch.append(timestamp=stamp, key=key, value=value, headers=headers) is None:
                full.add(place)
                continue
            members.append(row)
        sent = [
            (place, members, await producer.send_batch(batch, place[0], partition=place[1]))
            for place, (batch, members) in batches.items()
        ]
        acknowledged = []
        for place, members, future in sent:
            try:
                metadata = await future
            except KafkaError as error:
                telemetry.PUBLISH_FAILURES.labels(self._broker.house_name(place[0])).inc()
                logger.warning("publish_failed", topic=place[0], partition=place[1], error=repr(error))
                continue
            self._check_growth(place, metadata.offset)
            acknowledged += members
        return acknowledged

    def _envelope(self, row: Any) -> Envelope:
        return Envelope(
            id=row["id"],
            source=self._source,
            type=row["type"],
            subject=row["subject"],
            time=row["time"],
            version=row["version"],
            key=row["key"],
            correlation_id=row["correlation"],
            causation_id=row["causation"],
            traceparent=row["traceparent"],
            data=row["data"].encode(),
        )

    def _check_growth(self, place: tuple[str, int], offset: int) -> None:
        """An offset that does not grow is a log that began anew: the ack is worth nothing."""
        if offset <= self._last_offset.get(place, -1):
            raise BrokerReplaced(
                f"{place[0]}[{place[1]}] acknowledged offset {offset} after {self._last_offset[place]}"
            )
        self._last_offset[place] = offset

    async def _forget(self, connection: Any, rows: Sequence[Any]) -> None:
        """Delete the pointers and count them, in one statement: a pointer is counted exactly once."""
        if not rows:
            return
        counts = Counter((row["topic"], row["shard"]) for row in rows)
        await connection.execute(
            """
            with gone as (delete from outbox where seq = any($1::bigint[]))
            insert into relay_progress (topic, shard, n)
            select * from unnest($2::text[], $3::smallint[], $4::bigint[])
            on conflict (topic, shard) do update set n = relay_progress.n + excluded.n
            """,
            [row["seq"] for row in rows],
            [topic for topic, _ in counts],
            [shard for _, shard in counts],
            list(counts.values()),
        )
        for topic, n in Counter(row["topic"] for row in rows).items():
            telemetry.EVENTS_PUBLISHED.labels(topic).inc(n)

    def _woken(self, *_: object) -> None:
        self._wake.set()

    async def _let_go(self, connection: Any) -> None:
        try:
            await connection.remove_listener(WAKE_CHANNEL, self._woken)
            await connection.execute("select pg_advisory_unlock_all()")
        except INFRASTRUCTURE_ERRORS:
            return  # The session is gone, and its locks with it.


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition Kafka's own clients choose for a key."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
