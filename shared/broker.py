"""How this house speaks to Kafka: connection settings, topics, and which cluster it is bound to.

A broker that comes back with another cluster id has none of what was published to the one before it. `bind` notices
that and puts the whole event log back into the outbox; subscribers drop what they have already applied.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, NoError, TopicAlreadyExistsError, for_code

from shared import log
from shared.db import Tx
from shared.waiting import wait_until_set

logger = log.get(__name__)

DEAD_LETTER_TOPIC = "ar.dead-letter"


class BrokerReplaced(RuntimeError):
    """The broker is another one than this process is bound to: end, and start anew against the new one."""


@dataclass(frozen=True)
class Broker:
    """Where the brokers are and how to get in. `topic_prefix` lets several installations share a cluster."""

    bootstrap_servers: str
    topic_prefix: str = ""
    partitions: int = 12
    replication_factor: int = -1
    idempotence: bool = True
    leaves_groups: bool = True
    fetch_max_wait_ms: int = 500
    session_timeout_ms: int = 10_000
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str = "PLAIN"
    sasl_username: str | None = None
    sasl_password: str | None = None
    ssl_ca_file: str | None = None

    def connection(self) -> dict[str, Any]:
        """What every aiokafka client needs."""
        tls = ssl.create_default_context(cafile=self.ssl_ca_file) if "SSL" in self.security_protocol else None
        return {
            "bootstrap_servers": self.bootstrap_servers,
            "security_protocol": self.security_protocol,
            "ssl_context": tls,
            "sasl_mechanism": self.sasl_mechanism,
            "sasl_plain_username": self.sasl_username,
            "sasl_plain_password": self.sasl_password,
        }

    def wire_name(self, topic: str) -> str:
        return self.topic_prefix + topic

    def house_name(self, wire_topic: str) -> str:
        return wire_topic.removeprefix(self.topic_prefix)


@asynccontextmanager
async def admin(broker: Broker) -> AsyncGenerator[AIOKafkaAdminClient]:
    """An admin client; waits with back-off until a broker answers."""
    pause = 0.1
    while True:
        client = AIOKafkaAdminClient(**broker.connection())
        try:
            await client.start()
            break
        except (KafkaError, OSError) as error:
            await client.close()
            logger.warning("broker_unreachable", error=str(error), retry_in_seconds=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5)
        except asyncio.CancelledError:
            await client.close()
            raise
    try:
        yield client
    finally:
        await client.close()


async def cluster_id(client: AIOKafkaAdminClient) -> str:
    return (await client.describe_cluster())["cluster_id"]


async def ensure_topics(client: AIOKafkaAdminClient, broker: Broker, topics: Iterable[str]) -> None:
    """Create what is missing, before anybody asks for it: some brokers make a topic with other partitions on sight."""
    existing = set(await client.list_topics())
    missing = [name for name in map(broker.wire_name, topics) if name not in existing]
    if not missing:
        return
    # With the broker's own replication factor, aiokafka wants to be told that no assignment is meant.
    assignments = {} if broker.replication_factor == -1 else None
    answer: Any = await client.create_topics(
        [NewTopic(name, broker.partitions, broker.replication_factor, assignments) for name in missing]
    )
    for topic, code, message in answer.topic_errors:
        # Another process may have been faster.
        if code not in (NoError.errno, TopicAlreadyExistsError.errno):
            raise for_code(code)(f"{topic}: {message}")


async def bind(tx: Tx, cluster: str) -> bool:
    """Remember the cluster; True when it replaced another, and everything logged waits in the outbox again."""
    await tx.execute("select pg_advisory_xact_lock(hashtext('broker.bind'))")
    bound = await tx.fetchval("select cluster_id from broker")
    if bound == cluster:
        return False
    await tx.execute(
        """
        insert into broker (cluster_id) values ($1)
        on conflict (singleton) do update set cluster_id = excluded.cluster_id, bound_at = now()
        """,
        cluster,
    )
    if bound is None:
        return False
    await tx.execute("delete from relay_progress")
    await tx.execute(
        "insert into outbox (seq, month, shard) select seq, month, shard from event_log on conflict do nothing"
    )
    return True


async def watch(broker: Broker, bound: str, stop: asyncio.Event) -> None:
    """Look once a second whether the broker is still the one bound to. Raises BrokerReplaced."""
    while not stop.is_set():
        async with admin(broker) as client:
            try:
                while not stop.is_set():
                    async with asyncio.timeout(5):
                        seen = await cluster_id(client)
                    if seen != bound:
                        raise BrokerReplaced(f"bound to cluster {bound}, found {seen}")
                    await wait_until_set(stop, 1.0)
            except (KafkaError, OSError, TimeoutError) as error:
                logger.warning("broker_unreachable", error=str(error))
                await wait_until_set(stop, 1.0)
