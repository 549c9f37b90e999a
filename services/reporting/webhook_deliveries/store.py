"""Tables: webhook_run, webhook_lane, webhook_dead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.reporting.webhook_deliveries.rules import DeadRow, LaneRow, Run, Settlement
from shared.db import Tx

_RUN = "r.id, r.webhook_id, r.kind, r.since, r.until, r.place, r.last_place, r.failures, r.failing_since, r.lease"


async def ensure_live_runs(tx: Tx) -> None:
    """A webhook that was just made gets its run."""
    await tx.execute(_ENSURE)


_ENSURE = """
insert into webhook_run (id, webhook_id, kind, place)
select gen_random_uuid(), w.id, 'live', w.starts_behind
from webhook w where not exists (select from webhook_run r where r.webhook_id = w.id and r.kind = 'live')
on conflict do nothing
"""


async def claim(tx: Tx, lease: UUID, now: datetime, lease_until: datetime, limit: int) -> list[Run]:
    """Runs with something to do, that nobody works on and that need not rest; marked as this worker's."""
    return [Run(**row) for row in await tx.fetch(_CLAIM, lease, now, lease_until, limit)]


_CLAIM = f"""
update webhook_run r set lease = $1, lease_until = $3
where id in (
    select d.id from webhook_run d join webhook w on w.id = d.webhook_id
    where w.status = 'active' and d.finished_at is null
      and (d.lease_until is null or d.lease_until < $2) and (d.rest_until is null or d.rest_until <= $2)
      and (d.place < coalesce(d.last_place, (select max(seq) from event))
           or exists (select from webhook_lane l where l.run_id = d.id and l.retry_at <= $2)
           or (d.kind = 'live'
               and exists (select from webhook_dead g where g.webhook_id = d.webhook_id and g.retry_asked)))
    order by d.lease_until nulls first, d.id limit $4
    for update of d skip locked
)
returning {_RUN}
"""


async def due_lanes(tx: Tx, run_id: UUID, now: datetime, limit: int) -> list[asyncpg.Record]:
    return await tx.fetch(_DUE_LANES, run_id, now, limit)


_DUE_LANES = """
select customer_id, place, attempts, failing_since from webhook_lane
where run_id = $1 and retry_at <= $2 order by retry_at limit $3
"""


async def customers_in_lanes(tx: Tx, run_id: UUID, customers: Sequence[UUID]) -> frozenset[UUID]:
    rows = await tx.fetch(
        "select customer_id from webhook_lane where run_id = $1 and customer_id = any($2)", run_id, list(customers)
    )
    return frozenset(row["customer_id"] for row in rows)


async def asked_for(tx: Tx, webhook_id: UUID, limit: int) -> list[UUID]:
    rows = await tx.fetch(
        "select event_id from webhook_dead where webhook_id = $1 and retry_asked order by dead_at limit $2",
        webhook_id,
        limit,
    )
    return [row["event_id"] for row in rows]


async def hold(tx: Tx, run_id: UUID, lease: UUID) -> bool:
    """Whether the run is still this worker's; nobody else takes it before the transaction ends."""
    sql = "select true from webhook_run where id = $1 and lease = $2 for update"
    return bool(await tx.fetchval(sql, run_id, lease))


async def write_down(tx: Tx, run: Run, settled: Settlement, now: datetime) -> None:
    if settled.lanes:
        await tx.executemany(_KEEP_LANE, [_lane_args(run.id, lane) for lane in settled.lanes])
    if settled.caught_up:
        await tx.execute(
            "delete from webhook_lane where run_id = $1 and customer_id = any($2)", run.id, settled.caught_up
        )
    if settled.dead:
        await tx.executemany(_BURY, [_dead_args(run.webhook_id, dead, now) for dead in settled.dead])
    if settled.revived:
        await tx.execute(
            "delete from webhook_dead where webhook_id = $1 and event_id = any($2)", run.webhook_id, settled.revived
        )
    for event_id, reason in settled.still_dead:
        await tx.execute(_STILL_DEAD, run.webhook_id, event_id, reason)
    if settled.recovered:
        await tx.execute(_BRING_FORWARD, run.id, now)
    if settled.disable_because:
        await tx.execute(_FORGIVE, run.id, now)
    await tx.execute(
        _MOVE,
        run.id,
        settled.place,
        settled.delivered,
        now if settled.delivered else None,
        settled.failures,
        settled.failing_since,
        settled.rest_until,
        now,
    )


_KEEP_LANE = """
insert into webhook_lane (run_id, customer_id, place, event_id, attempts, failing_since, retry_at, reason)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (run_id, customer_id) do update
set place = excluded.place, event_id = excluded.event_id, attempts = excluded.attempts,
    failing_since = excluded.failing_since, retry_at = excluded.retry_at, reason = excluded.reason
"""

_BURY = """
insert into webhook_dead (webhook_id, event_id, customer_id, type, attempts, reason, dead_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (webhook_id, event_id) do update set reason = excluded.reason, dead_at = excluded.dead_at
"""

_STILL_DEAD = """
update webhook_dead set retry_asked = false, attempts = attempts + 1, reason = $3
where webhook_id = $1 and event_id = $2
"""

# The receiver is back: whoever waits for it is tried within a minute, not all at once.
_BRING_FORWARD = """
update webhook_lane set retry_at = least(retry_at, $2::timestamptz + random() * interval '1 minute') where run_id = $1
"""

_FORGIVE = "update webhook_lane set attempts = 0, failing_since = null, retry_at = $2 where run_id = $1"

