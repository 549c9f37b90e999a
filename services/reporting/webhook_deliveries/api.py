"""Deliveries to webhooks over HTTP: how far they are, what waits, what is dead; try, retry, replay."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, Field

from services.reporting.webhook_deliveries import handlers
from services.reporting.webhooks import handlers as webhooks
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once, PageParams, ResourcesDep
from shared.http.models import Body, Page
from shared.http.security import scope

router = APIRouter(tags=["webhooks"])


class StateOut(BaseModel):
    """`up_to_date`: nothing is left to be delivered, but what is dead, which is counted beside."""

    up_to_date: bool
    delivered: int
    last_delivered_at: datetime | None
    failing_since: datetime | None = Field(description="Since when nothing could be delivered at all")
    resting_until: datetime | None
    waiting_customers: int
    dead_events: int


class WaitingOut(BaseModel):
    """A customer's first event that could not be delivered; its later ones wait behind it."""

    customer_id: UUID
    event_id: UUID | None
    type: str | None
    attempts: int
    failing_since: datetime | None
    retry_at: datetime
    reason: str | None


class DeadOut(BaseModel):
    event_id: UUID
    customer_id: UUID
    type: str
    attempts: int
    reason: str
    dead_at: datetime
    retry_asked: bool


class RetryIn(Body):
    event_id: UUID | None = Field(default=None, description="This one only; left out, all that wait or are dead")


class RetryOut(BaseModel):
    retried: int


class ReplayIn(Body):
    since: AwareDatetime
    until: AwareDatetime


class ReplayOut(BaseModel):
    id: UUID
    since: datetime
    until: datetime
    delivered: int
    finished_at: datetime | None

    @classmethod
    def of(cls, run: Any) -> "ReplayOut":
        return cls(
            id=run["id"],
            since=run["since"],
            until=run["until"],
            delivered=run["delivered"],
            finished_at=run["finished_at"],
        )


class TriedOut(BaseModel):
    delivered: bool
    status: int | None = Field(description="What the receiver answered, where it was not a success")
    reason: str | None
    milliseconds: int


@router.get("/webhooks/{webhook_id}/state", response_model=StateOut, dependencies=[scope("reports:read")])
async def show_state(webhook_id: UUID, database: DatabaseDep) -> StateOut:
    """How far it is, and whether its receiver takes what it is sent."""
    async with reading(database) as tx:
        state = await handlers.read_state(tx, webhook_id)
    run = state.run
    return StateOut(
        up_to_date=not state.behind and not state.waiting,
        delivered=run["delivered"] if run else 0,
        last_delivered_at=run["delivered_at"] if run else None,
        failing_since=run["failing_since"] if run else None,
        resting_until=run["rest_until"] if run else None,
        waiting_customers=state.waiting,
        dead_events=state.dead,
    )


@router.get("/webhooks/{webhook_id}/waiting", response_model=Page[WaitingOut], dependencies=[scope("reports:read")])
async def list_waiting(webhook_id: UUID, database: DatabaseDep, page: PageParams) -> Page[WaitingOut]:
    """Customers whose events wait, each with the one that could not be delivered, and when it is tried again."""
    after = (UUID(page.after[0]), UUID(page.after[1])) if page.after else None
    async with reading(database) as tx:
        rows = await handlers.list_waiting(tx, webhook_id, after, page.limit + 1)
    shown, more = page.cut(rows, lambda row: [str(row["run_id"]), str(row["customer_id"])])
    fields = WaitingOut.model_fields
    return Page[WaitingOut](
        items=[WaitingOut(**{name: row[name] for name in fields}) for row in shown], next_cursor=more
    )


@router.get(
    "/webhooks/{webhook_id}/dead-deliveries", response_model=Page[DeadOut], dependencies=[scope("reports:read")]
)
async def list_dead(webhook_id: UUID, database: DatabaseDep, page: PageParams) -> Page[DeadOut]:
    """Events that could not be delivered for three days; their customers' later events went on."""
    async with reading(database) as tx:
        rows = await handlers.list_dead(tx, webhook_id, page.after_id, page.limit + 1)
    shown, more = page.cut(rows, lambda row: [str(row["event_id"])])
    return Page[DeadOut](items=[DeadOut(**row) for row in shown], next_cursor=more)


@router.post("/webhooks/{webhook_id}/retries", response_model=RetryOut, dependencies=[scope("webhooks:write")])
async def retry_now(webhook_id: UUID, body: RetryIn, once: Once) -> Response:
    """Try what waits and what is dead once more, now."""
    async with once as tx:
        return once.answer(200, RetryOut(retried=await handlers.retry_now(tx, webhook_id, body.event_id)))


@router.post(
    "/webhooks/{webhook_id}/replays",
    status_code=201,
    response_model=ReplayOut,
    dependencies=[scope("webhooks:write")],
)
async def replay(webhook_id: UUID, body: ReplayIn, once: Once) -> Response:
    """Send what happened in a range of time once more, from `since` on and before `until`, with the same ids. Runs
    beside what is new, in order per customer within itself."""
    async with once as tx:
        return once.answer(201, ReplayOut.of(await handlers.replay(tx, webhook_id, body.since, body.until)))


@router.get("/webhooks/{webhook_id}/replays", response_model=Page[ReplayOut], dependencies=[scope("reports:read")])
async def list_replays(webhook_id: UUID, database: DatabaseDep, page: PageParams) -> Page[ReplayOut]:
    """The newest first."""
    async with reading(database) as tx:
        rows = await handlers.list_replays(tx, webhook_id, page.after_id, page.limit + 1)
    shown, more = page.cut(rows, lambda row: [str(row["id"])])
    return Page[ReplayOut](items=[ReplayOut.of(row) for row in shown], next_cursor=more)


@router.post("/webhooks/{webhook_id}/test", response_model=TriedOut, dependencies=[scope("webhooks:write")])
async def try_webhook(webhook_id: UUID, once: Once, database: DatabaseDep, resources: ResourcesDep) -> Response:
    """Send a test message now and say what came of it, also for a webhook that is paused or disabled."""
    await once.check()
    async with reading(database) as tx:
        webhook = await webhooks.find_webhook(tx, webhook_id)
    tried = await handlers.try_webhook(resources.outlet, webhook)
    failure = tried.failure
    out = TriedOut(
        delivered=failure is None,
        status=failure.status if failure else None,
        reason=failure.reason if failure else None,
        milliseconds=tried.milliseconds,
    )
    async with once:
        return once.answer(200, out)
