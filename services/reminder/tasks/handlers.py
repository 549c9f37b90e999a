"""Assign tasks once for each occasion, hand them on, put them off, finish them, and list them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.reminder.receivables import handlers as receivables
from services.reminder.tasks import rules, store
from services.reminder.tasks.rules import AssignTask, Task, TaskNotFound
from services.reminder.team import handlers as team
from shared import outbox
from shared.db import Tx
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class FinishTask:
    task_id: UUID
    by: str
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class HandTask:
    task_id: UUID
    assignee: str


@dataclass(frozen=True, slots=True)
class SnoozeTask:
    task_id: UUID
    until: date


async def assign_tasks(tx: Tx, commands: Sequence[AssignTask]) -> None:
    """Asked again for the same occasion, nothing happens."""
    if not commands:
        return
    tasks = [
        Task(
            id=new_id(),
            version=1,
            customer_id=command.customer_id,
            case_id=command.case_id,
            entity_id=command.entity_id,
            kind=command.kind,
            occasion=command.occasion,
            title=command.title,
            detail=command.detail,
            status="open",
            due_on=command.due_on,
            assigned_at=tx.now,
            assignee=command.assignee,
        )
        for command in commands
    ]
    new = await store.add(tx, tasks)
    await outbox.append(tx, *(rules.assigned(task, tx.now) for task in tasks if task.id in new))


async def finish_task(tx: Tx, command: FinishTask) -> Task:
    """Raises TaskNotFound, TaskOver."""
    task = rules.done(await _lock(tx, command.task_id), command.by, command.outcome, tx.now)
    await store.save(tx, task)
    await outbox.append(tx, rules.finished(task, tx.now))
    return task


async def finish_tasks(tx: Tx, customer_id: UUID, entity_id: str, kind: rules.Kind, by: str, outcome: str) -> None:
    """What asked for it is dealt with: all open tasks of the kind are done. The customer is locked by the caller."""
    for task in await store.open_of(tx, customer_id, entity_id, kind):
        ended = rules.done(task, by, outcome, tx.now)
        await store.save(tx, ended)
        await outbox.append(tx, rules.finished(ended, tx.now))


async def hand_task(tx: Tx, command: HandTask) -> Task:
    """Raises TaskNotFound, TaskOver, ColleagueNotFound."""
    await team.find_colleague(tx, command.assignee)
    task = rules.handed_to(await _lock(tx, command.task_id), command.assignee)
    await store.save(tx, task)
    await outbox.append(tx, rules.assigned(task, tx.now))
    return task


async def snooze_task(tx: Tx, command: SnoozeTask) -> Task:
    """Raises TaskNotFound, TaskOver, SnoozeRefused."""
    task = rules.snoozed(await _lock(tx, command.task_id), command.until, tx.now.date())
    await store.save(tx, task)
    await outbox.append(tx, rules.assigned(task, tx.now))
    return task


async def find_task(tx: Tx, task_id: UUID) -> Task:
    """Raises TaskNotFound."""
    task = await store.find(tx, task_id)
    if task is None:
        raise TaskNotFound(f"there is no task {task_id}")
    return task


async def open_tasks(tx: Tx, customer_id: UUID, entity_id: str) -> list[Task]:
    """What somebody has to do for an account, the most urgent first."""
    return await store.open_of(tx, customer_id, entity_id, None)


async def list_tasks(
    tx: Tx,
    customer_id: UUID | None,
    kind: rules.Kind | None,
    status: rules.Status | None,
    assignee: str | None,
    after: UUID | None,
    limit: int,
) -> list[Task]:
    """Oldest first, those after a given one; an assignee's include those of whom they stand in for."""
    whose = sorted(await team.acting_for(tx, assignee)) if assignee else None
    return await store.page(tx, customer_id, kind, status, whose, after, limit)


async def _lock(tx: Tx, task_id: UUID) -> Task:
    """The task, under its customer's lock: everything that publishes for a customer does so under it."""
    await receivables.lock(tx, [(await find_task(tx, task_id)).customer_id])
    return await find_task(tx, task_id)
