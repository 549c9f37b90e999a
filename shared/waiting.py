"""Sleeping that can be cut short."""

from __future__ import annotations

import asyncio


async def wait_until_set(event: asyncio.Event, seconds: float) -> bool:
    """Sleep, but wake at once when the event is set; whether it was."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


async def wait_for_either(stop: asyncio.Event, wake: asyncio.Event, seconds: float) -> None:
    """Sleep until told to stop, woken, or the time is over."""
    waits = [asyncio.ensure_future(event.wait()) for event in (stop, wake)]
    await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
