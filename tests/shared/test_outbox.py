"""What is committed is published, what is not is not, and any range of the past can be published again."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from shared import event_log, outbox
from shared.clock import real_now
from shared.db import INFRASTRUCTURE_ERRORS, WAKE_CHANNEL, WAKE_PAUSE_SECONDS, Database, Tx, transaction
from shared.outbox import EventTooLarge
from tests.shared.ledger_of_notes import customers, event, publish


async def counts(database: Database) -> tuple[int, int]:
    async with database.pool.acquire() as connection:
        row = await connection.fetchrow("select (select count(*) from event_log), (select count(*) from outbox)")
    return row[0], row[1]


async def test_a_rolled_back_transaction_publishes_nothing(database: Database) -> None:
    person = uuid4()

    async def change_my_mind() -> None:
        async with transaction(database) as tx:
            await outbox.append(tx, event(person, person, 1))
            raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError):
        await change_my_mind()
    assert await counts(database) == (0, 0)


async def test_a_savepoint_that_fails_takes_its_events_with_it(database: Database) -> None:
    person = uuid4()

    async def fail_in_part(tx: Tx) -> None:
        async with tx.savepoint():
            await outbox.append(tx, event(person, person, 2))
            raise ZeroDivisionError

    async with transaction(database) as tx:
        await outbox.append(tx, event(person, person, 1))
        with pytest.raises(ZeroDivisionError):
            await fail_in_part(tx)
    assert await counts(database) == (1, 1)


async def test_events_keep_the_order_in_which_they_were_appended(database: Database) -> None:
    person = uuid4()
    await publish(database, *(event(person, person, version) for version in range(1, 101)))
    async with database.pool.acquire() as connection:
        versions = [row["version"] for row in await connection.fetch("select version from event_log order by seq")]
    assert versions == list(range(1, 101))


async def test_an_oversized_event_is_refused_before_it_can_block_its_key(database: Database) -> None:
    person = uuid4()
    big = event(person, person, 1)
    big = big.model_copy(update={"invoice": big.invoice.model_copy(update={"number": "9" * 1_000_000})})
    with pytest.raises(EventTooLarge):
        await publish(database, big)
    assert await counts(database) == (0, 0)


@pytest.mark.parametrize("pauses", [0, 0.2, 0.5, 0.9, 1.1, 3])
async def test_after_every_commit_the_relay_is_told_to_look_however_close_on_the_last_one(
    database: Database, pauses: float
) -> None:
    """Whoever looks whenever told, and never otherwise, has seen every event: also one that was committed while
    another's word was on its way, or in the pause after it."""
    told = asyncio.Event()
    seen = 0

    def tell(*_: object) -> None:
        told.set()

    async def look_when_told() -> None:
        nonlocal seen
        while True:
            await told.wait()
            told.clear()
            seen = (await counts(database))[1]

    async with database.pool.acquire() as listening:
        await listening.add_listener(WAKE_CHANNEL, tell)
        looking = asyncio.create_task(look_when_told())
        try:
            for pair in range(1, 6):
                person = uuid4()
                await publish(database, event(person, person, 1))
                await asyncio.sleep(pauses * WAKE_PAUSE_SECONDS)
                await publish(database, event(person, person, 2))
                async with asyncio.timeout(30):
                    while seen < 2 * pair:
                        await asyncio.sleep(0.001)
        finally:
            looking.cancel()
            await listening.remove_listener(WAKE_CHANNEL, tell)


async def test_a_replayed_range_is_published_again_but_not_counted_again(database: Database) -> None:
    begun = real_now() - timedelta(seconds=5)
    people = customers(3)
    await publish(database, *(event(person, person, 1) for person in people))
    async with database.pool.acquire() as connection:
        await connection.execute(
            "insert into relay_progress select topic, shard, count(*) from event_log group by topic, shard"
        )
        await connection.execute("delete from outbox")
    async with transaction(database) as tx:
        assert await event_log.replay(tx, begun, real_now() + timedelta(seconds=5), "ar.payment") == 0
    async with transaction(database) as tx:
        assert await event_log.replay(tx, begun, real_now() + timedelta(seconds=5), "ar.invoice") == 3
    assert await counts(database) == (3, 3)
    async with database.pool.acquire() as connection:
        assert await connection.fetchval("select sum(n) from relay_progress") == 0


async def test_the_event_log_gets_its_months_ahead_of_time(database: Database) -> None:
    today = real_now().date()
    for _ in range(2):
        async with transaction(database) as tx:
            await event_log.ensure_partitions(tx, today)
    await publish(database, event(uuid4(), uuid4(), 1))
    async with database.pool.acquire() as connection:
        assert await connection.fetchval("select count(*) from only event_log_default") == 0
        assert await connection.fetchval(f"select count(*) from event_log_{today:%Y_%m}") == 1


async def test_a_month_written_to_before_its_partition_was_made_is_left_where_it_is(database: Database) -> None:
    await publish(database, event(uuid4(), uuid4(), 1))
    async with transaction(database) as tx:
        await event_log.ensure_partitions(tx, real_now().date())
    await publish(database, event(uuid4(), uuid4(), 1))
    async with database.pool.acquire() as connection:
        assert await connection.fetchval("select count(*) from only event_log_default") == 2


def test_a_value_that_fits_no_parameter_is_no_fault_of_the_machinery() -> None:
    """Else the consumer would wait for ever for such an event to mend itself."""
    assert not issubclass(asyncpg.DataError, INFRASTRUCTURE_ERRORS)
