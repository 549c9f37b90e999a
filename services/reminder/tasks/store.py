"""Tasks, one for each kind and occasion of a customer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from services.reminder.tasks.rules import Task
from shared.db import Tx

_COLUMNS = "id, version, customer_id, case_id, entity_id, kind, occasion, title, detail, status, due_on, assigned_at"


async def add(tx: Tx, tasks: Sequence[Task]) -> set[UUID]:
    """Write those that are new for their occasion; returns their ids."""
    rows = [
        (
            task.id,
            task.version,
            task.customer_id,
            task.case_id,
            task.entity_id,
            task.kind,
            task.occasion,
            task.title,
            task.detail,
            task.status,
            task.due_on,
            task.assigned_at,
        )
        for task in tasks
    ]
    return {row["id"] for row in await tx.fetch(_ADD, *(list(column) for column in zip(*rows, strict=True)))}


_ADD = f"""
insert into task ({_COLUMNS})
select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[],
                     $9::text[], $10::text[], $11::date[], $12::timestamptz[])
on conflict on constraint task_once_per_occasion do nothing
returning id
"""


async def page(
    tx: Tx, customer_id: UUID | None, kind: str | None, status: str | None, after: UUID | None, limit: int
) -> list[Task]:
    """Oldest first."""
    return _tasks(await tx.fetch(_PAGE, customer_id, kind, status, after, limit))


_PAGE = f"""
select {_COLUMNS} from task
where ($1::uuid is null or customer_id = $1) and ($2::text is null or kind = $2) and ($3::text is null or status = $3)
  and ($4::uuid is null or id > $4)
order by id limit $5
"""


def _tasks(rows: Iterable[Any]) -> list[Task]:
    return [Task(**row) for row in rows]
