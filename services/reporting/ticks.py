"""What the reporting service does by the clock."""

from __future__ import annotations

from services.reporting.alerts import handlers as alerts
from services.reporting.digests import handlers as digests
from services.reporting.rebuilds import handlers as rebuilds
from services.reporting.saved_reports import handlers as saved_reports
from services.reporting.standings import handlers as standings
from shared.calendar import local_date
from shared.db import transaction
from shared.ticks import TickContext, Ticks

ticks = Ticks()


@ticks.on(next_due=standings.STANDING_DUE)
async def keep_standings(context: TickContext) -> bool:
    """When a month begins, everything before it is added up, so that questions need not go further back."""
    async with transaction(context.database) as tx:
        return await standings.keep_standings(tx, local_date(context.now, "UTC"))


@ticks.on(next_due=rebuilds.REBUILD_DUE)
async def rebuild_further(context: TickContext) -> bool:
    """A rebuild goes on until the tables beside the ones in use have taken their place."""
    async with transaction(context.database) as tx:
        return await rebuilds.rebuild_further(tx)


@ticks.on(next_due=alerts.NEXT_DUE)
async def evaluate_alerts(context: TickContext) -> bool:
    """One rule after the other, on business mornings."""
    async with transaction(context.database) as tx:
        return await alerts.evaluate_next(tx, context.resources.address, context.resources.outlet.seals)


@ticks.on(next_due=digests.NEXT_DUE)
async def make_digests(context: TickContext) -> bool:
    async with transaction(context.database) as tx:
        return await digests.make_next(tx, context.resources.address)


@ticks.on(next_due=saved_reports.NEXT_DUE)
async def send_saved_reports(context: TickContext) -> bool:
    async with transaction(context.database) as tx:
        return await saved_reports.send_next(tx, context.resources.address)
