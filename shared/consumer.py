"""Events come in through here: each takes effect once, in order per customer, or is kept where an operator sees it.

A polled batch of a partition number (the same number of every topic, so one customer's events meet in one place) is
applied in one transaction; when that fails, one by one, so that a bad event costs only itself. Kafka offsets are
advisory: the inbox decides what is new. After a rebalance the epoch has moved on, and a batch of an earlier epoch is
rolled back instead of committed.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError

from shared import context, inbox, log, parked, telemetry
from shared.broker import DEAD_LETTER_TOPIC, Broker, BrokerReplaced
from shared.clock import real_now
from shared.db import INFRASTRUCTURE_ERRORS, Database, Tx, transaction
from shared.events import catalogue
from shared.events.envelope import VALUE_BYTES_MAX, Envelope, Undecodable, decode
from shared.events.event import Event
from shared.waiting import rest_s, wait_until_set

logger = log.get(__name__)

BATCH_MAX = 500
POLL_MS = 200
COMMIT_SECONDS = 2.0
DRAIN_SECONDS = 5.0
STALL_SECONDS = 60.0
FETCH_BYTES_MAX = 4_000_000
"""Above what any broker lets through by default, so that an oversized message is seen and dead-lettered."""

Handler = Callable[[Tx, Any], Awaitable[None]]
BatchHandler = Callable[[Tx, Sequence["Received"]], Awaitable[None]]


@dataclass(frozen=True)
class Received:
    """An event as it came: the envelope, the typed event (None where this release does not know the type), and the
    raw message for whoever has to keep it."""

    envelope: Envelope
    event: Event | None
    topic: str
    partition: int
    offset: int
    headers: Sequence[tuple[str, bytes | None]]
    value: bytes

    @cached_property
    def data(self) -> dict[str, Any]:
        return orjson.loads(self.envelope.data)


class Fenced(Exception):
    """The partition was taken away while its batch was under way: nothing of it may be committed."""


@dataclass
class Subscriptions:
    """Every subscription of a service, one readable list: which handler takes which event."""

    group: str
    topics: tuple[str, ...]
    routes: dict[str, list[Handler]] = field(default_factory=lambda: defaultdict(list))
    batch_handlers: list[BatchHandler] = field(default_factory=list)

    def on(self, *kinds: type[Event]) -> Callable[[Handler], Handler]:
        """Declare a handler for some kinds of event. It runs in the transaction of its batch; raising parks."""
        for kind in kinds:
            if kind.topic not in self.topics:
                raise ValueError(f"{kind.type} travels on {kind.topic}, which {self.group} does not listen to")

        def declare(handler: Handler) -> Handler:
            for kind in kinds:
                self.routes[kind.type].append(handler)
            return handler

        return declare

    def every_batch(self, handler: BatchHandler) -> BatchHandler:
        """Declare a handler for whole batches of new events, of every type: for read models."""
        self.batch_handlers.append(handler)
        return handler

    async def apply(self, tx: Tx, received: Sequence[Received]) -> None:
        for handler in self.batch_handlers:
            await handler(tx, received)
        for one in received:
            handlers = self.routes.get(one.envelope.type, ())
            if one.event is None or not handlers:
                continue
            envelope = one.envelope
            context.correlation.set(envelope.correlation_id)
            context.causation.set(str(envelope.id))
            with (
                telemetry.span(
                    f"{self.group} takes {envelope.type}", kind="consumer", traceparent=envelope.traceparent
                ),
                telemetry.HANDLER_SECONDS.labels(envelope.type).time(),
            ):
                for handler in handlers:
                    await handler(tx, one.event)


def receive(message: Any, broker: Broker) -> Received:
    """Decode one message of aiokafka's. Raises Undecodable."""
    envelope = decode(message.key, message.value, message.headers)
    event = catalogue.parse(envelope)
    if event is None:
        telemetry.EVENTS_IGNORED.labels(envelope.type).inc()
    return Received(
        envelope=envelope,
        event=event,
        topic=broker.house_name(message.topic),
        partition=message.partition,
        offset=message.offset,
        headers=message.headers,
        value=message.value,
    )


