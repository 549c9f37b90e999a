"""A worker that goes on with the rebuild under way, a small part a transaction, and says so after each: something to
kill.

`python -m tests.reporting.rebuilding <database url>`
"""

from __future__ import annotations

import asyncio
import sys

from services.reporting.rebuilds import handlers as rebuilds
from shared.clock import Clock
from shared.db import Database, transaction

CHUNK = 40


async def main(url: str) -> None:
    database = await Database.open(url, clock=Clock(simulated=True), pool_max=1)
    got_on = True
    while got_on:
        async with transaction(database) as tx:
            got_on = await rebuilds.rebuild_further(tx, CHUNK)
        print(got_on, flush=True)
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
