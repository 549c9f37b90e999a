"""Sleeping that can be cut short, and the rest between two rounds of work."""

from __future__ import annotations

import asyncio

REST_SECONDS = 0.02
REST_SECONDS_MAX = 0.1


async def wait_until_set(event: asyncio.Event, seconds: float) -> bool:
    """Sleep, but wake at once when the event is set; whether it was."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def wait_for_either(stop: asyncio.Event, wake: asyncio.Event, seconds: float) -> None:
    """Sleep until told to stop, woken, or the time is over."""
    waits = [asyncio.ensure_future(event.wait()) for event in (stop, wake)]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


def rest_s(customers: int) -> float:
    """How long to let events gather after a round that carried those of so many customers.

    A round costs much the same for one event as for fifty, here and at everybody it wakes, so under load it pays to
    take fewer and larger ones. An event that comes alone, or a chain of them for one customer, never waits.
    On simulated time nothing rests: whoever moves that clock waits until all is still.
    """
    return min((customers - 1) * REST_SECONDS, REST_SECONDS_MAX)
