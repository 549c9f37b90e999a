"""Give each letter to the sender of its channel."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from services.reminder.deliveries.rules import Delivery, Leave, Sender
from services.reminder.mails.rules import Letter

SHORTEST_LEASE_SECONDS = 40.0


def lease_seconds(senders: Mapping[str, Sender], channels: Collection[str]) -> float:
    """The longest of what the channels' senders ask for."""
    return max((senders[c].lease_seconds for c in channels if c in senders), default=SHORTEST_LEASE_SECONDS)


async def deliver(
    senders: Mapping[str, Sender], letters: Sequence[Letter], at: datetime, seconds: float, leave: Leave
) -> list[Delivery]:
    """All channels at once. A channel that this installation has no sender for refuses its letters. Raises nothing."""
    by_channel: dict[str, list[Letter]] = defaultdict(list)
    for letter in letters:
        by_channel[letter.channel].append(letter)
    deliveries = [
        Delivery(letter.contact_id, letter.customer_id, "refused", f"no sender of {channel} is set up")
        for channel in by_channel.keys() - senders.keys()
        for letter in by_channel[channel]
    ]
    served = [channel for channel in by_channel if channel in senders]
    rounds = (senders[channel].deliver(by_channel[channel], at, seconds, leave) for channel in served)
    for made in await asyncio.gather(*rounds):
        deliveries += made
    parts = {letter.contact_id: letter.parts for letter in letters if letter.parts}
    return [each for delivery in deliveries for each in _of_each(delivery, parts.get(delivery.contact_id, ()))]


def _of_each(delivery: Delivery, parts: Sequence[Letter]) -> list[Delivery]:
    """What became of a message became of every contact that it was."""
    if not parts:
        return [delivery]
    return [replace(delivery, contact_id=part.contact_id, customer_id=part.customer_id) for part in parts]
