"""Clock-driven work: declared in a service's `ticks.py`, run by its worker, the same on real and simulated time.

Each tick names in SQL when it will next have something to do. The worker runs what is due until nothing is; a missed
day is no special case, since the condition looks at state and not at the calendar.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

from shared import context, log, telemetry
from shared.db import INFRASTRUCTURE_ERRORS, Database
from shared.waiting import wait_for_either, wait_until_set

logger = log.get(__name__)

CLOCK_CHANNEL = "clock"
POLL_SECONDS = 1.0


@dataclass(frozen=True)
class TickContext:
    """What a tick works with: the database, the business time it runs for, and the service's outside clients."""

    database: Database
    now: datetime
    resources: Any


Tick = Callable[[TickContext], Awaitable[bool]]
SomeTick = TypeVar("SomeTick", bound=Tick)
"""Does a part of what is due; whether it got anywhere."""


@dataclass
class Ticks:
    """Every clock-driven job of a service, one readable list."""

    jobs: list[tuple[str, str, Tick]] = field(default_factory=list)
    callers: list[str] = field(default_factory=list)

    def on(self, *, next_due: str, may_call: str | None = None) -> Callable[[SomeTick], SomeTick]:
        """Declare a job. `next_due` is a scalar SQL expression, timestamptz: the earliest moment with work to do, or
        null. The job does a bounded part of what is due at `context.now`, says whether it got anywhere, and is called
        again until nothing is due.

        A job that changes something at another service by HTTP says with `may_call`, a boolean SQL expression, whether
        it may have done so yet. Once true it stays true: a replay that waits for everybody to be at rest relies on it.
        """

        def declare(tick: SomeTick) -> SomeTick:
            self.jobs.append((getattr(tick, "__name__", repr(tick)), next_due, tick))
            if may_call:
                self.callers.append(may_call)
            return tick

        return declare

    @property
    def next_due_sql(self) -> str:
        """One array with every job's next moment, in order."""
        return "array[" + ", ".join(f"({sql})" for _, sql, _ in self.jobs) + "]::timestamptz[]"

    @property
    def may_call_sql(self) -> str:
        """Whether any job may have changed something at another service yet."""
        return " or ".join(f"({sql})" for sql in self.callers) or "false"


class Ticker:
    """Runs a service's ticks: at once when the clock was moved or events were applied, else every second."""

    def __init__(self, database: Database, ticks: Ticks, resources: Any) -> None:
        self._database = database
        self._ticks = ticks
        self._resources = resources
        self._wake = asyncio.Event()

    def wake(self, *_: object) -> None:
        self._wake.set()

    def events_applied(self) -> None:
        """They may have made something due at once; without jobs there is nothing to look for."""
        if self._ticks.jobs:
            self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        for name, _, _ in self._ticks.jobs:
            telemetry.TICK_FAILURES.labels(name)  # An increase is only seen of a figure that was there before.
        pause = 0.1
        while not stop.is_set():
            try:
                async with AsyncExitStack() as stack:
                    deaf = _never
                    if self._database.clock.simulated:
                        connection = await stack.enter_async_context(self._database.pool.acquire())
                        await connection.add_listener(CLOCK_CHANNEL, self.wake)
                        stack.push_async_callback(_stop_listening, connection, self.wake)
                        deaf = connection.is_closed
                    # A lost connection hears nothing more and raises nothing either: listen anew on another.
                    while not stop.is_set() and not deaf():
                        self._wake.clear()
                        pause = 0.1
                        if await self._run_due():
                            await wait_for_either(stop, self._wake, POLL_SECONDS)
                        else:
                            await wait_until_set(stop, POLL_SECONDS)
            except INFRASTRUCTURE_ERRORS as error:
                logger.warning("ticks_interrupted", error=repr(error), retry_in_seconds=pause)
                await wait_until_set(stop, pause)
                pause = min(pause * 2, 5)

    async def _run_due(self) -> bool:
        """Run what is due until nothing is; False when no job gets anywhere and had better wait a moment."""
        while True:
            now, ticked, due = await self._look()
            if now is None:
                return True
            pending = [job for job, at in zip(self._ticks.jobs, due, strict=True) if at is not None and at <= now]
            if not pending:
                if ticked != now:
                    await self._mark_ticked(now)
                return True
            if not any([await self._run_one(name, tick, now) for name, _, tick in pending]):
                return False

    async def _run_one(self, name: str, tick: Tick, now: datetime) -> bool:
        context.correlation.set(f"tick-{name}-{uuid4()}")
        context.causation.set(None)
        try:
            with telemetry.span(f"tick {name}"), telemetry.TICK_SECONDS.labels(name).time():
                return await tick(TickContext(self._database, now, self._resources))
        except INFRASTRUCTURE_ERRORS as error:
            logger.warning("tick_waits", tick=name, error=repr(error))
        except Exception:  # One job's fault must not stop the others for ever; it is tried again and seen in the log.
            logger.exception("tick_failed", tick=name)
            telemetry.TICK_FAILURES.labels(name).inc()
        return False

    async def _look(self) -> tuple[datetime | None, datetime | None, list[datetime | None]]:
        """The time, up to which time nothing was left to do when last looked, and each job's next moment."""
        async with self._database.pool.acquire() as connection:
            if self._database.clock.simulated:
                row = await connection.fetchrow(f"select now, ticked, {self._ticks.next_due_sql} as due from clock")
                return (row["now"], row["ticked"], row["due"]) if row else (None, None, [])
            due = await connection.fetchval(f"select {self._ticks.next_due_sql}")
            now = await self._database.clock.business_now(connection)
            return now, now, due  # Nobody waits for a mark in real time.

    async def _mark_ticked(self, now: datetime) -> None:
        async with self._database.pool.acquire() as connection:
            await connection.execute("update clock set ticked = $1 where now = $1 and ticked is distinct from $1", now)


def _never() -> bool:
    return False


async def _stop_listening(connection: Any, listener: Callable[..., None]) -> None:
    if not connection.is_closed():
        await connection.remove_listener(CLOCK_CHANNEL, listener)
