"""What is kept of the past: this service's own events of a case, and its contacts."""

from __future__ import annotations

from uuid import UUID

import orjson

from services.reminder.histories.rules import Happened
from shared.db import Tx


async def happened(tx: Tx, case_id: UUID) -> list[Happened]:
    """All events of the case, oldest first. Events keep business time; `seq` is the order they were decided in."""
    rows = await tx.fetch(_HAPPENED, case_id)
    return [Happened(row["time"], row["type"], orjson.loads(row["data"])) for row in rows]


_HAPPENED = """
select time, type, data::text as data from event_log
where subject = $1 and type like 'dueward.case.%' order by time, seq
"""
