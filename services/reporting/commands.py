"""`python -m services.reporting rebuild`: the read models made again from the events, while the service answers;
`python -m services.reporting seal`: every secret in the database under the newest key of SECRETS_KEY."""

from __future__ import annotations

import asyncio
import getpass

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from services.reporting.alerts import handlers as alerts
from services.reporting.notices import handlers as notices
from services.reporting.rebuilds import handlers as rebuilds
from services.reporting.rebuilds.handlers import WantRebuild
from services.reporting.rebuilds.rules import RebuildUnderWay
from services.reporting.webhooks import handlers as webhooks
from shared.clock import Clock
from shared.db import INFRASTRUCTURE_ERRORS, Database, transaction
from shared.sealing import Seals

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


async def seal(database_url: str, seals: Seals) -> None:
    """Seal what was kept bare by releases before there were seals, and what an older key sealed: after it, only the
    newest key is needed."""
    database = await Database.open(database_url, clock=Clock(), pool_max=1)
    try:
        async with transaction(database) as tx:
            counts = {
                "webhooks": await webhooks.renew_seals(tx, seals),
                "alert rules": await alerts.renew_seals(tx, seals),
                "notices": await notices.renew_seals(tx, seals),
            }
        print(", ".join(f"{count} {what}" for what, count in counts.items()), "sealed anew")
    finally:
        await database.close()
