"""Events leave a database once and take effect in another once, in order, whatever is killed or broken in between."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from shared import broker as brokers
from shared import parked
from shared.broker import Broker
from shared.consumer import Consumer
from shared.db import Database, transaction
from shared.delivery import Fenced, deliver, retry_parked_until
from shared.relay import Relay
from tests.shared.ledger_of_notes import (
    POISON,
    as_received,
    customers,
    event,
    eventually,
    has_notes,
    has_progress,
    make_table,
    notes,
    publish,
    running,
    subscriptions,
)

OpenDatabase = Callable[..., Awaitable[Database]]


async def test_every_committed_event_arrives_once_and_in_order_per_customer(database: Database, kafka: Broker) -> None:
    await make_table(database)
    people = customers(20)
    for version in range(1, 26):
        await publish(database, *(event(person, person, version) for person in people))
    async with running(Relay(database, kafka, "/dueward/invoice").run, Consumer(database, subscriptions(), kafka).run):
        await eventually(lambda: has_notes(database, 500))
    noted = await notes(database)
    for person in people:
        assert [version for customer, _, version in noted if customer == person] == list(range(1, 26))
    async with database.pool.acquire() as connection:
        assert await connection.fetchval("select count(*) from outbox") == 0
        assert await connection.fetchval("select sum(n) from relay_progress") == 500
        assert await connection.fetchval("select sum(n) from consumer_progress") == 500


async def test_a_poison_event_costs_only_itself_and_what_comes_behind_it(database: Database, kafka: Broker) -> None:
    await make_table(database)
    good, bad = customers(2)
    await publish(
        database,
        event(good, good, 1),
        event(bad, bad, 1),
        event(bad, bad, 2, POISON),
        event(good, good, 2),
        event(bad, bad, 3),
    )
    subscribed = subscriptions()
    async with running(Relay(database, kafka, "/dueward/invoice").run, Consumer(database, subscribed, kafka).run):
        await eventually(lambda: has_progress(database, 5))
    assert sorted(version for customer, _, version in await notes(database) if customer == good) == [1, 2]
    assert [version for customer, _, version in await notes(database) if customer == bad] == [1]
    async with database.pool.acquire() as connection:
        rows = await connection.fetch("select key, reason, status from parked_event order by id")
    assert [row["key"] for row in rows] == [bad, bad]
    assert rows[0]["reason"] == "ValueError: this invoice cannot be noted"

    # An operator skips the poison: what waited behind it goes on, in order.
    async with database.pool.acquire() as connection:
        await connection.execute(
            "update parked_event set status = 'skipped' where id = (select min(id) from parked_event)"
        )
    async with running(lambda stop: retry_parked_until(stop, database, subscribed)):
        await eventually(lambda: has_notes(database, 4))
    assert [version for customer, _, version in await notes(database) if customer == bad] == [1, 3]


async def test_of_ten_thousand_events_with_one_percent_poison_all_the_others_land(
    database: Database, kafka: Broker
) -> None:
    await make_table(database)
    people = customers(200)
    poison = {(person, 25) for person in people[:50]}
    for version in range(1, 51):
        await publish(
            database,
            *(event(person, person, version, POISON if (person, version) in poison else "-1.00") for person in people),
        )
    producer = AIOKafkaProducer(**kafka.connection())
    await producer.start()
    for n in range(50):
        await producer.send(kafka.wire_name("ar.invoice"), b"{ not json %d" % n, key=str(people[n]).encode())
    await producer.stop()

    subscribed = subscriptions()
    async with running(Relay(database, kafka, "/dueward/invoice").run, Consumer(database, subscribed, kafka).run):
        await eventually(lambda: has_progress(database, 10_000), seconds=60)
    async with database.pool.acquire() as connection:
        heads = await connection.fetch("select min(id) as id, key from parked_event group by key")
    assert len(heads) == 50
    for head in heads:
        async with transaction(database) as tx:
            await parked.skip(tx, head["id"], "an operator", "cannot be noted")
    async with running(lambda stop: retry_parked_until(stop, database, subscribed)):
        await eventually(lambda: has_notes(database, 10_000 - 50), seconds=60)
    noted = defaultdict(list)
    for person, _, version in await notes(database):
        noted[person].append(version)
    for person in people:
        assert noted[person] == [version for version in range(1, 51) if (person, version) not in poison]


async def test_a_batch_of_an_earlier_epoch_is_rolled_back(database: Database) -> None:
    await make_table(database)
    person = uuid4()
    received = as_received(event(person, person, 1))
    with pytest.raises(Fenced):
        await deliver(database, subscriptions(), [received], still_owned=lambda: False)
    assert await notes(database) == []
    await deliver(database, subscriptions(), [received, received])
    await deliver(database, subscriptions(), [received])
    assert len(await notes(database)) == 1


async def test_two_members_share_the_partitions_and_nothing_is_applied_twice(database: Database, kafka: Broker) -> None:
    await make_table(database)
    people = customers(40)
    first, second = (Consumer(database, subscriptions(), kafka) for _ in range(2))
    total = 0
    async with running(Relay(database, kafka, "/dueward/invoice").run, first.run):
        for version in range(1, 11):
            await publish(database, *(event(person, person, version) for person in people))
        await eventually(lambda: has_notes(database, 1))
        for begin in (11, 21):
            async with running(second.run):
                for version in range(begin, begin + 10):
                    await publish(database, *(event(person, person, version) for person in people))
                    await asyncio.sleep(0.05)
                await eventually(lambda: both_own(first, second))
            total = (begin + 9) * len(people)
        await eventually(lambda: has_notes(database, total))
    noted = await notes(database)
    assert len(noted) == total
    for person in people:
        assert [version for customer, _, version in noted if customer == person] == list(range(1, 31))


async def test_a_broker_that_comes_back_empty_is_given_everything_again(database: Database, kafka: Broker) -> None:
    await make_table(database)
    person = uuid4()
    await publish(database, event(person, person, 1), event(person, person, 2))
    async with database.pool.acquire() as connection:
        await connection.execute("delete from outbox")
        await connection.execute("insert into broker (cluster_id) values ('the one before')")
        await connection.execute("insert into relay_progress values ('ar.invoice', 1, 2)")
    async with transaction(database) as tx:
        assert await brokers.bind(tx, "the new one")
        assert not await brokers.bind(tx, "the new one")
    async with database.pool.acquire() as connection:
        assert await connection.fetchval("select count(*) from outbox") == 2
        assert await connection.fetchval("select count(*) from relay_progress") == 0


async def both_own(first: Consumer, second: Consumer) -> bool:
    return bool(first.owned) and bool(second.owned)
