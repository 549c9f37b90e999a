"""Assign tasks once for each occasion, hand them on, put them off, finish them, and list them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from services.reminder.receivables import handlers as receivables
from services.reminder.tasks import rules, store
from services.reminder.tasks.rules import AssignTask, Task, TaskNotFound
from services.reminder.team import handlers as team
from services.reminder.team.rules import Role
from shared import outbox
from shared.db import Tx
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class FinishTask:
    task_id: UUID
    by: str
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class FinishTasks:
    """Many at once, with the same outcome."""

    task_ids: Sequence[UUID]
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


async def assign_tasks(tx: Tx, commands: Sequence[AssignTask]) -> list[Task]:
    """Asked again for the same occasion, nothing happens; what is answered are the new ones."""
    if not commands:
        return []
    if any(command.role for command in commands):
        commands = [each for command in commands for each in await _for_colleagues(tx, command)]
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
            role=command.role,
            given_by=command.given_by,
        )
        for command in commands
    ]
    added = await store.add(tx, tasks)
    new = [task for task in tasks if task.id in added]
    await outbox.append(tx, *(rules.assigned(task, tx.now) for task in new))
    return new


async def _for_colleagues(tx: Tx, command: AssignTask) -> list[AssignTask]:
    """What is for a role goes to each of its colleagues who follows the account; where nobody does, to the role."""
    if command.role is None:
        return [command]
    subjects = await store.followers_in_role(tx, command.customer_id, command.entity_id, command.role)
    if not subjects:
        return [command]
    return [replace(command, assignee=each, occasion=f"{command.occasion}:{each}") for each in subjects]


async def finish_by_hand(tx: Tx, command: FinishTask) -> Task:
    """Somebody ticks it off. Raises TaskNotFound, TaskOver, DecisionWanted."""
    rules.check_by_hand(await _lock(tx, command.task_id))
    return await finish_task(tx, command)


async def finish_task(tx: Tx, command: FinishTask) -> Task:
    """Raises TaskNotFound, TaskOver."""
    task = rules.done(await _lock(tx, command.task_id), command.by, command.outcome, tx.now)
    await store.save(tx, task)
    await outbox.append(tx, rules.finished(task, tx.now))
    return task


async def finish_many(tx: Tx, command: FinishTasks) -> list[Task]:
    """All of them or none. Raises TaskNotFound, TaskOver, DecisionWanted, each naming the task in question."""
    wanted = list(dict.fromkeys(command.task_ids))
    await receivables.lock(tx, list({task.customer_id for task in await store.find_all(tx, wanted)}))
    known = {task.id: task for task in await store.find_all(tx, wanted)}
    ended = []
    for at, task_id in enumerate(command.task_ids):
        if task_id not in known:
            raise TaskNotFound(f"there is no task {task_id}", field=f"/task_ids/{at}")
        if task_id in wanted:
            wanted.remove(task_id)
            rules.check_by_hand(known[task_id], field=f"/task_ids/{at}")
            ended.append(rules.done(known[task_id], command.by, command.outcome, tx.now, field=f"/task_ids/{at}"))
    for task in ended:
        await store.save(tx, task)
    await outbox.append(tx, *(rules.finished(task, tx.now) for task in ended))
    return ended


async def finish_tasks(
    tx: Tx, customer_id: UUID, entity_id: str, kind: rules.Kind, by: str, outcome: str, about: str = ""
) -> None:
    """What asked for it is dealt with: all open tasks of the kind are done whose occasion begins with `about`. The
    customer is locked by the caller."""
    for task in await store.open_of(tx, customer_id, entity_id, kind):
        if task.occasion.startswith(about):
            await _end(tx, task, by, outcome)


async def end_by_itself(tx: Tx, task: Task, because: str) -> None:
    """Nobody has to do it any more. The customer is locked by the caller."""
    await _end(tx, task, rules.BY_ITSELF, because)


async def _end(tx: Tx, task: Task, by: str, outcome: str) -> None:
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
    role: Role | None,
    after: UUID | None,
    limit: int,
) -> list[Task]:
    """Oldest first, those after a given one; an assignee's include those of whom they stand in for."""
    whose = sorted(await team.acting_for(tx, assignee)) if assignee else None
    return await store.page(tx, customer_id, kind, status, whose, role, after, limit)


async def _lock(tx: Tx, task_id: UUID) -> Task:
    """The task, under its customer's lock: everything that publishes for a customer does so under it."""
    await receivables.lock(tx, [(await find_task(tx, task_id)).customer_id])
    return await find_task(tx, task_id)
