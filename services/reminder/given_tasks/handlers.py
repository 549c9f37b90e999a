"""Give somebody a task for an account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.reminder.cases import handlers as cases
from services.reminder.given_tasks import rules
from services.reminder.given_tasks.rules import Kind
from services.reminder.receivables import handlers as receivables
from services.reminder.tasks import handlers as tasks
from services.reminder.tasks.rules import AssignTask, Task
from services.reminder.team import handlers as team
from shared.db import Tx
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class GiveTask:
    """Without an `assignee` it is for whoever looks after the account."""

    customer_id: UUID
    entity_id: str
    given_by: str
    kind: Kind
    title: str
    detail: str
    due_on: date
    assignee: str | None = None


async def give_task(tx: Tx, command: GiveTask) -> Task:
    """Raises CaseNotFound, CaseNotOpen, TaskDayRefused, ColleagueNotFound."""
    await cases.find_case(tx, command.customer_id, command.entity_id)  # The lock makes room for one never heard of.
    await receivables.lock(tx, [command.customer_id])
    case = (await cases.find_case(tx, command.customer_id, command.entity_id)).case
    rules.check(command.due_on, tx.now.date(), is_open=case.is_open)
    if command.assignee:
        await team.find_colleague(tx, command.assignee, field="/assignee")
    (task,) = await tasks.assign_tasks(
        tx,
        [
            AssignTask(
                customer_id=command.customer_id,
                case_id=case.id,
                entity_id=command.entity_id,
                kind=command.kind,
                occasion=f"given:{new_id()}",  # Each is a task of its own, the same words twice as well.
                title=command.title,
                detail=command.detail,
                due_on=command.due_on,
                assignee=command.assignee,
                given_by=command.given_by,
            )
        ],
    )
    return task
