"""Events that a handler failed on wait here, and all later ones of their key behind them, in order.

They are tried again with growing pauses; an operator lists them, has one tried at once, or skips it for good.
"""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shared.clock import real_now
from shared.db import Tx
from shared.errors import Conflict, NotFound

if TYPE_CHECKING:
    from shared.delivery import Received

RETRY_FIRST = timedelta(seconds=1)
RETRY_MAX = timedelta(minutes=5)
REASON_CHARACTERS_MAX = 2_000


class ParkedEventNotFound(NotFound):
    slug = "parked-event-not-found"


class ParkedEventClosed(Conflict):
    slug = "parked-event-closed"
    title = "The event is not parked any more"


def pause_after(attempts: int) -> timedelta:
    """1 s, 2 s, 4 s ... at most 5 minutes."""
    return min(RETRY_FIRST * 2 ** min(attempts, 20), RETRY_MAX)


async def park(tx: Tx, consumer: str, received: Received, reason: str) -> None:
    """Keep an event whole, to be tried again. The caller has claimed it, so it is here once."""
    headers = [[name, base64.b64encode(raw or b"").decode()] for name, raw in received.headers]
    await tx.execute(
        """
        insert into parked_event (consumer, key, source, event_id, type, topic, partition, message_offset,
                                  headers, value, reason, next_retry_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """,
        consumer,
        received.envelope.key,
        received.envelope.source,
        received.envelope.id,
        received.envelope.type,
        received.topic,
        received.partition,
        received.offset,
        headers,
        received.value,
        reason[:REASON_CHARACTERS_MAX],
        real_now() + RETRY_FIRST,
    )


async def take_due(tx: Tx, consumer: str) -> dict[str, Any] | None:
    """Lock the head of a key whose time has come; None when there is none, or other workers have them all.

    Only heads are looked at: an event behind a parked one waits for it. They are found first, in one pass over the
    index: asking of each event that is due whether one is before it takes minutes when tens of thousands wait.
    """
    row = await tx.fetchrow(
        """
        select p.* from parked_event p
        where p.id in (select min(id) from parked_event where consumer = $1 and status = 'parked' group by key)
          and p.status = 'parked' and p.next_retry_at <= $2
        order by p.id limit 1
        for update of p skip locked
        """,
        consumer,
        real_now(),
    )
    if row is None:
        return None
    parked = dict(row)
    parked["headers"] = [(name, base64.b64decode(raw)) for name, raw in parked["headers"]]
    parked["key"] = str(row["key"]).encode()
    return parked


async def applied(tx: Tx, parked_id: int) -> None:
    await _close(tx, parked_id, "applied", by="retry", reason=None)
    await _wake_next(tx, parked_id)


async def failed_again(tx: Tx, parked_id: int, attempts: int, reason: str) -> None:
    await tx.execute(
        "update parked_event set attempts = $2, next_retry_at = $3, reason = $4 where id = $1",
        parked_id,
        attempts + 1,
        real_now() + pause_after(attempts + 1),
        reason[:REASON_CHARACTERS_MAX],
    )


async def list_parked(
    tx: Tx, limit: int, after: int | None = None, status: str = "parked", key: str | None = None
) -> list[dict[str, Any]]:
    """Parked events in order, with their payload as text, for an operator."""
    rows = await tx.fetch(
        """
        select id, consumer, key, source, event_id, type, topic, partition, message_offset, status, reason, attempts,
               parked_at, next_retry_at, closed_at, closed_by, closed_reason, convert_from(value, 'UTF8') as value
        from parked_event
        where status = $1 and ($2::bigint is null or id > $2) and ($3::uuid is null or key = $3)
        order by id limit $4
        """,
        status,
        after,
        key,
        limit,
    )
    return [dict(row) for row in rows]


async def retry(tx: Tx, parked_id: int) -> None:
    """Have the worker try it at once. Raises ParkedEventNotFound, ParkedEventClosed."""
    await _still_parked(tx, parked_id)
    await tx.execute("update parked_event set next_retry_at = $2 where id = $1", parked_id, real_now())


async def skip(tx: Tx, parked_id: int, by: str, reason: str) -> None:
    """Give it up for good, so that its key goes on; who and why is kept. Raises as `retry`."""
    await _still_parked(tx, parked_id)
    await _close(tx, parked_id, "skipped", by, reason)
    await _wake_next(tx, parked_id)


async def _still_parked(tx: Tx, parked_id: int) -> None:
    status = await tx.fetchval("select status from parked_event where id = $1 for update", parked_id)
    if status is None:
        raise ParkedEventNotFound(f"no event is parked under {parked_id}")
    if status != "parked":
        raise ParkedEventClosed(f"event {parked_id} was {status} already")


async def _close(tx: Tx, parked_id: int, status: str, by: str, reason: str | None) -> None:
    await tx.execute(
        "update parked_event set status = $2, closed_at = $3, closed_by = $4, closed_reason = $5 where id = $1",
        parked_id,
        status,
        real_now(),
        by,
        reason,
    )


async def _wake_next(tx: Tx, parked_id: int) -> None:
    """The next event of the key need not wait: what stood in its way is gone."""
    await tx.execute(
        """
        update parked_event set next_retry_at = $2
        where id = (select min(later.id) from parked_event done join parked_event later using (consumer, key)
                    where done.id = $1 and later.status = 'parked')
        """,
        parked_id,
        real_now(),
    )
