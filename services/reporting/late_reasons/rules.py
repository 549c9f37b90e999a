"""Why customers pay late, by what they said: on the telephone, in an answer, or by their insolvency."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple
from uuid import UUID

from shared.events.event import Event
from shared.events.reminder import CallLogged, ProceedingEvent, ReplyEvent


class Reason(NamedTuple):
    """`said_on` is the day the customer said it, however much later a person looked."""

    id: UUID
    version: int
    customer_id: UUID
    said_on: date
    reason: str


def reasons(events: Iterable[Event | None]) -> list[Reason]:
    """The newest of each call, answer and insolvency that tells one, sorted by id."""
    newest: dict[UUID, Reason] = {}
    for event in events:
        if (found := _reason(event)) and (found.id not in newest or newest[found.id].version < found.version):
            newest[found.id] = found
    return [newest[key] for key in sorted(newest)]


def _reason(event: Event | None) -> Reason | None:
    match event:
        case CallLogged(call=call) if call.reason:
            return Reason(call.id, call.version, event.customer_id, event.effective_on, call.reason)
        case ReplyEvent(reply=reply) if reply.reason:
            return Reason(reply.id, reply.version, event.customer_id, reply.received_on, reply.reason)
        case ProceedingEvent(proceeding=proceeding) if proceeding.kind == "insolvency":
            return Reason(proceeding.id, proceeding.version, event.customer_id, proceeding.opened_on, proceeding.kind)
        case _:
            return None
