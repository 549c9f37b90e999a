"""`python -m services.reporting rebuild`: the read models made again from the events, while the service answers."""

from __future__ import annotations

import asyncio
import getpass

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from services.reporting.rebuilds import handlers as rebuilds
from services.reporting.rebuilds.handlers import WantRebuild
from services.reporting.rebuilds.rules import RebuildUnderWay
from shared.clock import Clock
from shared.db import INFRASTRUCTURE_ERRORS, Database, transaction

AGAIN_SECONDS = 0.5


async def rebuild(database_url: str) -> None:
    """Begin a rebuild, or go on with the one under way, and show how far it is until it is done. Together with a worker
    each does a part at a time; ended before its time, the worker goes on."""
    database = await Database.open(database_url, clock=Clock(), pool_max=1)
    try:
        with Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        ) as progress:
            task = progress.add_task("events")
            async with transaction(database) as tx:
                try:
                    rebuild_id = await rebuilds.want_rebuild(tx, WantRebuild(getpass.getuser()))
                except RebuildUnderWay:
                    rebuild_id = (await rebuilds.latest_rebuild(tx))["id"]
            while True:
                try:
                    async with transaction(database) as tx:
                        got_on = await rebuilds.rebuild_further(tx)
                        seen = await rebuilds.latest_rebuild(tx)
                except INFRASTRUCTURE_ERRORS:
                    got_on, seen = False, None
                if seen:
                    progress.update(task, completed=seen["reached_seq"], total=seen["last_seq"])
                    if seen["finished_at"] or seen["id"] != rebuild_id:
                        return
                if not got_on:
                    await asyncio.sleep(AGAIN_SECONDS)
    finally:
        await database.close()