async def deliver_batch(
    database: Database,
    subscriptions: Subscriptions,
    received: Sequence[Received],
    still_owned: Callable[[], bool] = lambda: True,
) -> int:
    """Apply a batch in one transaction; return how many were new. Raises whatever a handler raised, or Fenced."""
    async with transaction(database) as tx:
        fresh = await inbox.claim(tx, subscriptions.group, received)
        for one, behind_parked in fresh:
            if behind_parked:
                await parked.park(tx, subscriptions.group, one, "an earlier event of this customer is parked")
        todo = [one for one, behind_parked in fresh if not behind_parked]
        if todo:
            await subscriptions.apply(tx, todo)
        if not still_owned():
            raise Fenced
    telemetry.EVENTS_DUPLICATE.labels(subscriptions.group).inc(len(received) - len(fresh))
    for one, _ in fresh:
        telemetry.EVENTS_APPLIED.labels(one.topic).inc()
    return len(fresh)


async def deliver(
    database: Database,
    subscriptions: Subscriptions,
    batch: Sequence[Received],
    still_owned: Callable[[], bool] = lambda: True,
) -> None:
    """Apply a batch; where a handler fails, halve it until the bad event stands alone, and park that one.

    Everything before the bad event is applied before it, everything after it later: the order of a key is kept.
    Raises Fenced and the machinery's faults, upon which the caller may deliver the same batch again.
    """
    try:
        await deliver_batch(database, subscriptions, batch, still_owned)
    except (*INFRASTRUCTURE_ERRORS, Fenced):
        raise
    except Exception as error:  # Any fault of a handler's own.
        if len(batch) == 1:
            await _park_alone(database, subscriptions, batch[0], error, still_owned)
            return
        middle = len(batch) // 2
        await deliver(database, subscriptions, batch[:middle], still_owned)
        await deliver(database, subscriptions, batch[middle:], still_owned)


async def _park_alone(
    database: Database,
    subscriptions: Subscriptions,
    one: Received,
    error: Exception,
    still_owned: Callable[[], bool],
) -> None:
    logger.error("event_parked", type=one.envelope.type, event_id=str(one.envelope.id), exc_info=error)
    async with transaction(database) as tx:
        for claimed, _ in await inbox.claim(tx, subscriptions.group, [one]):
            await parked.park(tx, subscriptions.group, claimed, f"{type(error).__name__}: {error}")
        if not still_owned():
            raise Fenced


async def retry_parked(database: Database, subscriptions: Subscriptions) -> bool:
    """Try the first parked event whose time has come; False when there is none."""
    async with transaction(database) as tx:
        row = await parked.take_due(tx, subscriptions.group)
        if row is None:
            return False
        try:
            async with tx.savepoint():
                await subscriptions.apply(tx, [_unparked(row)])
        except INFRASTRUCTURE_ERRORS:
            raise
        except Exception as error:  # The handler's own fault once more: it waits longer.
            await parked.failed_again(tx, row["id"], row["attempts"], f"{type(error).__name__}: {error}")
        else:
            await parked.applied(tx, row["id"])
    return True


def _unparked(row: dict[str, Any]) -> Received:
    envelope = decode(row["key"], row["value"], row["headers"])
    return Received(
        envelope=envelope,
        event=catalogue.parse(envelope),
        topic=row["topic"],
        partition=row["partition"],
        offset=row["message_offset"],
        headers=row["headers"],
        value=row["value"],
    )


async def retry_parked_until(stop: asyncio.Event, database: Database, subscriptions: Subscriptions) -> None:
    """Look every second for parked events whose time has come."""
    while not stop.is_set():
        try:
            if await retry_parked(database, subscriptions):
                continue
        except INFRASTRUCTURE_ERRORS as error:
            logger.warning("parked_retry_interrupted", error=repr(error))
        await wait_until_set(stop, 1.0)


