"""For operators, the same in every service: events parked behind a failure, and replays of the event log."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, Field

from shared import event_log, parked
from shared.db import reading
from shared.errors import Refused
from shared.http.cursors import next_cursor
from shared.http.dependencies import DatabaseDep, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["operations"])


class ParkedEventOut(BaseModel):
    """An event a handler failed on, or one waiting behind it. `value` is its payload as it came."""

    id: int
    consumer: str
    customer_id: UUID
    source: str
    event_id: UUID
    type: str
    topic: str
    partition: int
    offset: int
    status: Literal["parked", "applied", "skipped"]
    reason: str
    attempts: int
    parked_at: datetime
    next_retry_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    closed_reason: str | None
    value: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "ParkedEventOut":
        return cls.model_validate({**row, "customer_id": row["key"], "offset": row["message_offset"]})


class SkipIn(Body):
    """Why it is given up; kept with the event and the name of who did it."""

    reason: str = Field(min_length=3, max_length=1_000)


class ParkedEventStatus(BaseModel):
    id: int
    status: Literal["retrying", "skipped"]


class ReplayIn(Body):
    """Events logged in [from, to), of one topic or of all."""

    first: AwareDatetime = Field(alias="from")
    until: AwareDatetime = Field(alias="to")
    topic: str | None = Field(default=None, max_length=200)


class ReplayOut(BaseModel):
    events: int = Field(description="How many events will be published again")


ParkedId = Annotated[int, Field(ge=1, lt=2**63)]


@router.get("/parked-events", response_model=Page[ParkedEventOut], dependencies=[scope("operations:read")])
async def list_parked_events(
    database: DatabaseDep,
    page: PageParams,
    status: Annotated[Literal["parked", "applied", "skipped"], Query()] = "parked",
    customer_id: UUID | None = None,
) -> Response:
    """Parked events in the order they will be tried; `status=skipped` shows what was given up, by whom and why."""
    after = page.after[0] if page.after else None
    async with reading(database) as tx:
        key = str(customer_id) if customer_id else None
        rows = await parked.list_parked(tx, page.limit + 1, after, status=status, key=key)
    items = [ParkedEventOut.of(row) for row in rows[: page.limit]]
    return respond(Page[ParkedEventOut](items=items, next_cursor=next_cursor(rows, page, "id")))


@router.post(
    "/parked-events/{parked_id}/retry",
    response_model=ParkedEventStatus,
    status_code=202,
    dependencies=[scope("operations:write")],
)
async def retry_parked_event(parked_id: ParkedId, once: Once) -> Response:
    """Have the worker try it at once, instead of waiting for its next turn."""
    async with once as tx:
        await parked.retry(tx, parked_id)
        return once.answer(202, ParkedEventStatus(id=parked_id, status="retrying"))


@router.post(
    "/parked-events/{parked_id}/skip", response_model=ParkedEventStatus, dependencies=[scope("operations:write")]
)
async def skip_parked_event(parked_id: ParkedId, body: SkipIn, once: Once, principal: PrincipalDep) -> Response:
    """Give it up for good: its effects never happen here, and the customer's later events go on."""
    async with once as tx:
        await parked.skip(tx, parked_id, by=principal.subject, reason=body.reason)
        return once.answer(200, ParkedEventStatus(id=parked_id, status="skipped"))


@router.post("/replays", response_model=ReplayOut, status_code=202, dependencies=[scope("operations:write")])
async def replay_events(body: ReplayIn, once: Once) -> Response:
    """Publish again what was logged in a range of time; subscribers drop what they have had."""
    if body.until <= body.first:
        raise Refused("the end of the range is not after its start", field="/to")
    async with once as tx:
        count = await event_log.replay(tx, body.first, body.until, body.topic)
        return once.answer(202, ReplayOut(events=count))
