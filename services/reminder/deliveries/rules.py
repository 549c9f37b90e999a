"""Handing letters over: what a channel's sender is, and what may become of a letter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from services.reminder.mails.rules import Letter

Fate = Literal["sent", "refused", "refused_for_now", "deferred", "doubtful", "untried"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a letter. `refused_for_now` (the recipient's side), `deferred` (the way there) and `untried` were
    certainly not sent and are tried again, after `retry_after_seconds` where the other side asks for it; `doubtful`
    may have been sent, and is not sent again. `provider_id` is the other side's name for it."""

    contact_id: UUID
    customer_id: UUID
    fate: Fate
    reason: str | None = None
    address_refused: bool = False
    opted_out: bool = False
    provider_id: str | None = None
    retry_after_seconds: float | None = None


Leave = Callable[[UUID], Awaitable[bool]]
"""Asked by a sender just before a contact's letter goes on the wire, and not before: whether it still may. What was
never asked for is sent by somebody else, should the sender go."""


class Sender(Protocol):
    """Sends the letters of one channel. Runs outside any transaction, after the intent was committed."""

    @property
    def lease_seconds(self) -> float:
        """How long a round may take: what is begun within it is over within it."""
        ...

    async def deliver(self, letters: Sequence[Letter], at: datetime, seconds: float, leave: Leave) -> list[Delivery]:
        """Send the letters, none that could not be over within `seconds`; one that may not leave is `untried`. `at`
        dates them, in business time. Raises nothing: every letter has its fate."""
        ...
