"""Tasks, one for each kind and occasion of an account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any
from uuid import UUID

from services.reminder.tasks.rules import Task
from shared.db import Tx

_NEW = (
    *(
        "id",
        "version",
        "customer_id",
        "case_id",
        "entity_id",
        "kind",
        "occasion",
        "title",
        "detail",
        "status",
        "due_on",
    ),
    *("assigned_at", "assignee", "role", "given_by"),
)
_new_values = attrgetter(*_NEW)
_COLUMNS = ", ".join(field.name for field in fields(Task))


async def add(tx: Tx, tasks: Sequence[Task]) -> set[UUID]:
    """Write those that are new for their occasion; returns their ids."""
    rows = map(_new_values, tasks)
    return {row["id"] for row in await tx.fetch(_ADD, *(list(column) for column in zip(*rows, strict=True)))}


_ADD = f"""
insert into task ({", ".join(_NEW)})
select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[],
                     $9::text[], $10::text[], $11::date[], $12::timestamptz[], $13::text[], $14::text[],
                     $15::text[])
on conflict on constraint task_once_per_occasion do nothing
returning id
"""


async def find(tx: Tx, task_id: UUID) -> Task | None:
    row = await tx.fetchrow(f"select {_COLUMNS} from task where id = $1", task_id)
    return Task(**row) if row else None


async def find_all(tx: Tx, task_ids: Sequence[UUID]) -> list[Task]:
    return _tasks(await tx.fetch(f"select {_COLUMNS} from task where id = any($1::uuid[])", task_ids))


async def open_of(tx: Tx, customer_id: UUID, entity_id: str, kind: str | None) -> list[Task]:
    return _tasks(await tx.fetch(_OPEN_OF, customer_id, entity_id, kind))


_OPEN_OF = f"""
select {_COLUMNS} from task
where customer_id = $1 and entity_id = $2 and status = 'open' and ($3::text is null or kind = $3)
order by due_on, id
"""


async def followers_in_role(tx: Tx, customer_id: UUID, entity_id: str, role: str) -> list[str]:
    """Colleagues of the role who follow the account."""
    return [row["subject"] for row in await tx.fetch(_FOLLOWERS_IN_ROLE, customer_id, entity_id, role)]


_FOLLOWERS_IN_ROLE = """
select f.subject from follower f join colleague c using (subject)
where f.customer_id = $1 and f.entity_id = $2 and c.role = $3 order by f.subject
"""


async def save(tx: Tx, task: Task) -> None:
    await tx.execute(
        _SAVE,
        *(task.id, task.version, task.status, task.assignee, task.snoozed_until),
        *(task.done_by, task.done_at, task.outcome),
    )


_SAVE = """
update task
set version = $2, status = $3, assignee = $4, snoozed_until = $5, done_by = $6, done_at = $7, outcome = $8
where id = $1
"""


async def page(
    tx: Tx,
    customer_id: UUID | None,
    kind: str | None,
    status: str | None,
    assignees: Sequence[str] | None,
    role: str | None,
    after: UUID | None,
    limit: int,
) -> list[Task]:
    """Oldest first."""
    return _tasks(await tx.fetch(_PAGE, customer_id, kind, status, after, limit, assignees, role))


_PAGE = f"""
select {_COLUMNS} from task
where ($1::uuid is null or customer_id = $1) and ($2::text is null or kind = $2) and ($3::text is null or status = $3)
  and ($4::uuid is null or id > $4) and ($6::text[] is null or assignee = any($6))
  and ($7::text is null or (role = $7 and assignee is null))
order by id limit $5
"""


def _tasks(rows: Iterable[Any]) -> list[Task]:
    return [Task(**row) for row in rows]
