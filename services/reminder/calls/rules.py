"""Telephone calls with customers, as whoever made them wrote them down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from shared.errors import Refused
from shared.events.reminder import LatePaymentReason

Direction = Literal["out", "in"]
Outcome = Literal["spoke", "left_message", "no_answer", "wrong_number", "refused"]
"""`refused`: somebody answered and would not talk about it."""

LOGGED_WITHIN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Call:
    """`contact_id` is the planned call that this was, `call_back_on` the day on which they want to be called again."""

    id: UUID
    customer_id: UUID
    entity_id: str
    caller: str
    direction: Direction
    outcome: Outcome
    person: str | None
    number: str | None
    reason: LatePaymentReason | None
    note: str | None
    contact_id: UUID | None
    call_back_on: date | None
    called_at: datetime

    @property
    def was_a_conversation(self) -> bool:
        return self.outcome in ("spoke", "refused")


class CallRefused(Refused):
    slug = "call-refused"
    title = "The call cannot be logged like this"


def check(call: Call, now: datetime) -> None:
    """Raises CallRefused: calls are logged once they were made, and called back after that."""
    if call.called_at > now:
        raise CallRefused("it has not been made yet", field="/called_at")
    if now - call.called_at > LOGGED_WITHIN:
        raise CallRefused(f"it was made more than {LOGGED_WITHIN.days} days ago", field="/called_at")
    if call.call_back_on and call.call_back_on < call.called_at.date():
        raise CallRefused("they cannot be called back before the call", field="/call_back_on")
    if call.reason and not call.was_a_conversation:
        raise CallRefused("nobody gave a reason: there was no conversation", field="/reason")
