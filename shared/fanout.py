"""One reader for many listeners: a process looks once for what is new, however many clients wait for it.

The reader runs while anybody listens, and takes a connection of the pool for the moment of each look. A listener that
does not keep up is cut off, so that nobody's slowness costs memory or holds up the others; it comes back and reads on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from shared import log
from shared.db import INFRASTRUCTURE_ERRORS, Database

logger = log.get(__name__)

LOOK_EVERY_SECONDS = 0.25
"""What comes alone is told this much later at most."""
NEXT_PAGE_SECONDS = 0.01
WAITING_MAX = 1_000
"""How many items a listener may be behind before it is cut off."""

Item = TypeVar("Item")

Look = Callable[[Database, int | None], Awaitable[tuple[int, Sequence[Item]]]]
"""What lies behind a place, in order and a page at most, and the place it leads up to; behind None is nothing, and the
place is where all ends for now."""


@dataclass(eq=False)
class Listener(Generic[Item]):
    """What came up to `place` was there before it listened; what came since stands in `items`, until it is taken."""

    place: int
    wants: Callable[[Item], bool]
    items: deque[Item] = field(default_factory=deque)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    cut_off: bool = False

    def take(self) -> list[Item]:
        """Everything that waits, oldest first."""
        taken = list(self.items)
        self.items.clear()
        self.news.clear()
        return taken

    def tell(self, items: Sequence[Item]) -> None:
        if self.cut_off:
            return
        self.items.extend(item for item in items if self.wants(item))
        if len(self.items) > WAITING_MAX:
            self.cut()
        elif self.items:
            self.news.set()

    def cut(self) -> None:
        self.cut_off = True
        self.items.clear()
        self.news.set()


class Fanout(Generic[Item]):
    """Tells what is new to whoever listens."""

    def __init__(self, look: Look[Item]) -> None:
        self._look = look
        self._listeners: set[Listener[Item]] = set()
        self._reading: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._place = 0

    @asynccontextmanager
    async def listen(self, database: Database, wants: Callable[[Item], bool]) -> AsyncGenerator[Listener[Item]]:
        """Hear of what is new from here on. Raises the machinery's errors when the place cannot be read."""
        async with self._starting:
            if self._reading is None or self._reading.done():
                self._place, _ = await self._look(database, None)
                self._reading = asyncio.create_task(self._read(database))
            listener = Listener(self._place, wants)
            self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            if not self._listeners and self._reading:
                self._reading.cancel()
                self._reading = None

    async def _read(self, database: Database) -> None:
        pause = LOOK_EVERY_SECONDS
        try:
            while True:
                await asyncio.sleep(pause)
                pause = await self._read_page(database)
        except Exception:  # Not the machinery's fault: the listeners end, and the first that comes back starts it anew.
            logger.exception("fanout_failed")
            for listener in self._listeners:
                listener.cut()

    async def _read_page(self, database: Database) -> float:
        """How long to wait for the next one."""
        try:
            place, items = await self._look(database, self._place)
        except INFRASTRUCTURE_ERRORS as error:
            logger.warning("fanout_waits", error=repr(error))
            return 1.0
        self._place = place
        for listener in self._listeners:
            listener.tell(items)
        return NEXT_PAGE_SECONDS if items else LOOK_EVERY_SECONDS
