"""What the feed needs to know about an event it may not understand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from shared.errors import Refused


class UnreadableAfter(Refused):
    slug = "unreadable-after"
    title = "`after` names no place in the feed"


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
