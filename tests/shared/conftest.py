"""The run's broker, as the plumbing's own tests speak to it."""

from __future__ import annotations

import os

import pytest

from shared import broker as brokers
from shared.broker import DEAD_LETTER_TOPIC, Broker


@pytest.fixture
async def kafka(broker: str, topic_prefix: str) -> Broker:
    settings = Broker(
        broker,
        topic_prefix=topic_prefix,
        partitions=4,
        replication_factor=1,
        idempotence=False,
        fetch_max_wait_ms=25,
        session_timeout_ms=3_000,
        leaves_groups=os.environ.get("BROKER") == "kafka",
    )
    async with brokers.admin(settings) as client:
        await brokers.ensure_topics(client, settings, ["ar.invoice", DEAD_LETTER_TOPIC])
    return settings
