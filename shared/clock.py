"""The only place that reads a clock, and it has two.

`business_now()` is what a customer or an accountant would date; simulation moves it. `real_now()` is for tokens,
leases, retries and metrics; nothing moves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


class ClockNotSet(RuntimeError):
    """Simulation is on, and nobody has said what time it is."""


def real_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Clock:
    """Business time: the machine's, or under simulation the time kept in the service's database."""

    simulated: bool = False

    async def business_now(self, connection: Any) -> datetime:
        """Read within the transaction, so that everything it writes bears one time."""
        if not self.simulated:
            return real_now()
        now = await connection.fetchval("select now from clock")
        if now is None:
            raise ClockNotSet("PUT /simulation/clock first: this service runs on simulated time")
        return now
