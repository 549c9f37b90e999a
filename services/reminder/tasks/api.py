"""Tasks over HTTP: what this service asks people to decide or find out."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.reminder.tasks import handlers, rules
from services.reminder.tasks.handlers import FinishTask, FinishTasks, HandTask, SnoozeTask
from services.reminder.tasks.rules import Task
from services.reminder.team.rules import Role
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["tasks"])


class TaskOut(BaseModel):
    """`kind` says what for, such as `agency_referral` (decide whether the account goes to a collection agency),
    `fate_unknown` (a message was under way when the process sending it ended), `unreachable` (nobody there has an
    address that works) `handed_over` (a colleague asks)
    or `to_do` (a colleague gave it by hand: `given_by`). Without an `assignee` it is for colleagues of the
    `role`, or where there is none the account owner's."""

    id: UUID
    customer_id: UUID
    kind: rules.Kind
    title: str
    detail: str
    status: rules.Status
    due_on: date
    assigned_at: datetime
    entity_id: str
    assignee: str | None
    role: Role | None
    snoozed_until: date | None
    done_by: str | None
    done_at: datetime | None
    outcome: str | None
    given_by: str | None
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
            entity_id=task.entity_id,
            assignee=task.assignee,
            role=task.role,
            snoozed_until=task.snoozed_until,
            done_by=task.done_by,
            done_at=task.done_at,
            outcome=task.outcome,
            given_by=task.given_by,
            version=task.version,
        )


class DoneIn(Body):
    outcome: str | None = Field(default=None, max_length=1_000, description="What came of it")


class ManyDoneIn(DoneIn):
    task_ids: Annotated[list[UUID], Field(min_length=1, max_length=500)]


class ManyDoneOut(BaseModel):
    items: list[TaskOut]


class HandIn(Body):
    assignee: str = Field(min_length=1, max_length=200, description="A colleague's subject")


class SnoozeIn(Body):
    until: date


@router.get("/tasks", response_model=Page[TaskOut], dependencies=[scope("reminders:read")])
async def list_tasks(
    database: DatabaseDep,
    page: PageParams,
    customer_id: Annotated[UUID | None, Query()] = None,
    kind: Annotated[rules.Kind | None, Query()] = None,
    status: Annotated[rules.Status | None, Query()] = None,
    assignee: Annotated[str | None, Query(max_length=200)] = None,
    role: Annotated[Role | None, Query()] = None,
) -> Response:
    """Oldest first. An assignee's are also those of colleagues they stand in for today; a role's are those that no
    colleague has taken."""
    after = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_tasks(tx, customer_id, kind, status, assignee, role, after, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.id])
    return respond(Page[TaskOut](items=[TaskOut.of(task) for task in shown], next_cursor=more))


@router.get("/tasks/{task_id}", response_model=TaskOut, dependencies=[scope("reminders:read")])
async def find_task(task_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        task = await handlers.find_task(tx, task_id)
    return respond(TaskOut.of(task), etag=task.version)


@router.post("/tasks/done", response_model=ManyDoneOut, dependencies=[scope("reminders:write")])
async def finish_tasks(body: ManyDoneIn, once: Once, principal: PrincipalDep) -> Response:
    """Many at once with the same outcome: all of them, or none when one of them is not there or done already."""
    async with once as tx:
        ended = await handlers.finish_many(tx, FinishTasks(body.task_ids, principal.subject, body.outcome))
        return once.answer(200, ManyDoneOut(items=[TaskOut.of(task) for task in ended]))


@router.post("/tasks/{task_id}/done", response_model=TaskOut, dependencies=[scope("reminders:write")])
async def finish_task(task_id: UUID, body: DoneIn, once: Once, principal: PrincipalDep) -> Response:
    """It is done, with what came of it; a finished task does not open again. One that asks for a decision ends with
    that, elsewhere."""
    async with once as tx:
        task = await handlers.finish_by_hand(tx, FinishTask(task_id, principal.subject, body.outcome))
        return once.answer(200, TaskOut.of(task), etag=task.version)


@router.post("/tasks/{task_id}/assignments", response_model=TaskOut, dependencies=[scope("reminders:write")])
async def hand_task(task_id: UUID, body: HandIn, once: Once) -> Response:
    """Make it a certain colleague's."""
    async with once as tx:
        task = await handlers.hand_task(tx, HandTask(task_id, body.assignee))
        return once.answer(200, TaskOut.of(task), etag=task.version)


@router.post("/tasks/{task_id}/snoozes", response_model=TaskOut, dependencies=[scope("reminders:write")])
async def snooze_task(task_id: UUID, body: SnoozeIn, once: Once) -> Response:
    """Out of sight until that day."""
    async with once as tx:
        task = await handlers.snooze_task(tx, SnoozeTask(task_id, body.until))
        return once.answer(200, TaskOut.of(task), etag=task.version)
