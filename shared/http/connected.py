"""Work that only makes sense while somebody waits for it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request

LOOK_EVERY_SECONDS = 0.2
"""How often it is looked whether whoever asked is still there."""
GONE_AWAY = 499
"""What an answer says that nobody gets: the status that proxies log for a client that closed the connection."""

Result = TypeVar("Result")


async def while_connected(request: Request, work: Coroutine[Any, Any, Result]) -> Result | None:
    """What the work comes to; None when whoever asked has gone away, and then it is cancelled and over."""
    running = asyncio.ensure_future(work)
    try:
        while not running.done():
            await asyncio.wait([running], timeout=LOOK_EVERY_SECONDS)
            if not running.done() and await request.is_disconnected():
                return None
        return running.result()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
