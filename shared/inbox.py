"""What took effect here: an event is claimed in the transaction of its effects, so it has them once.

The claim is `insert ... on conflict do nothing returning`: catching a duplicate-key error would abort the transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shared.db import Tx

if TYPE_CHECKING:
    from shared.delivery import Received


async def claim(tx: Tx, consumer: str, received: Sequence[Received]) -> list[tuple[Received, bool]]:
    """The events that are new to this consumer, in the order given, each with whether its key is parked.

    Counts them as progress of their partition in the same statement, which is what "applied" means to whoever waits
    for the system to be idle.
    """
    rows = await tx.fetch(
        _CLAIM,
        consumer,
        [r.envelope.source for r in received],
        [r.envelope.id for r in received],
        [r.envelope.key for r in received],
        [r.topic for r in received],
        [r.partition for r in received],
    )
    return [(received[row["position"] - 1], row["parked"]) for row in rows]


_CLAIM = """
with given as (
    select * from unnest($2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::int[])
        with ordinality as t (source, event_id, key, topic, partition, position)
), claimed as (
    insert into inbox (consumer, source, event_id)
    select $1, source, event_id from given order by event_id
    on conflict do nothing
    returning source, event_id
), fresh as (
    select distinct on (source, event_id) given.* from given join claimed using (source, event_id)
    order by source, event_id, position
), counted as (
    insert into consumer_progress (consumer, topic, partition, n)
    select $1, topic, partition, count(*) from fresh group by topic, partition order by topic, partition
    on conflict (consumer, topic, partition) do update set n = consumer_progress.n + excluded.n
)
select position, exists (
    select from parked_event p where p.consumer = $1 and p.key = fresh.key and p.status = 'parked'
) as parked
from fresh order by position
"""
