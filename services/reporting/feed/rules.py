"""What the feed needs to know about an event it may not understand, and which events somebody wants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from shared.errors import NotFound, Refused


class UnreadableAfter(Refused):
    slug = "unreadable-after"
    title = "`after` names no place in the feed"


class EventNotFound(NotFound):
    slug = "event-not-found"
    title = "The feed has no such event"


class UnknownEventType(Refused):
    slug = "unknown-event-type"
    title = "No service publishes such an event"


class Kept(Protocol):
    """A row of the feed, its columns by name."""

    def __getitem__(self, name: str, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the feed somebody wants; what is left empty does not narrow it. Times are those of the events, from
    `since` on and before `until`."""

    types: tuple[str, ...] = ()
    customers: tuple[UUID, ...] = ()
    subject: UUID | None = None
    entity_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def wants(self, event: Kept) -> bool:
        """The same as the query for it says, of an event at hand."""
        return (
            (not self.types or event["type"] in self.types)
            and (not self.customers or event["customer_id"] in self.customers)
            and (self.subject is None or event["subject"] == self.subject)
            and (self.entity_id is None or event["data"].get("entity_id") == self.entity_id)
            and (self.since is None or event["time"] >= self.since)
            and (self.until is None or event["time"] < self.until)
        )


EVERYTHING = Wanted()


def told(row: Kept) -> dict[str, Any]:
    """An event as everybody outside gets it: from the feed, on a stream, by a webhook."""
    return {
        "id": row["id"],
        "type": row["type"],
        "source": row["source"],
        "subject": row["subject"],
        "time": row["time"],
        "customer_id": row["customer_id"],
        "aggregate_version": row["version"],
        "effective_on": row["effective_on"],
        "correlation_id": row["correlation"],
        "causation_id": row["causation"],
        "data": row["data"],
    }


def effective_on(data: Mapping[str, Any], time: datetime) -> date:
    """The business date of an event of any type: what its payload says, else the day it happened."""
    try:
        return date.fromisoformat(data["effective_on"])
    except (KeyError, TypeError, ValueError):
        return time.date()


def read_after(text: str) -> UUID | datetime:
    """`after` is an event's id or a moment with an offset, such as 2026-01-31T00:00:00Z. Raises UnreadableAfter."""
    try:
        return UUID(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise UnreadableAfter("after is an event id, or a time such as 2026-01-31T00:00:00Z", field="query.after")
    return moment
