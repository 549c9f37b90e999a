"""What the reporting worker does beside its ticks, on real time: calls to others, which nobody's clock waits for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from services.reporting.notices import handlers as notices
from services.reporting.notices.handlers import PostOffice, Sent
from services.reporting.webhook_deliveries import handlers as deliveries
from services.reporting.webhook_deliveries.rules import Round
from services.reporting.webhooks.handlers import Outlet
from shared import log, telemetry
from shared.clock import Clock
from shared.db import INFRASTRUCTURE_ERRORS, Database, reading, transaction
from shared.mail import Postman
from shared.waiting import wait_until_set

logger = log.get(__name__)

LOOK_EVERY_SECONDS = 1.0
MEASURE_EVERY_SECONDS = 15.0
RUNS_AT_ONCE = 8
"""Of so many webhooks at a time: one slow receiver holds up nobody else."""


@dataclass(frozen=True)
class Resources:
    """The ways to the outside."""

    outlet: Outlet
    postman: Postman
    address: str
    """Where people open the dashboard: the start of links."""

    @property
    def office(self) -> PostOffice:
        return PostOffice(self.outlet, self.postman)


async def send_webhooks(stop: asyncio.Event, database: Database, resources: Resources) -> None:
    """Send what is new to every webhook, until told to stop; calls under way are finished first."""
    on_real_time = Database(database.pool, Clock())
    under_way: set[asyncio.Task[None]] = set()
    while not stop.is_set():
        rounds: list[Round] = []
        try:
            async with transaction(on_real_time) as tx:
                rounds = await deliveries.take_rounds(tx, resources.outlet.lease_seconds, RUNS_AT_ONCE - len(under_way))
        except INFRASTRUCTURE_ERRORS as error:
            logger.warning("webhooks_wait", error=repr(error))
        except Exception:  # Figures and feeds go on without webhooks; the log says so.
            logger.exception("webhooks_failed")
        under_way |= {asyncio.create_task(_send(on_real_time, resources.outlet, one, stop)) for one in rounds}
        if under_way:
            _, under_way = await asyncio.wait(
                under_way, timeout=LOOK_EVERY_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        else:
            await wait_until_set(stop, LOOK_EVERY_SECONDS)
    await asyncio.gather(*under_way)


async def _send(database: Database, outlet: Outlet, round: Round, stop: asyncio.Event) -> None:
    """What is not written down is done again when the lease is over."""
    try:
        outcomes = await deliveries.make_calls(outlet, round, stop)
        for _, outcome in outcomes:
            telemetry.WEBHOOK_CALLS.labels("delivered").inc(outcome.delivered)
            telemetry.WEBHOOK_CALLS.labels("failed").inc(outcome.failure is not None)
        async with transaction(database) as tx:
            await deliveries.settle_round(tx, round, outcomes)
    except INFRASTRUCTURE_ERRORS as error:
        logger.warning("webhook_round_lost", webhook=str(round.webhook.id), error=repr(error))
    except Exception:
        logger.exception("webhook_round_failed", webhook=str(round.webhook.id))


async def gauge_webhooks(stop: asyncio.Event, database: Database, _: Resources) -> None:
    """Measure what waits for webhooks every few seconds; a database that is away is tried again."""
    while not stop.is_set():
        try:
            await measure_webhooks(database)
        except INFRASTRUCTURE_ERRORS as error:
            logger.warning("webhook_gauges_wait", error=repr(error))
        await wait_until_set(stop, MEASURE_EVERY_SECONDS)


async def measure_webhooks(database: Database) -> None:
    async with reading(database) as tx:
        seen = await deliveries.measure(tx)
    telemetry.WEBHOOK_WAITING.set(seen["waiting"])
    telemetry.WEBHOOK_DEAD.set(seen["dead"])
    telemetry.WEBHOOK_OLDEST_AGE_SECONDS.set(seen["oldest_age"])
    telemetry.WEBHOOKS_DISABLED.set(seen["disabled"])


async def send_notices(stop: asyncio.Event, database: Database, resources: Resources) -> None:
    """Send what people and systems are to be told, until told to stop."""
    on_real_time, office = Database(database.pool, Clock()), resources.office
    while not stop.is_set():
        sent: list[Sent] = []
        try:
            async with transaction(on_real_time) as tx:
                taken = await notices.take_notices(tx, office.lease_seconds)
            if taken:
                sent = await notices.deliver(office, taken)
                async with transaction(on_real_time) as tx:
                    await notices.conclude(tx, sent)
        except INFRASTRUCTURE_ERRORS as error:
            logger.warning("notices_wait", error=repr(error))
        except Exception:
            logger.exception("notices_failed")
        if not sent:
            await wait_until_set(stop, LOOK_EVERY_SECONDS)
