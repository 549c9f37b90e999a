"""Moves the simulated clock of all services, and waits until everybody has done what was due."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import orjson
import uvloop

from deploy.local.replay import IDLE_WAIT_MS, SERVICES, Client, ReplayFailed, Target, at_rest

REST_WITHIN_S = 120.0

Round = Mapping[str, Mapping[str, Any]]


def settle(target: Target) -> datetime | None:
    """Wait until nobody has anything left to do now; the next moment at which somebody has. Raises ReplayFailed."""
    return uvloop.run(_with_client(target, None))


def walk(target: Target, until: datetime) -> datetime | None:
    """Go to a moment, stopping at each in between at which something is due; the next one after it.

    Raises ReplayFailed when a service refuses, or nobody comes to rest.
    """
    return uvloop.run(_with_client(target, until))


async def _with_client(target: Target, until: datetime | None) -> datetime | None:
    client = Client(target)
    try:
        due = await _rest(client)
        if until is None:
            return due
        while due is not None and due < until:
            await _move(client, due)
            due = await _rest(client)
        await _move(client, until)
        return await _rest(client)
    finally:
        await client.close()


async def _move(client: Client, now: datetime) -> None:
    *others, last = SERVICES
    body = {"now": now.isoformat()}
    await asyncio.gather(*(client.send(name, "PUT", "/simulation/clock", body) for name in others))
    await client.send(last, "PUT", "/simulation/clock", body)


async def _rest(client: Client) -> datetime | None:
    deadline = time.monotonic() + REST_WITHIN_S
    before = await _look(client, {})
    while not at_rest(before, seen := await _look(client, before)):
        if time.monotonic() > deadline:
            raise ReplayFailed(f"the services did not come to rest in {REST_WITHIN_S:.0f} s: {seen}")
        before = seen
    moments = [each["next_due_at"] for each in seen.values() if each["next_due_at"]]
    return min(map(datetime.fromisoformat, moments), default=None)


async def _look(client: Client, before: Round) -> dict[str, dict[str, Any]]:
    """One answer of each service, given when it is idle and has applied what the round before saw published."""
    published = {topic: n for each in before.values() for topic, n in each["published"].items()}

    async def ask(name: str) -> dict[str, Any]:
        listens = before[name]["applied"] if before else ()
        wanted = {topic: n for topic, n in published.items() if topic in listens}
        path = f"/simulation/idle?wait_ms={IDLE_WAIT_MS}&applied={quote(orjson.dumps(wanted))}"
        return await client.send(name, "GET", path)

    answers = await asyncio.gather(*map(ask, SERVICES))
    return dict(zip(SERVICES, answers, strict=True))
