"""What a database needs now and then: months for the event log made ahead, answers to old requests forgotten."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from shared import event_log, log
from shared.clock import Clock, real_now
from shared.db import INFRASTRUCTURE_ERRORS, Database, transaction
from shared.http.idempotency import forget_answers
from shared.waiting import wait_until_set

logger = log.get(__name__)

EVERY_SECONDS = 3600.0
ANSWERS_KEPT = timedelta(days=30)
"""How long an Idempotency-Key is remembered; clients that retry for longer than that are none."""


async def housekeep_until(stop: asyncio.Event, database: Database) -> None:
    """Look after the database every hour; one that is away is seen to the next time."""
    while not stop.is_set():
        try:
            await housekeep(database)
        except INFRASTRUCTURE_ERRORS as error:
            logger.warning("housekeeping_waits", error=repr(error))
        await wait_until_set(stop, EVERY_SECONDS)


async def housekeep(database: Database) -> None:
    """On real time, whatever the simulated clock says: months and keys are this machine's affair."""
    async with transaction(Database(database.pool, Clock())) as tx:
        await event_log.ensure_partitions(tx, real_now().date())
        await forget_answers(tx, real_now() - ANSWERS_KEPT)
