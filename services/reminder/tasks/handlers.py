"""Assign tasks once for each occasion, and list them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.reminder.tasks import rules, store
from services.reminder.tasks.rules import AssignTask, Task
from shared import outbox
from shared.db import Tx
from shared.ids import new_id


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
        )
        for command in commands
    ]
    new = await store.add(tx, tasks)
    await outbox.append(tx, *(rules.assigned(task, tx.now) for task in tasks if task.id in new))


async def list_tasks(
    tx: Tx,
    customer_id: UUID | None,
    kind: rules.Kind | None,
    status: rules.Status | None,
    after: UUID | None,
    limit: int,
) -> list[Task]:
    """Oldest first, those after a given one."""
    return await store.page(tx, customer_id, kind, status, after, limit)
