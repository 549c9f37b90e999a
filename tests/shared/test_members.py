"""Workers of one group come and go: whoever is left gets the partitions, and nobody waits for them for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from shared import broker as brokers
from shared.broker import Broker
from shared.consumer import Consumer
from shared.db import Database
from shared.progress import Progress
from tests.shared.ledger_of_notes import eventually, running, subscriptions

Places = dict[str, tuple[int | None, int | None]]


@pytest.mark.parametrize(
    ("before", "after", "settled", "nothing_since"),
    [
        pytest.param({}, {}, True, 9, id="no partitions, and that is the answer"),
        pytest.param({}, {}, False, 0, id="no answer which partitions"),
        pytest.param({"a": (5, 5)}, {"a": (5, 5)}, True, 9, id="nothing waits"),
        pytest.param({"a": (5, 6)}, {"a": (5, 6)}, True, 0, id="one event waits"),
        pytest.param({"a": (5, 9)}, {"a": (6, 9)}, True, 9, id="behind, but reading"),
        pytest.param({"a": (5, 9), "b": (5, 9)}, {"a": (5, 9), "b": (6, 9)}, True, 9, id="reading elsewhere"),
        pytest.param({"a": (5, None)}, {"a": (5, None)}, True, 9, id="the end is not known yet"),
        pytest.param({"a": (None, 9)}, {"a": (None, 9)}, True, 0, id="the position is never told"),
        pytest.param({"a": (5, 9)}, {"b": (5, 9)}, True, 0, id="another partition, and nothing of it"),
        pytest.param({"a": (5, 9)}, {"a": (3, 9)}, True, 0, id="set back"),
    ],
)
def test_a_member_gets_nowhere_while_something_waits_and_no_position_grows(
    before: Places, after: Places, settled: bool, nothing_since: float
) -> None:
    progress = Progress(0)
    progress.look(0, settled=False, places=before)
    assert progress.look(9, settled=settled, places=after) == nothing_since


def test_partitions_that_only_move_about_are_no_progress() -> None:
    progress = Progress(0)
    behind: Places = {"a": (5, 9)}
    for second in range(0, 60, 2):
        assert progress.look(second, settled=True, places=behind) == 0
        assert progress.look(second + 1, settled=False, places={}) == 0
    assert progress.look(60, settled=True, places={"a": (7, 9)}) == 60


async def test_members_that_leave_while_another_joins_leave_it_their_partitions(
    database: Database, kafka: Broker
) -> None:
    first, second, newcomer = (Consumer(database, subscriptions(), kafka) for _ in range(3))
    async with AsyncExitStack() as later:
        async with running(first.run):
            await eventually(lambda: share(4, first))
            async with running(second.run):
                await eventually(lambda: share(4, first, second))
                await later.enter_async_context(running(newcomer.run))
                await eventually(lambda: has_members(kafka, 3))
        await eventually(lambda: share(4, newcomer), seconds=60)


async def test_a_member_to_whom_its_group_gives_no_answer_ends_itself(database: Database, kafka: Broker) -> None:
    async with sulking(kafka):
        stop = asyncio.Event()
        told_to_stop = asyncio.create_task(Consumer(database, subscriptions(), kafka).run(stop))
        with pytest.raises(RuntimeError, match="the group gives no answer"):
            await Consumer(database, subscriptions(), kafka, stall_seconds=2).run(asyncio.Event())
        stop.set()
        await asyncio.wait_for(told_to_stop, timeout=60)


@asynccontextmanager
async def sulking(kafka: Broker) -> AsyncIterator[None]:
    """A member that had all partitions, is alive, and does not answer when the group is to share them."""
    asked = asyncio.Event()

    class Sulk(ConsumerRebalanceListener):
        def on_partitions_assigned(self, assigned: object) -> None: ...

        async def on_partitions_revoked(self, revoked: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
            if revoked:
                await asked.wait()

    member = AIOKafkaConsumer(
        **kafka.connection(),
        group_id=kafka.topic_prefix + subscriptions().group,
        enable_auto_commit=False,
        session_timeout_ms=kafka.session_timeout_ms,
        heartbeat_interval_ms=kafka.session_timeout_ms // 3,
        rebalance_timeout_ms=60_000,
        partition_assignment_strategy=(RangePartitionAssignor,),
    )
    member.subscribe([kafka.wire_name(topic) for topic in subscriptions().topics], listener=Sulk())
    await member.start()
    try:
        yield
    finally:
        asked.set()
        await member.stop()


async def share(partitions: int, *members: Consumer) -> bool:
    """Each has some, and together they have all."""
    return all(member.owned for member in members) and sum(len(member.owned) for member in members) == partitions


async def has_members(kafka: Broker, count: int) -> bool:
    async with brokers.admin(kafka) as client:
        answers: list[Any] = await client.describe_consumer_groups([kafka.topic_prefix + subscriptions().group])
    [answer] = answers
    [(_, _, _, _, _, members, *_)] = answer.groups
    return len(members) >= count
