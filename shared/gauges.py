"""The figures an operator is woken by, measured in the database: what waits to be published and what is parked."""

from __future__ import annotations

import asyncio

from shared import log, telemetry
from shared.db import INFRASTRUCTURE_ERRORS, Database
from shared.waiting import wait_until_set

logger = log.get(__name__)

MEASURE_SECONDS = 5.0


async def gauge_until(stop: asyncio.Event, database: Database) -> None:
    """Measure every few seconds; a database that is away is said once in the log and tried again."""
    while not stop.is_set():
        try:
            await measure(database)
        except INFRASTRUCTURE_ERRORS as error:
            logger.warning("gauges_wait", error=repr(error))
        await wait_until_set(stop, MEASURE_SECONDS)


async def measure(database: Database) -> None:
    async with database.pool.acquire() as connection:
        row = await connection.fetchrow(
            """
            select (select count(*) from outbox) as pending,
                   (select coalesce(extract(epoch from now() - l.logged_at), 0)::float8
                    from (select seq, month from outbox order by seq limit 1) o
                    join event_log l on l.seq = o.seq and l.month = o.month) as oldest_age,
                   count(*) as parked_events, count(distinct key) as parked_keys
            from parked_event where status = 'parked'
            """
        )
    telemetry.OUTBOX_PENDING.set(row["pending"])
    telemetry.OUTBOX_OLDEST_AGE_SECONDS.set(row["oldest_age"] or 0)
    telemetry.PARKED_EVENTS.set(row["parked_events"])
    telemetry.PARKED_KEYS.set(row["parked_keys"])
