"""End tasks that have lost their point."""

from __future__ import annotations

from collections.abc import Collection

from services.reminder.moot_tasks import store
from services.reminder.offers import handlers as offers
from services.reminder.placements import handlers as placements
from services.reminder.receivables.rules import Key
from services.reminder.tasks import handlers as tasks
from shared.db import Tx


async def end_moot_tasks(tx: Tx, keys: Collection[Key]) -> None:
    """Of accounts whose cases may have closed just now: what was to be done is over, with the reason, and an offer or a
    placement that waited for an approval is withdrawn. The customers are locked."""
    if not keys:
        return
    for moot in await store.moot(tx, keys):
        if moot.decides_on:  # Whichever of the two it is, its own task ends with it.
            await offers.drop(tx, moot.decides_on, moot.because)
            await placements.drop(tx, moot.decides_on, moot.because)
        else:
            await tasks.end_by_itself(tx, moot.task, moot.because)
