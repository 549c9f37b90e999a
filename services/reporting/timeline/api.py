"""A customer's timeline over HTTP."""

from datetime import date, datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from services.reporting.timeline import handlers
from services.reporting.timeline.handlers import ReadTimeline
from services.reporting.wording.rules import Kind
from shared.db import reading
from shared.http.cursors import encode_cursor
from shared.http.dependencies import DatabaseDep, PageParams
from shared.http.models import Page
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["timeline"])


class LineOut(BaseModel):
    """One event in words. `date` is the business date it counts for, `time` when it was recorded; `amount` is signed
    where a balance moved."""

    date: date
    time: datetime
    kind: Kind
    title: str
    detail: str
    amount: Money | None
    type: str
    subject: UUID
    event_id: UUID


@router.get("/customers/{customer_id}/timeline", response_model=Page[LineOut], dependencies=[scope("reports:read")])
async def read_timeline(customer_id: UUID, database: DatabaseDep, page: PageParams) -> Page[LineOut]:
    """Everything that happened with a customer, newest first by the date it counts for."""
    before = (date.fromisoformat(page.after[0]), page.after[1]) if page.after else handlers.NEWEST
    async with reading(database) as tx:
        entries = await handlers.read_timeline(tx, ReadTimeline(customer_id, before, page.limit + 1))
    shown = entries[: page.limit]
    return Page[LineOut](
        items=[
            LineOut(
                date=entry.on,
                time=entry.at,
                kind=entry.line.kind,
                title=entry.line.title,
                detail=entry.line.detail,
                amount=entry.line.amount,
                type=entry.type,
                subject=entry.subject,
                event_id=entry.event_id,
            )
            for entry in shown
        ],
        next_cursor=encode_cursor([shown[-1].on, shown[-1].seq]) if len(entries) > page.limit else None,
    )
