"""Reporting's projection by itself: messages as they come from Kafka, decoded, checked and applied in batches."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from deploy.local.layout import Layout
from services.reporting.consumers import subscriptions
from shared.broker import Broker
from shared.consumer import BATCH_MAX, receive
from shared.db import Database
from shared.delivery import deliver
from shared.events.envelope import to_kafka
from shared.relay import partition_of
from tests.bench.payloads import envelope_of, issued_events
from tests.bench.publishing import fresh_database

PARTITIONS = 4


async def project_events(layout: Layout, count: int) -> float:
    """Events a second through one worker, which takes its partitions side by side, as `shared.consumer` does."""
    partitions: dict[int, list[Any]] = defaultdict(list)
    for event in issued_events(count):
        key, value, headers = to_kafka(envelope_of(event))
        partition = partition_of(key, PARTITIONS)
        messages = partitions[partition]
        messages.append(
            SimpleNamespace(
                topic=event.topic, partition=partition, offset=len(messages), key=key, value=value, headers=headers
            )
        )
    broker = Broker(layout.bootstrap_servers)
    async with fresh_database(layout, "reporting") as database:
        began = time.perf_counter()
        await asyncio.gather(*(_project(database, broker, messages) for messages in partitions.values()))
        return count / (time.perf_counter() - began)


async def _project(database: Database, broker: Broker, messages: Sequence[Any]) -> None:
    for start in range(0, len(messages), BATCH_MAX):
        await deliver(
            database, subscriptions, [receive(message, broker) for message in messages[start : start + BATCH_MAX]]
        )
