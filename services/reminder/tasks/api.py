"""Tasks over HTTP: what this service asks people to decide or find out."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from services.reminder.tasks import handlers, rules
from services.reminder.tasks.rules import Task
from shared.db import reading
from shared.http.cursors import encode_cursor
from shared.http.dependencies import DatabaseDep, PageParams
from shared.http.models import Page
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["tasks"])


class TaskOut(BaseModel):
    """`kind` is `agency_referral` (decide whether the account goes to a collection agency), `fate_unknown` (a message
    was under way when the process sending it ended) or `unreachable` (nobody there has an e-mail address)."""

    id: UUID
    customer_id: UUID
    kind: rules.Kind
    title: str
    detail: str
    status: rules.Status
    due_on: date
    assigned_at: datetime
    version: int

    @classmethod
    def of(cls, task: Task) -> "TaskOut":
        return cls(
            id=task.id,
            customer_id=task.customer_id,
            kind=task.kind,
            title=task.title,
            detail=task.detail,
            status=task.status,
            due_on=task.due_on,
            assigned_at=task.assigned_at,
            version=task.version,
        )


@router.get("/tasks", response_model=Page[TaskOut], dependencies=[scope("reminders:read")])
async def list_tasks(
    database: DatabaseDep,
    page: PageParams,
    customer_id: Annotated[UUID | None, Query()] = None,
    kind: Annotated[rules.Kind | None, Query()] = None,
    status: Annotated[rules.Status | None, Query()] = None,
) -> Response:
    """Oldest first."""
    after = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_tasks(tx, customer_id, kind, status, after, page.limit + 1)
    shown = found[: page.limit]
    more = encode_cursor([shown[-1].id]) if len(found) > page.limit else None
    return respond(Page[TaskOut](items=[TaskOut.of(task) for task in shown], next_cursor=more))
