"""Snapshots over HTTP: begin with the state of everything, then go on with the feed."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.reporting.snapshots import handlers
from services.reporting.snapshots.handlers import Watermark
from services.reporting.snapshots.rules import Kind
from shared.db import reading
from shared.http.dependencies import DatabaseDep, PageParams
from shared.http.models import Page
from shared.http.security import scope

router = APIRouter(tags=["events"])


class SnapshotItem(BaseModel):
    """An aggregate as its newest event says: `state` is that member of its data, `type` and `time` the event's."""

    id: UUID
    version: int
    customer_id: UUID
    type: str
    time: datetime
    effective_on: date
    state: dict[str, Any]


class SnapshotOut(Page[SnapshotItem]):
    continue_after: UUID | None = Field(
        description="GET /v1/events?after= this, when all pages are read; null while there are no events"
    )


@router.get("/snapshots/{kind}", response_model=SnapshotOut, dependencies=[scope("reports:read")])
async def read_snapshot(kind: Kind, database: DatabaseDep, page: PageParams) -> SnapshotOut:
    """The newest state of each aggregate of a kind, as of the moment the first page was read, however long the others
    take. Nothing is missing between the last page and the feed behind `continue_after`; take only what has a higher
    version than you have, and a snapshot of several kinds may be read one after the other."""
    async with reading(database) as tx:
        if page.after:
            mark = Watermark(page.after[0], UUID(page.after[1]))
            rows = await handlers.read_snapshot(tx, kind, mark, UUID(page.after[2]), page.limit + 1)
        else:
            mark = await handlers.set_watermark(tx)
            rows = await handlers.read_snapshot(tx, kind, mark, None, page.limit + 1)
    shown, more = page.cut(rows, lambda row: [mark.place, str(mark.event_id), str(row["subject"])])
    items = [
        SnapshotItem(
            id=row["subject"],
            version=row["version"],
            customer_id=row["customer_id"],
            type=row["type"],
            time=row["time"],
            effective_on=row["effective_on"],
            state=row["state"],
        )
        for row in shown
    ]
    return SnapshotOut(items=items, next_cursor=more, continue_after=mark.event_id)
