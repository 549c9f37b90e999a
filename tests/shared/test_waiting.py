"""Rounds of work leave each other room exactly when there is something to gather."""

from __future__ import annotations

import asyncio

from shared.db import WAKE_CHANNEL, Database, transaction
from shared.outbox import append
from shared.waiting import REST_SECONDS, REST_SECONDS_MAX, rest_s, wait_until_set
from tests.shared.ledger_of_notes import customers, event, eventually


def test_what_comes_for_one_customer_alone_is_followed_at_once() -> None:
    assert rest_s(1) == 0


def test_the_more_customers_a_round_served_the_longer_the_next_one_gathers_up_to_a_tenth_of_a_second() -> None:
    assert rest_s(2) == REST_SECONDS
    assert rest_s(3) == 2 * REST_SECONDS
    assert rest_s(500) == REST_SECONDS_MAX == 0.1


async def test_the_relay_hears_of_every_commit_but_not_of_each(database: Database) -> None:
    heard: list[int] = []
    listener = await database.pool.acquire()
    count = "select count(*) from outbox"
    outbox_seen: list[int] = []

    async def look() -> None:
        async with database.pool.acquire() as connection:
            outbox_seen.append(await connection.fetchval(count))

    looks: set[asyncio.Task[None]] = set()

    def woken(*_: object) -> None:
        heard.append(1)
        looks.add(asyncio.create_task(look()))

    await listener.add_listener(WAKE_CHANNEL, woken)
    people = customers(40)

    async def commit_one(n: int) -> None:
        async with transaction(database) as tx:
            await append(tx, event(people[n], people[n], 1))

    await asyncio.gather(*(commit_one(n) for n in range(40)))

    async def the_last_is_heard_of() -> bool:
        return bool(outbox_seen) and max(outbox_seen) == 40

    await eventually(the_last_is_heard_of)
    assert len(heard) < 40
    await listener.remove_listener(WAKE_CHANNEL, woken)
    await database.pool.release(listener)


async def test_who_waits_again_and_again_ends_when_cancelled_whenever_that_comes() -> None:
    """Also at the very moment at which what it waited for has come."""
    come = asyncio.Event()
    come.set()

    async def wait_for_ever() -> None:
        while True:
            await wait_until_set(come, 1)
            await asyncio.sleep(0)

    for steps in range(1, 50):
        waiting = asyncio.create_task(wait_for_ever())
        for _ in range(steps):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting}, timeout=5)
        assert waiting.cancelled()
