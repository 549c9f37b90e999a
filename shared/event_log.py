"""Every event a service ever published, in order: its months, its shards, and how a part of it is published again."""

from __future__ import annotations

import zlib
from datetime import UTC, date, datetime
from uuid import UUID

from shared.db import Tx
from shared.errors import Refused
from shared.events.catalogue import TOPICS

SHARDS = 16


def shard_of(key: UUID) -> int:
    """Stable across processes and releases, unlike Python's own hash."""
    return zlib.crc32(key.bytes) % SHARDS


async def replay(tx: Tx, first: datetime, until: datetime, topic: str | None = None) -> int:
    """Publish again what was logged in [first, until): subscribers drop what they have. Returns the events put back.

    Raises:
        Refused: there is no such topic.
    """
    if topic is not None and topic not in TOPICS:
        raise Refused(f"there is no topic {topic}; there are {', '.join(TOPICS)}", field="/topic")
    return await tx.fetchval(_PUT_BACK, first, until, topic)


_PUT_BACK = """
with put_back as (
    insert into outbox (seq, month, shard)
    select seq, month, shard from event_log
    where logged_at >= $1 and logged_at < $2 and ($3::text is null or topic = $3)
    on conflict (seq) do nothing
    returning seq, month
), uncounted as (
    update relay_progress p set n = p.n - again.n
    from (select l.topic, l.shard, count(*) n from put_back join event_log l using (seq, month) group by 1, 2) again
    where p.topic = again.topic and p.shard = again.shard
)
select count(*) from put_back
"""


def utc(moment: datetime) -> datetime:
    """A moment given without an offset is meant in UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def ensure_partitions(tx: Tx, today: date) -> None:
    """Make the event log's partitions of this month and the two after it.

    A month that was written to before its partition was there stays in the default one: PostgreSQL moves no rows.
    """
    month = today.replace(day=1)
    for _ in range(3):
        following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
        if not await tx.fetchval("select exists (select from event_log_default where month = $1)", month):
            # DDL takes no parameters; both values are dates made here.
            await tx.execute(
                f"create table if not exists event_log_{month:%Y_%m} partition of event_log"
                f" for values from ('{month}') to ('{following}')"
            )
        month = following