_MOVE = """
update webhook_run r
set place = $2, delivered = delivered + $3, delivered_at = coalesce($4, delivered_at), failures = $5,
    failing_since = $6, rest_until = $7, lease = null, lease_until = null,
    finished_at = case when $2 >= last_place and not exists (select from webhook_lane l where l.run_id = r.id)
                       then $8::timestamptz end
where id = $1
"""


async def add_replay(tx: Tx, run_id: UUID, webhook_id: UUID, since: datetime, until: datetime) -> asyncpg.Record:
    """A replay goes as far as the feed reaches now; of an empty feed it is finished at once."""
    row = await tx.fetchrow(_ADD_REPLAY, run_id, webhook_id, since, until)
    assert row is not None
    return row


_RUN_STATE = """r.id, r.kind, r.since, r.until, r.place, r.delivered, r.delivered_at, r.failing_since, r.rest_until,
r.finished_at"""

_ADD_REPLAY = f"""
insert into webhook_run as r (id, webhook_id, kind, since, until, place, last_place, finished_at)
select $1, $2, 'replay', $3, $4, 0, coalesce(max(seq), 0), case when max(seq) is null then now() end from event
returning {_RUN_STATE}
"""


async def runs(tx: Tx, webhook_id: UUID, kind: str, after: UUID | None, limit: int) -> list[asyncpg.Record]:
    """The newest first."""
    return await tx.fetch(_RUNS, webhook_id, kind, after, limit)


_RUNS = f"""
select {_RUN_STATE} from webhook_run r
where webhook_id = $1 and kind = $2 and ($3::uuid is null or id < $3) order by id desc limit $4
"""


async def counts(tx: Tx, webhook_id: UUID) -> asyncpg.Record:
    row = await tx.fetchrow(_COUNTS, webhook_id)
    assert row is not None
    return row


_COUNTS = """
select (select count(*) from webhook_lane l join webhook_run r on r.id = l.run_id where r.webhook_id = $1) as waiting,
       (select count(*) from webhook_dead where webhook_id = $1) as dead
"""


async def measure(tx: Tx, now: datetime) -> asyncpg.Record:
    row = await tx.fetchrow(_MEASURE, now)
    assert row is not None
    return row


# An event that a cursor has not passed waits, and so does the one that a lane is held up by.
_MEASURE = """
with live as (
    select r.id, coalesce(r.place, w.starts_behind) as place
    from webhook w left join webhook_run r on r.webhook_id = w.id and r.kind = 'live'
    where w.status = 'active'
), oldest as (
    select least(
        (select min(e.kept_at) from live, lateral
            (select kept_at from event where seq > live.place order by seq limit 1) e),
        (select min(e.kept_at) from live join webhook_lane l on l.run_id = live.id join event e on e.id = l.event_id)
    ) as kept_at
)
select (select count(*) from webhook_lane) as waiting, (select count(*) from webhook_dead) as dead,
       (select count(*) from webhook where status = 'disabled') as disabled,
       greatest(coalesce(extract(epoch from $1 - kept_at), 0), 0)::float8 as oldest_age
from oldest
"""


async def waiting(tx: Tx, webhook_id: UUID, after: tuple[UUID, UUID] | None, limit: int) -> list[asyncpg.Record]:
    return await tx.fetch(_WAITING, webhook_id, *(after or (None, None)), limit)


_WAITING = """
select l.run_id, l.customer_id, l.event_id, e.type, l.attempts, l.failing_since, l.retry_at, l.reason
from webhook_lane l join webhook_run r on r.id = l.run_id left join event e on e.id = l.event_id
where r.webhook_id = $1 and ($2::uuid is null or (l.run_id, l.customer_id) > ($2, $3))
order by l.run_id, l.customer_id limit $4
"""


async def dead(tx: Tx, webhook_id: UUID, after: UUID | None, limit: int) -> list[asyncpg.Record]:
    return await tx.fetch(_DEAD, webhook_id, after, limit)


_DEAD = """
select event_id, customer_id, type, attempts, reason, dead_at, retry_asked from webhook_dead
where webhook_id = $1 and ($2::uuid is null or event_id > $2) order by event_id limit $3
"""


async def ask_again(tx: Tx, webhook_id: UUID, event_id: UUID | None, now: datetime) -> int:
    """What waits is due now, and what is dead is tried once more; how many that are."""
    return await tx.fetchval(_ASK_AGAIN, webhook_id, event_id, now)


_ASK_AGAIN = """
with lanes as (
    update webhook_lane l set retry_at = $3 from webhook_run r
    where r.id = l.run_id and r.webhook_id = $1 and ($2::uuid is null or l.event_id = $2) returning 1
), graves as (
    update webhook_dead set retry_asked = true
    where webhook_id = $1 and ($2::uuid is null or event_id = $2) returning 1
), rested as (
    update webhook_run set rest_until = null where webhook_id = $1
)
select (select count(*) from lanes) + (select count(*) from graves)
"""


def _lane_args(run_id: UUID, lane: LaneRow) -> tuple[Any, ...]:
    return (
        run_id,
        lane.customer_id,
        lane.place,
        lane.event_id,
        lane.attempts,
        lane.failing_since,
        lane.retry_at,
        lane.reason,
    )


def _dead_args(webhook_id: UUID, dead: DeadRow, now: datetime) -> tuple[Any, ...]:
    return webhook_id, dead.event_id, dead.customer_id, dead.type, dead.attempts, dead.reason, now
