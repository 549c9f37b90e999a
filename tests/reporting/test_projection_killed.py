"""A worker that is killed while it takes events, or makes the read models again, goes on where it was: the same figures
as if nothing had happened."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from shared.db import Database
from tests.reporting import projecting
from tests.reporting.client import forget
from tests.reporting.test_fold_agrees import a_ledger
from tests.reporting.test_projection import apply
from tests.reporting.test_rebuild import heard, tables, want

KILLS = 2


async def test_a_worker_killed_while_it_projects_leaves_nothing_half_done(
    reports_database: Database, tmp_path: Path
) -> None:
    received = a_ledger(12).received
    await apply(reports_database, received, 200)
    undisturbed = await tables(reports_database)
    await forget(reports_database)

    file, chance = tmp_path / "events", random.Random(12)
    projecting.pack(received, file)
    command = [sys.executable, "-m", "tests.reporting.projecting", reports_database.url, str(file)]
    for _ in range(KILLS):
        worker = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert worker.stdout
        for _ in range(chance.randrange(2, 12)):
            assert await worker.stdout.readline()
        worker.kill()  # In the middle of the next batch.
        await worker.wait()
    assert await tables(reports_database) != undisturbed
    worker = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    assert await worker.wait() == 0
    assert await tables(reports_database) == undisturbed


async def test_a_worker_killed_while_it_rebuilds_leaves_the_same_figures(reports_database: Database) -> None:
    await heard(reports_database, a_ledger(14), months=2)
    before, chance = await tables(reports_database), random.Random(14)
    await want(reports_database)
    command = [sys.executable, "-m", "tests.reporting.rebuilding", reports_database.url]
    for _ in range(KILLS):
        worker = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert worker.stdout
        for _ in range(chance.randrange(1, 4)):
            assert await worker.stdout.readline() == b"True\n"
        worker.kill()  # In the middle of the next part.
        await worker.wait()
        assert await tables(reports_database) == before, "what is half made again is not shown"
    reached, last = await reports_database.pool.fetchrow(
        "select reached_seq, (select max(seq) from event) from rebuild"
    )
    assert 0 < reached < last
    await reports_database.pool.execute("update receivable set balance_minor = balance_minor + 1")
    worker = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    assert await worker.wait() == 0
    assert await tables(reports_database) == before
    assert await reports_database.pool.fetchval("select finished_at is not null from rebuild")
