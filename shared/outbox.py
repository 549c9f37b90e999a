"""Events leave through here: written beside the state they speak of, in the same transaction.

`append` stages; the transaction writes all staged events in one statement just before it commits: the event itself
into `event_log`, kept, and a pointer to it into `outbox`, which the relay removes when the broker has it.
"""

from __future__ import annotations

from shared import context
from shared.clock import real_now
from shared.db import Tx
from shared.errors import Refused
from shared.event_log import shard_of
from shared.events.event import Event
from shared.ids import new_id
from shared.telemetry import current_traceparent

EVENT_BYTES_MAX = 900_000
"""Just below the megabyte that brokers take by default: an oversized event would block its key for ever."""


class EventTooLarge(Refused):
    """The event would never pass the broker, so the work that wanted it is refused."""

    slug = "event-too-large"
    title = "The result would be too large to publish"


async def append(tx: Tx, *events: Event) -> None:
    """Publish with the transaction. The caller holds the lock on the customer's row, which is what makes the
    sequence order of one key its commit order. Raises EventTooLarge."""
    if _flush not in tx.before_commit:
        tx.before_commit.append(_flush)
    correlation, causation, traceparent = context.correlation.get(), context.causation.get(), current_traceparent()
    month = real_now().date().replace(day=1)
    for event in events:
        data = event.model_dump_json()
        if len(data) > EVENT_BYTES_MAX:
            raise EventTooLarge(f"{event.type} of {len(data)} characters, at most {EVENT_BYTES_MAX} are published")
        event_id = new_id()
        tx.staged.append(
            (
                month,
                shard_of(event.customer_id),
                event.topic,
                event.customer_id,
                event_id,
                event.type,
                event.subject,
                tx.now,
                event.version,
                correlation or str(event_id),
                causation,
                traceparent,
                data,
            )
        )


async def _flush(tx: Tx) -> None:
    if not tx.staged:
        return
    await tx.execute(_WRITE, *(list(column) for column in zip(*tx.staged, strict=True)))


_WRITE = """
with logged as (
    insert into event_log (month, shard, topic, key, id, type, subject, time, version,
                           correlation, causation, traceparent, data)
    select month, shard, topic, key, id, type, subject, time, version, correlation, causation, traceparent, data::json
    from unnest($1::date[], $2::smallint[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::uuid[],
                $8::timestamptz[], $9::bigint[], $10::text[], $11::text[], $12::text[], $13::text[])
         as t (month, shard, topic, key, id, type, subject, time, version, correlation, causation, traceparent, data)
    returning seq, month, shard
)
insert into outbox (seq, month, shard) select seq, month, shard from logged
"""
