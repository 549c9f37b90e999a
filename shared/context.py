"""What belongs to the request or event at hand: read by the outbox, the logs and outgoing calls, never passed by hand.

`correlation` names the chain of work from its first request on; `causation` is the id of the event being handled.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

correlation: ContextVar[str | None] = ContextVar("correlation", default=None)
causation: ContextVar[str | None] = ContextVar("causation", default=None)


@contextmanager
def working_for(other: str | None) -> Generator[None]:
    """Do a part of the work for another chain than the one at hand; for the one at hand when None."""
    token = correlation.set(other or correlation.get())
    try:
        yield
    finally:
        correlation.reset(token)
