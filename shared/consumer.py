"""Events come in from Kafka here, and go on to be delivered (`shared.delivery`).

A polled batch of a partition number (the same number of every topic, so one customer's events meet in one place) is
applied in one transaction. Kafka offsets are advisory: the inbox decides what is new. After a rebalance the epoch has
moved on, and a batch of an earlier epoch is rolled back instead of committed.

A member that gets nowhere ends itself (`shared.progress`): one whose events wait while none is consumed, and one to
whom the group gives no answer, which has no partitions and therefore nothing that could wait.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, cast

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError

from shared import log, telemetry
from shared.broker import DEAD_LETTER_TOPIC, Broker, BrokerReplaced
from shared.clock import real_now
from shared.db import INFRASTRUCTURE_ERRORS, Database
from shared.delivery import Fenced, Received, Subscriptions, deliver
from shared.events import catalogue
from shared.events.envelope import VALUE_BYTES_MAX, Undecodable, decode
from shared.progress import Progress
from shared.waiting import rest_s

logger = log.get(__name__)

BATCH_MAX = 500
POLL_MS = 200
COMMIT_SECONDS = 2.0
DRAIN_SECONDS = 5.0
STALL_SECONDS = 60.0
FETCH_BYTES_MAX = 4_000_000
"""Above what any broker lets through by default, so that an oversized message is seen and dead-lettered."""


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
        self._settled = False
        self._round = asyncio.Lock()
        self._done: dict[TopicPartition, int] = {}
        self._applied_until: dict[TopicPartition, float] = {}
        self._committed_at = 0.0
        self._started = real_now().timestamp()
        self._alive_at = time.monotonic()
        self.owned: set[TopicPartition] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until told to stop, then drain, commit and leave the group."""
        for topic in self._subscriptions.topics:
            telemetry.DEAD_LETTERS.labels(topic)  # An increase is only seen of a figure that was there before.
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
        await consumer.start()
        await producer.start()
        if not self._broker.leaves_groups:
            _never_leave(consumer)
        # Only now: a consumer that starts with its topics waits for its partitions, unwatched and deaf to `stop`.
        consumer.subscribe(
            [self._broker.wire_name(topic) for topic in self._subscriptions.topics],
            listener=_Rebalance(self, consumer),
        )
        watchdog = asyncio.create_task(self._watch(consumer))
        polling = asyncio.create_task(self._poll_until(stop, consumer, producer))
        stopping = asyncio.create_task(stop.wait())
        try:
            finished, _ = await asyncio.wait({watchdog, polling, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if stopping in finished and self._settled:
                finished, _ = await asyncio.wait({polling}, timeout=DRAIN_SECONDS)
            for task in finished:
                task.result()
        finally:
            # While the group shares its partitions anew the client's poll does not return: it hears no `stop`.
            for task in (watchdog, polling, stopping):
                task.cancel()
            await asyncio.gather(watchdog, polling, stopping, return_exceptions=True)
            await self._commit(consumer, self.owned, force=True)
            await _bounded(consumer.stop())
            await _bounded(producer.stop())

    async def _poll_until(self, stop: asyncio.Event, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer) -> None:
        while not stop.is_set():
            polled = await self._poll(consumer)
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
            await self._commit(consumer, self.owned)
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
                self._alive_at = time.monotonic()
                logger.warning("consumer_waits", error=repr(error), retry_in_seconds=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2)
                continue
            for message in messages if epoch == self._epoch else ():
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
        self._alive_at = time.monotonic()

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

    async def _commit(self, consumer: AIOKafkaConsumer, owned: set[TopicPartition], *, force: bool = False) -> None:
        """Say how far we are. Only of partitions owned now: a stale commit after a rebalance would rewind the group."""
        if not self._done or (not force and time.monotonic() - self._committed_at < COMMIT_SECONDS):
            return
        offsets = {place: offset for place, offset in self._done.items() if place in owned}
        self._done.clear()
        self._committed_at = time.monotonic()
        if not offsets:
            return
        try:
            async with asyncio.timeout(3):
                await consumer.commit(cast("Any", offsets))
        except (KafkaError, TimeoutError) as error:
            logger.warning("commit_failed", error=repr(error))  # Harmless: the inbox knows what was applied.

    async def _watch(self, consumer: AIOKafkaConsumer) -> None:
        """Raise when there is something to do and nothing is done, or when the log ends before our position."""
        progress = Progress(time.monotonic())
        while True:
            await asyncio.sleep(1)
            places: dict[TopicPartition, tuple[int | None, int | None]] = {}
            for place in list(self.owned):
                position, end = await _position(consumer, place), consumer.highwater(place)
                places[place] = position, end
                if position is None or end is None:
                    continue
                if position > end:
                    raise BrokerReplaced(f"{place.topic}[{place.partition}] ends at {end}, before position {position}")
                self._report_lag(place, end - position)
            now = time.monotonic()
            nothing_since = progress.look(now, settled=self._settled, places=places)
            if now - max(nothing_since, self._alive_at) > self._stall_seconds:
                why = (
                    "although events wait"
                    if self._settled
                    else "while the group gives no answer which partitions are ours"
                )
                raise RuntimeError(f"nothing consumed for {self._stall_seconds:.0f} s {why}")

    def _report_lag(self, place: TopicPartition, messages: int) -> None:
        """In seconds: how old the newest applied event is while others wait behind it."""
        labels = self._broker.house_name(place.topic), place.partition
        age = real_now().timestamp() - self._applied_until.get(place, self._started) if messages else 0
        telemetry.CONSUMER_LAG_MESSAGES.labels(*labels).set(messages)
        telemetry.CONSUMER_LAG_SECONDS.labels(*labels).set(max(age, 0))

    async def taken_away(self, consumer: AIOKafkaConsumer) -> None:
        """Drain for a while, then fence: what is still under way afterwards is rolled back."""
        self._settled = False
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                await self._round.acquire()
            self._round.release()
        # Nothing is awaited up to here: a round that waited for this one finds that nothing is owned any more.
        self._epoch += 1
        owned, self.owned = self.owned, set()
        await self._commit(consumer, owned, force=True)

    def given(self, places: set[TopicPartition]) -> None:
        self.owned = set(places)
        self._settled = True


class _Rebalance(ConsumerRebalanceListener):
    """aiokafka awaits these where they are coroutines, though its own signatures do not say so."""

    def __init__(self, member: Consumer, consumer: AIOKafkaConsumer) -> None:
        self._member, self._consumer = member, consumer

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        await self._member.taken_away(self._consumer)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        logger.info("partitions_assigned", partitions=sorted({place.partition for place in assigned}))
        self._member.given(assigned)


async def _position(consumer: AIOKafkaConsumer, place: TopicPartition) -> int | None:
    """Where we read on; None while the broker does not say."""
    try:
        async with asyncio.timeout(1):
            return await consumer.position(place)
    except (KafkaError, TimeoutError):
        return None


def _never_leave(consumer: AIOKafkaConsumer) -> None:
    """Have the group notice by its silence that this member is gone, when its session is over.

    The client has no setting for it, other than an identity that the group keeps, which the embedded broker keeps for
    ever (docs/decisions/0013).
    """

    async def stay() -> None: ...

    cast("Any", consumer)._coordinator._maybe_leave_group = stay


async def _bounded(closing: Awaitable[None]) -> None:
    """Clients can wait for ever on a broker that is gone."""
    try:
        async with asyncio.timeout(5):
            await closing
    except (TimeoutError, KafkaError) as error:
        logger.warning("close_failed", error=repr(error))
