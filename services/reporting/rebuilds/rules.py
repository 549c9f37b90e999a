"""An event as the feed keeps it, read again as it came."""

from __future__ import annotations

from typing import Any

from shared.errors import Conflict


class RebuildUnderWay(Conflict):
    slug = "rebuild-under-way"
    title = "The read models are being made again already"


def attributes(row: Any) -> dict[str, Any]:
    """What the event's envelope said."""
    return {
        "id": row["id"],
        "source": row["source"],
        "type": row["type"],
        "subject": row["subject"],
        "time": row["time"],
        "version": row["version"],
        "key": row["customer_id"],
        "correlation_id": row["correlation"],
        "causation_id": row["causation"],
        "traceparent": None,
        "data": row["data"].encode(),
    }
