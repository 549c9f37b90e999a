"""Reporting's projection by itself: messages as they come from Kafka, decoded, checked and applied in batches."""

from __future__ import annotations

import time
from types import SimpleNamespace

from deploy.local.layout import Layout
from services.reporting.consumers import subscriptions
from shared.broker import Broker
from shared.consumer import BATCH_MAX, deliver, receive
from shared.events.envelope import to_kafka
from tests.bench.payloads import envelope_of, issued_events
from tests.bench.publishing import fresh_database


async def project_events(layout: Layout, count: int) -> float:
    """Events a second through one worker."""
    messages = []
    for offset, event in enumerate(issued_events(count)):
        key, value, headers = to_kafka(envelope_of(event))
        messages.append(
            SimpleNamespace(topic=event.topic, partition=0, offset=offset, key=key, value=value, headers=headers)
        )
    broker = Broker(layout.bootstrap_servers)
    async with fresh_database(layout, "reporting") as database:
        began = time.perf_counter()
        for start in range(0, count, BATCH_MAX):
            batch = [receive(message, broker) for message in messages[start : start + BATCH_MAX]]
            await deliver(database, subscriptions, batch)
        return count / (time.perf_counter() - began)
