"""Tasks given by hand, over HTTP; they are listed, done, handed on and put off as all tasks are."""

from datetime import date, datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.reminder.given_tasks import handlers
from services.reminder.given_tasks.handlers import GiveTask
from services.reminder.given_tasks.rules import Kind
from services.reminder.receivables.rules import ENTITY
from services.reminder.tasks import rules as tasks
from services.reminder.tasks.rules import Task
from shared.http.dependencies import Once, PrincipalDep
from shared.http.models import Body
from shared.http.security import scope

router = APIRouter(tags=["tasks"])


class GiveIn(Body):
    kind: Kind = Field(
        default="to_do",
        description="`to_do` is what the title says; a `call` or `call_back` is done with the next call that is logged",
    )
    title: str = Field(min_length=1, max_length=200, description="What to do")
    note: str = Field(default="", max_length=4_000, description="What whoever does it should know")
    due_on: date = Field(description="The day from which it stands in the worklist")
    assignee: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="A colleague's subject; left out, it is for whoever looks after the account",
    )
    entity_id: str = Field(default=ENTITY, min_length=1, max_length=40)


class GivenTaskOut(BaseModel):
    """A new task, by the names that `/v1/tasks/{id}` has for it."""

    id: UUID
    customer_id: UUID
    entity_id: str
    kind: tasks.Kind
    title: str
    detail: str
    status: tasks.Status
    due_on: date
    assigned_at: datetime
    assignee: str | None
    given_by: str | None
    version: int

    @classmethod
    def of(cls, task: Task) -> "GivenTaskOut":
        return cls(
            id=task.id,
            customer_id=task.customer_id,
            entity_id=task.entity_id,
            kind=task.kind,
            title=task.title,
            detail=task.detail,
            status=task.status,
            due_on=task.due_on,
            assigned_at=task.assigned_at,
            assignee=task.assignee,
            given_by=task.given_by,
            version=task.version,
        )


@router.post(
    "/cases/{customer_id}/tasks", status_code=201, response_model=GivenTaskOut, dependencies=[scope("reminders:write")]
)
async def give_task(customer_id: UUID, body: GiveIn, once: Once, principal: PrincipalDep) -> Response:
    """Give somebody something to do for an account with an open case, due today or later."""
    command = GiveTask(
        customer_id=customer_id,
        entity_id=body.entity_id,
        given_by=principal.subject,
        kind=body.kind,
        title=body.title,
        detail=body.note,
        due_on=body.due_on,
        assignee=body.assignee,
    )
    async with once as tx:
        task = await handlers.give_task(tx, command)
        return once.answer(201, GivenTaskOut.of(task), etag=task.version)
