"""The event feed over HTTP: the whole history of every service, resumable."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.reporting.feed import handlers, rules
from services.reporting.feed.handlers import ListEvents
from shared.db import reading
from shared.http.cursors import next_cursor
from shared.http.dependencies import DatabaseDep, PageParams
from shared.http.models import Page
from shared.http.security import scope

router = APIRouter(tags=["events"])

EventType = Annotated[str, Field(max_length=200, examples=["dueward.invoice.overdue.v1"])]


class EventOut(BaseModel):
    """An event as it was published; (`source`, `subject`, `aggregate_version`) tells it from every other."""

    id: UUID
    type: str
    source: str
    subject: UUID
    time: datetime
    customer_id: UUID
    aggregate_version: int
    effective_on: date
    correlation_id: str | None
    causation_id: str | None
    data: dict[str, Any]


@router.get("/events", response_model=Page[EventOut], dependencies=[scope("reports:read")])
async def list_events(
    database: DatabaseDep,
    page: PageParams,
    type: Annotated[list[EventType] | None, Query(max_length=50, description="One type, or several")] = None,
    after: Annotated[
        str | None,
        Query(max_length=64, description="Only what follows this event id in the feed, or happened after this time"),
    ] = None,
    customer_id: UUID | None = None,
) -> Page[EventOut]:
    """Events in the order this service took them in, which never changes and has no late arrivals in between.

    Read pages until `next_cursor` is null, remember the id of the last event you have, and come back with `after`.
    """
    query = ListEvents(
        place=page.after[0] if page.after else None,
        after=rules.read_after(after) if after else None,
        types=tuple(type or ()),
        customer_id=customer_id,
        limit=page.limit + 1,
    )
    async with reading(database) as tx:
        rows = await handlers.list_events(tx, query)
    return Page[EventOut](
        items=[
            EventOut(
                id=row["id"],
                type=row["type"],
                source=row["source"],
                subject=row["subject"],
                time=row["time"],
                customer_id=row["customer_id"],
                aggregate_version=row["version"],
                effective_on=row["effective_on"],
                correlation_id=row["correlation"],
                causation_id=row["causation"],
                data=row["data"],
            )
            for row in rows[: page.limit]
        ],
        next_cursor=next_cursor(rows, page, "seq"),
    )
