"""What the invoice service does by the clock."""

from __future__ import annotations

from services.invoice.customers import handlers as customers
from services.invoice.imports import handlers as imports
from services.invoice.overdue import handlers as overdue
from shared.db import transaction
from shared.ticks import TickContext, Ticks

ticks = Ticks()


@ticks.on(next_due=overdue.NEXT_DUE)
async def announce_overdue(context: TickContext) -> None:
    async with transaction(context.database) as tx:
        await overdue.announce_overdue(tx)


@ticks.on(next_due=imports.NEXT_DUE)
async def issue_imported(context: TickContext) -> None:
    """A chunk of rows; customers whose event is still on its way are asked of credit first."""
    async with transaction(context.database) as tx:
        unknown = await imports.issue_chunk(tx)
    if unknown:
        await customers.learn_customers(context.database, context.resources.credit, unknown)
        async with transaction(context.database) as tx:
            await imports.issue_chunk(tx, unknown_are_bad=True)
