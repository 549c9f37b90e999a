"""Runs simulations in processes of their own, so that the API goes on answering.

`python -m services.reminder.simulator` is such a process: it is told its part on standard input and answers on standard
output. All processes read one snapshot of the database. One simulation runs at a time; when the one who asked goes
away, its processes are ended.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.reminder.simulations import handlers
from services.reminder.simulations.rules import Job, SimulationFailed, SimulationRunning, Tally
from shared import log
from shared.db import Database, Tx, snapshot
from shared.process import keep_what_is_loaded

logger = log.get(__name__)

PROCESSES_MAX = 2


@dataclass(frozen=True)
class Part:
    """What one process does: the job for the customers after one to another, on a snapshot."""

    url: str
    snapshot: str
    job: Job
    after: UUID
    last: UUID | None


class Simulator:
    """Of one API process."""

    def __init__(self, processes: int | None = None) -> None:
        self.processes = processes or min(os.cpu_count() or 1, PROCESSES_MAX)
        self.is_running = False

    async def run(self, database: Database, job: Job) -> list[Tally]:
        """A tally for each side. Raises SimulationRunning and SimulationFailed."""
        if self.is_running:
            raise SimulationRunning("a simulation runs already; try again when it is over")
        self.is_running = True
        try:
            async with snapshot(database) as (tx, name):
                borders = await handlers.split(tx, self.processes)
                parts = [Part(database.url, name, job, after, last) for after, last in borders]
                first, *others = await _side_by_side(parts)
        finally:
            self.is_running = False
        for tallies in others:
            for tally, other in zip(first, tallies, strict=True):
                tally.add(other)
        return first


async def _side_by_side(parts: Sequence[Part]) -> list[list[Tally]]:
    """When one fails or nobody waits any more, all are ended."""
    running = [asyncio.create_task(_in_a_process(part)) for part in parts]
    try:
        return await asyncio.gather(*running)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _in_a_process(part: Part) -> list[Tally]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.reminder.simulator",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        answer, _ = await process.communicate(pickle.dumps(part))
    finally:
        if process.returncode is None:  # Nobody waits for it any more.
            process.kill()
            await process.wait()
    if process.returncode != 0:
        logger.error("simulation_failed", exit_code=process.returncode)
        raise SimulationFailed(f"a process of it ended with code {process.returncode}")
    return pickle.loads(answer)


async def simulate_part(part: Part) -> Sequence[Tally]:
    """What a process does."""
    database = await Database.open(part.url, pool_max=1)
    try:
        async with (
            database.pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await connection.execute(f"set transaction snapshot '{part.snapshot}'")
            return await handlers.simulate(Tx(connection, part.job.begins), part.job, part.after, part.last)
    finally:
        await database.close()


def main() -> None:
    part: Part = pickle.loads(sys.stdin.buffer.read())
    keep_what_is_loaded()
    sys.stdout.buffer.write(pickle.dumps(asyncio.run(simulate_part(part))))


if __name__ == "__main__":
    from services.reminder import simulator  # What is pickled bears the name of the module, not of the command.

    simulator.main()