class Consumer:
    """One member of a service's consumer group."""

    def __init__(
        self,
        database: Database,
        subscriptions: Subscriptions,
        broker: Broker,
        on_applied: Callable[[], None] = lambda: None,
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        self._database = database
        self._subscriptions = subscriptions
        self._broker = broker
        self._on_applied = on_applied
        self._stall_seconds = stall_seconds
        self._epoch = 0
        self._round = asyncio.Lock()
        self._done: dict[TopicPartition, int] = {}
        self._applied_until: dict[TopicPartition, float] = {}
        self._committed_at = 0.0
        self._started = real_now().timestamp()
        self._heartbeat = time.monotonic()
        self.owned: set[TopicPartition] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until told to stop, then drain, commit and leave the group."""
        consumer = AIOKafkaConsumer(
            **self._broker.connection(),
            group_id=self._broker.topic_prefix + self._subscriptions.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            partition_assignment_strategy=(RangePartitionAssignor,),
            fetch_max_wait_ms=self._broker.fetch_max_wait_ms,
            max_partition_fetch_bytes=FETCH_BYTES_MAX,
            session_timeout_ms=self._broker.session_timeout_ms,
            heartbeat_interval_ms=self._broker.session_timeout_ms // 3,
            max_poll_interval_ms=300_000,
            metadata_max_age_ms=30_000,
        )
        producer = AIOKafkaProducer(**self._broker.connection(), acks="all", max_request_size=FETCH_BYTES_MAX)
        consumer.subscribe(
            [self._broker.wire_name(topic) for topic in self._subscriptions.topics],
            listener=_Rebalance(self, consumer),
        )
        await consumer.start()
        await producer.start()
        watchdog = asyncio.create_task(self._watch(consumer))
        polling = asyncio.create_task(self._poll_until(stop, consumer, producer))
        try:
            finished, _ = await asyncio.wait({watchdog, polling}, return_when=asyncio.FIRST_COMPLETED)
            for task in finished:
                task.result()
        finally:
            for task in (watchdog, polling):
                task.cancel()
            await asyncio.gather(watchdog, polling, return_exceptions=True)
            await self._commit(consumer, force=True)
            await _bounded(consumer.stop())
            await _bounded(producer.stop())

    async def _poll_until(self, stop: asyncio.Event, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer) -> None:
        while not stop.is_set():
            polled = await self._poll(consumer)
            self._heartbeat = time.monotonic()
            async with self._round:
                epoch = self._epoch
                lanes: dict[int, list[Any]] = defaultdict(list)
                for place, messages in polled.items():
                    if place in self.owned:
                        lanes[place.partition] += messages
                if lanes:
                    # Left alone once begun: cancelling would cost a roll-back, draining costs milliseconds.
                    await asyncio.gather(*(self._take(messages, epoch, producer) for messages in lanes.values()))
                    self._on_applied()
            await self._commit(consumer)
            if lanes and max(map(len, lanes.values())) < BATCH_MAX and not self._database.clock.simulated:
                await asyncio.sleep(rest_s(len({message.key for messages in lanes.values() for message in messages})))

    async def _poll(self, consumer: AIOKafkaConsumer) -> dict[TopicPartition, list[Any]]:
        """At most a batch of each partition of each topic: a payment does not wait behind a thousand invoices."""
        polled: dict[TopicPartition, list[Any]] = await consumer.getmany(timeout_ms=POLL_MS, max_records=BATCH_MAX)
        epoch = self._epoch
        for place in list(self.owned) if polled else ():
            if room := BATCH_MAX - len(polled.get(place, ())):
                more: dict[TopicPartition, list[Any]] = await consumer.getmany(place, timeout_ms=0, max_records=room)
                if epoch != self._epoch:
                    return more  # What was polled before the partitions moved is read again from the last commit.
                for messages in more.values():
                    polled[place] = [*polled.get(place, ()), *messages]
        return polled

    async def _take(self, messages: Sequence[Any], epoch: int, producer: AIOKafkaProducer) -> None:
        """Apply one partition number's messages, however long the machinery is away; stop when it is taken away."""
        pause = 0.05
        while epoch == self._epoch:
            try:
                await self._apply(messages, epoch, producer)
            except Fenced:
                return
            except (*INFRASTRUCTURE_ERRORS, KafkaError) as error:
                self._heartbeat = time.monotonic()
                logger.warning("consumer_waits", error=repr(error), retry_in_seconds=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2)
                continue
            for message in messages:
                place = TopicPartition(message.topic, message.partition)
                self._done[place] = max(self._done.get(place, 0), message.offset + 1)
                self._applied_until[place] = message.timestamp / 1000
            return

    async def _apply(self, messages: Sequence[Any], epoch: int, producer: AIOKafkaProducer) -> None:
        good: list[Received] = []
        for message in messages:
            try:
                good.append(receive(message, self._broker))
            except Undecodable as fault:
                await self._bury(producer, message, fault.reason)
        for start in range(0, len(good), BATCH_MAX):
            await self._apply_batch(good[start : start + BATCH_MAX], epoch)

    async def _apply_batch(self, batch: Sequence[Received], epoch: int) -> None:
        def still_owned() -> bool:
            return epoch == self._epoch

        with telemetry.BATCH_SECONDS.labels(self._subscriptions.group).time():
            await deliver(self._database, self._subscriptions, batch, still_owned)

    async def _bury(self, producer: AIOKafkaProducer, message: Any, reason: str) -> None:
        """Keep what cannot be read, raw and with the reason; of an oversized value its beginning."""
        value = message.value or b""
        place = f"{self._broker.house_name(message.topic)}/{message.partition}/{message.offset}"
        headers = [
            ("reason", reason.encode()),
            ("place", place.encode()),
            ("consumer", self._subscriptions.group.encode()),
            ("value-bytes", str(len(value)).encode()),
        ]
        if len(value) > VALUE_BYTES_MAX:
            value = value[:65_536]
            headers.append(("truncated", b"true"))
        logger.error("event_undecodable", reason=reason, place=place)
        telemetry.DEAD_LETTERS.labels(self._broker.house_name(message.topic)).inc()
        await producer.send_and_wait(
            self._broker.wire_name(DEAD_LETTER_TOPIC), value, key=message.key, headers=headers + list(message.headers)
        )

    async def _commit(self, consumer: AIOKafkaConsumer, *, force: bool = False) -> None:
        """Say how far we are. Only of partitions owned now: a stale commit after a rebalance would rewind the group."""
        if not self._done or (not force and time.monotonic() - self._committed_at < COMMIT_SECONDS):
            return
        offsets = {place: offset for place, offset in self._done.items() if place in self.owned}
        self._done.clear()
        self._committed_at = time.monotonic()
        if not offsets:
            return
        try:
            await asyncio.wait_for(consumer.commit(cast("Any", offsets)), timeout=3)
        except (KafkaError, TimeoutError) as error:
            logger.warning("commit_failed", error=repr(error))  # Harmless: the inbox knows what was applied.

    async def _watch(self, consumer: AIOKafkaConsumer) -> None:
        """Raise when there is something to do and nothing is done, or when the log ends before our position."""
        seen: dict[TopicPartition, int] = {}
        moved = time.monotonic()
        while True:
            await asyncio.sleep(1)
            positions, behind = {}, False
            for place in list(self.owned):
                end = consumer.highwater(place)
                try:
                    position = await asyncio.wait_for(consumer.position(place), timeout=1)
                except (KafkaError, TimeoutError):
                    continue
                positions[place] = position
                if end is None:
                    continue
                if position > end:
                    raise BrokerReplaced(f"{place.topic}[{place.partition}] ends at {end}, before position {position}")
                behind = behind or position < end
                self._report_lag(place, end - position)
            now = time.monotonic()
            if positions != seen or not behind:
                seen, moved = positions, now
            if now - max(moved, self._heartbeat) > self._stall_seconds:
                raise RuntimeError(f"nothing consumed for {self._stall_seconds:.0f} s although events wait")

    def _report_lag(self, place: TopicPartition, messages: int) -> None:
        """In seconds: how old the newest applied event is while others wait behind it."""
        labels = self._broker.house_name(place.topic), place.partition
        age = real_now().timestamp() - self._applied_until.get(place, self._started) if messages else 0
        telemetry.CONSUMER_LAG_MESSAGES.labels(*labels).set(messages)
        telemetry.CONSUMER_LAG_SECONDS.labels(*labels).set(max(age, 0))

    async def taken_away(self, consumer: AIOKafkaConsumer) -> None:
        """Drain for a while, then fence: what is still under way afterwards is rolled back."""
        try:
            await asyncio.wait_for(self._round.acquire(), DRAIN_SECONDS)
        except TimeoutError:
            self._epoch += 1
        else:
            self._epoch += 1
            self._round.release()
        await self._commit(consumer, force=True)
        self.owned.clear()
        self._done.clear()

    def given(self, places: set[TopicPartition]) -> None:
        self.owned = set(places)


class _Rebalance(ConsumerRebalanceListener):
    """aiokafka awaits these where they are coroutines, though its own signatures do not say so."""

    def __init__(self, member: Consumer, consumer: AIOKafkaConsumer) -> None:
        self._member, self._consumer = member, consumer

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        await self._member.taken_away(self._consumer)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        logger.info("partitions_assigned", partitions=sorted({place.partition for place in assigned}))
        self._member.given(assigned)


async def _bounded(closing: Awaitable[None]) -> None:
    """Clients can wait for ever on a broker that is gone."""
    try:
        await asyncio.wait_for(closing, timeout=5)
    except (TimeoutError, KafkaError) as error:
        logger.warning("close_failed", error=repr(error))
