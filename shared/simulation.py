"""Simulated time over HTTP, and the question "is everything done?"; mounted only under SIMULATION=1.

A replay sets the clock of every service, then asks all of them; `at_rest` in `deploy/local/replay.py`
says what it compares. One statement answers, so that an answer is one moment's truth.
"""

import asyncio
import time
from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel

from shared.delivery import Subscriptions
from shared.errors import Conflict, Refused
from shared.http.dependencies import DatabaseDep
from shared.http.models import Body
from shared.http.security import scope
from shared.ticks import CLOCK_CHANNEL, Ticks

WAIT_MS_MAX = 30_000
LOOK_AGAIN_SECONDS = (0.004, 0.03)
"""At first and at most: a step is mostly over in some milliseconds, and a long one is not hurried by asking."""


class ClockRunsForward(Conflict):
    slug = "clock-runs-forward"
    title = "A simulated clock is never set back"


class ClockIn(Body):
    now: AwareDatetime


class ClockOut(BaseModel):
    now: datetime


class IdleOut(BaseModel):
    """`published` counts events by topic, `applied` those of every topic this service listens to; `next_due_at` is when
    there will next be something to do; `calls` says whether a job here may have changed something at another service
    by HTTP yet."""

    idle: bool
    now: datetime | None
    next_due_at: datetime | None
    outbox: int
    parked: int
    published: dict[str, int]
    applied: dict[str, int]
    calls: bool


def simulation_router(subscriptions: Subscriptions, ticks: Ticks) -> APIRouter:
    """The two doors of a service's simulated time."""
    router = APIRouter(prefix="/simulation", tags=["simulation"], dependencies=[scope("simulation:write")])
    look = _look_sql(ticks)

    @router.put("/clock")
    async def set_clock(body: ClockIn, database: DatabaseDep) -> ClockOut:
        """Set the business time. Setting it to what it is already is harmless; setting it back is refused."""
        async with database.pool.acquire() as connection:
            now = await connection.fetchval(_SET_CLOCK, body.now, CLOCK_CHANNEL)
            if now is None:
                now = await connection.fetchval("select now from clock")
                raise ClockRunsForward(
                    f"it is {now.isoformat()} already, {body.now.isoformat()} is earlier", field="/now"
                )
        return ClockOut(now=now)

    @router.get("/idle")
    async def is_idle(
        database: DatabaseDep,
        wait_ms: Annotated[int, Query(ge=0, le=WAIT_MS_MAX)] = 0,
        applied: Annotated[
            str | None, Query(description='JSON, wait until these are applied: {"ar.invoice": 12}')
        ] = None,
    ) -> IdleOut:
        """Whether this service has anything left to do now. Waits up to `wait_ms` for it to be idle."""
        wanted = _wanted(applied)
        deadline = time.monotonic() + wait_ms / 1000
        pause, pause_max = LOOK_AGAIN_SECONDS
        while True:
            async with database.pool.acquire() as connection:
                seen = _idle(await connection.fetchrow(look, subscriptions.group), subscriptions.topics)
            caught_up = all(seen.applied.get(topic, 0) >= n for topic, n in wanted.items())
            if (seen.idle and caught_up) or time.monotonic() >= deadline:
                return seen
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, pause_max)

    return router


def _wanted(applied: str | None) -> dict[str, int]:
    if applied is None:
        return {}
    try:
        wanted = orjson.loads(applied)
    except orjson.JSONDecodeError:
        raise Refused("applied is not JSON", field="query.applied") from None
    if not isinstance(wanted, dict) or not all(isinstance(n, int) for n in wanted.values()):
        raise Refused("applied is an object of topic to count", field="query.applied")
    return wanted


def _idle(row: Any, topics: tuple[str, ...]) -> IdleOut:
    now, due = row["now"], [at for at in row["due"] if at is not None]
    next_due_at = min(due, default=None)
    ticked = now is not None and row["ticked"] == now
    return IdleOut(
        idle=ticked and row["outbox"] == 0 and row["retrying"] == 0 and (next_due_at is None or next_due_at > now),
        now=now,
        next_due_at=next_due_at,
        outbox=row["outbox"],
        parked=row["parked"],
        published=row["published"] or {},
        applied=dict.fromkeys(topics, 0) | (row["applied"] or {}),
        calls=row["calls"],
    )


_SET_CLOCK = """
with moved as (
    insert into clock (now) values ($1)
    on conflict (singleton) do update set now = excluded.now where clock.now <= excluded.now
    returning now
)
select now from moved, pg_notify($2, '')
"""


def _look_sql(ticks: Ticks) -> str:
    return f"""
    select (select now from clock) as now, (select ticked from clock) as ticked, {ticks.next_due_sql} as due,
           {ticks.may_call_sql} as calls,
           (select count(*) from outbox) as outbox,
           (select count(*) from parked_event where status = 'parked') as parked,
           (select count(*) from parked_event where status = 'parked' and attempts = 0) as retrying,
           (select json_object_agg(topic, n) from (
                select topic, sum(n) as n from relay_progress group by topic) p) as published,
           (select json_object_agg(topic, n) from (
                select topic, sum(n) as n from consumer_progress where consumer = $1 group by topic) a) as applied
    """
