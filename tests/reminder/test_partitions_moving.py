"""Workers come and go while they hear and send: every event takes effect once, every message goes out once."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from aiokafka import AIOKafkaProducer

from services.reminder.consumers import subscriptions
from services.reminder.mailing import MailSender
from services.reminder.ticks import Resources, ticks
from shared import broker as brokers
from shared.broker import Broker
from shared.clock import Clock
from shared.consumer import Consumer
from shared.db import Database
from shared.events.event import Event
from shared.mail import Postman
from shared.ticks import CLOCK_CHANNEL, Ticker
from tests.reminder.books import ADA, Customer, Invoice, receive
from tests.reminder.desk import Desk
from tests.reminder.test_sending import postman_of
from tests.shared.ledger_of_notes import eventually, running

DUE = date(2026, 2, 1)
CUSTOMERS = 48


@pytest.fixture
async def kafka(broker: str, topic_prefix: str) -> Broker:
    made = Broker(
        broker,
        topic_prefix=topic_prefix,
        partitions=4,
        replication_factor=1,
        idempotence=False,
        fetch_max_wait_ms=25,
        session_timeout_ms=3_000,
        leaves_groups=os.environ.get("BROKER") == "kafka",
    )
    async with brokers.admin(made) as client:
        await brokers.ensure_topics(client, made, [*subscriptions.topics, brokers.DEAD_LETTER_TOPIC])
    return made


@asynccontextmanager
async def worker(desk: Desk, kafka: Broker) -> AsyncIterator[None]:
    """One more member of the group, with connections of its own; it leaves the group when it ends."""
    database = await Database.open(desk.database.url, clock=Clock(True))
    postman = Postman(postman_of(desk).server)
    ticker = Ticker(database, ticks, Resources(desk.resources.invoice, {"email": MailSender(postman)}))
    consumer = Consumer(database, subscriptions, kafka, on_applied=ticker.events_applied)
    try:
        async with running(consumer.run, ticker.run):
            yield
    finally:
        await postman.close()
        await database.close()


async def publish(kafka: Broker, events: Iterable[Event]) -> int:
    producer = AIOKafkaProducer(**kafka.connection())
    await producer.start()
    try:
        told = [receive(event) for event in events]
        for one in told:
            headers = [(name, value) for name, value in one.headers if value is not None]
            topic, key = kafka.topic_prefix + one.topic, str(one.envelope.key).encode()
            await producer.send_and_wait(topic, one.value, key=key, headers=headers)
        return len(told)
    finally:
        await producer.stop()


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_workers_that_join_and_leave_while_others_send_repeat_and_lose_nothing(desk: Desk, kafka: Broker) -> None:
    await desk.set_clock(datetime(2026, 2, 2, 8, tzinfo=UTC))
    people = [ADA.model_copy(update={"email": f"c{n}@acme.example"}) for n in range(CUSTOMERS)]
    customers = [Customer.new(contacts=(person,)) for person in people]
    invoices = [Invoice(each.id, f"R-{n}", 10_000, DUE - timedelta(days=3), DUE) for n, each in enumerate(customers)]
    desk.invoice_service.invoices += invoices
    told = [each.onboard() for each in customers] + [each.issue() for each in invoices]
    told += [each.become_overdue() for each in invoices]
    pool = desk.database.pool

    async def heard(count: int) -> bool:
        return await pool.fetchval("select coalesce(sum(n), 0) from consumer_progress") >= count

    async def sent(count: int) -> bool:
        return await pool.fetchval("select count(*) from contact where status = 'sent'") >= count

    async with AsyncExitStack() as second, worker(desk, kafka):
        first = AsyncExitStack()
        await first.enter_async_context(worker(desk, kafka))
        count = await publish(kafka, told[:60])
        await eventually(lambda: heard(20), 60)
        await second.enter_async_context(worker(desk, kafka))
        count += await publish(kafka, told[60:])
        await eventually(lambda: heard(count), 60)

        await desk.set_clock(datetime(2026, 2, 2, 9, tzinfo=UTC))
        await pool.execute("select pg_notify($1, '')", CLOCK_CHANNEL)
        await eventually(lambda: sent(1), 60)
        paying = asyncio.create_task(publish(kafka, [event for each in invoices[::4] for event in each.pay()]))
        async with worker(desk, kafka):
            await first.aclose()
            count += await paying
            await eventually(lambda: heard(count), 60)
            await eventually(lambda: nothing_under_way(desk), 60)

    fates = Counter((c["status"], c["reason"]) for c in await desk.contacts())
    assert fates.total() == CUSTOMERS
    assert fates.keys() <= {("sent", None), ("suppressed", "nothing_collectable"), ("suppressed", "episode_over")}
    assert fates["sent", None] >= CUSTOMERS * 3 // 4
    assert len({mail["To"] for mail in desk.mails()}) == len(desk.mails()) == fates["sent", None]
    assert await pool.fetchval("select count(*) from inbox") == count
    assert await pool.fetchval("select count(*) from parked_event") == 0


async def nothing_under_way(desk: Desk) -> bool:
    return not await desk.database.pool.fetchval(
        "select count(*) from contact where status in ('planned', 'sending')"
    ) and await desk.database.pool.fetchval("select count(*) = $1 from contact", CUSTOMERS)
