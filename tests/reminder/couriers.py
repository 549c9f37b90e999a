"""Senders of channels for tests of what goes out on which: they take everything down, and fail as they are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.reminder.deliveries.rules import Delivery, Fate, Leave
from services.reminder.mails.rules import Letter
from services.reminder.ticks import Resources
from tests.reminder.desk import Desk


@dataclass
class Courier:
    """Takes letters of one channel; `fates` are the answers to give first, then everything is sent."""

    lease_seconds: float = 5.0
    letters: list[Letter] = field(default_factory=list)
    fates: list[Fate] = field(default_factory=list)
    opted_out: bool = False

    async def deliver(self, letters: Sequence[Letter], at: datetime, seconds: float, leave: Leave) -> list[Delivery]:
        return [await self._take(letter, leave) for letter in letters]

    async def _take(self, letter: Letter, leave: Leave) -> Delivery:
        fate: Fate = "untried"
        if await leave(letter.contact_id):
            fate = self.fates.pop(0) if self.fates else "sent"
        if fate in ("sent", "doubtful"):
            self.letters.append(letter)
        refused = fate == "refused"
        return Delivery(
            letter.contact_id,
            letter.customer_id,
            fate,
            None if fate == "sent" else f"the courier says {fate}",
            address_refused=refused and not self.opted_out,
            opted_out=refused and self.opted_out,
            provider_id=f"c-{len(self.letters)}",
        )


def hire(desk: Desk, *channels: str) -> dict[str, Courier]:
    """Couriers for these channels, beside the mail server."""
    couriers = {channel: Courier() for channel in channels}
    desk.resources = Resources(**{**vars(desk.resources), "senders": {**desk.resources.senders, **couriers}})
    return couriers
