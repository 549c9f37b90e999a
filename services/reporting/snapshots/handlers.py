"""The state of everything as it was at one place in the feed, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.reporting.snapshots import queries
from services.reporting.snapshots.rules import PLACES, Kind
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Watermark:
    """A place in the feed, and the event that stands there; None where the feed is empty."""

    place: int
    event_id: UUID | None


async def set_watermark(tx: Tx) -> Watermark:
    """Here the first page begins, and every later one keeps to it. What lies up to it never changes any more, since
    feed numbers become visible in their order; so all pages together are one moment's state."""
    row = await queries.end(tx)
    return Watermark(row["seq"], row["id"]) if row else Watermark(0, None)


async def read_snapshot(tx: Tx, kind: Kind, mark: Watermark, after: UUID | None, limit: int) -> list[asyncpg.Record]:
    return await queries.page(tx, PLACES[kind], mark.place, after, limit)
