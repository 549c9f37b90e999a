"""Open tasks beside the cases that they are about."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields

from services.reminder.moot_tasks.rules import KINDS, Moot
from services.reminder.receivables.rules import Key
from services.reminder.tasks.rules import Task
from shared.db import Tx

_TASK = tuple(field.name for field in fields(Task))


async def moot(tx: Tx, keys: Collection[Key]) -> list[Moot]:
    """Those of the accounts, oldest first."""
    rows = await tx.fetch(_MOOT, [key[0] for key in keys], [key[1] for key in keys], KINDS)
    return [
        Moot(Task(**{name: row[name] for name in _TASK}), row["case_status"] == "closed", row["closed_because"])
        for row in rows
    ]


_MOOT = f"""
select {", ".join(f"t.{name}" for name in _TASK)}, c.status as case_status, c.closed_because
from unnest($1::uuid[], $2::text[]) as k (customer_id, entity_id)
join task t using (customer_id, entity_id)
join collection_case c using (customer_id, entity_id)
where t.status = 'open' and t.kind = any($3::text[])
  and (c.status = 'closed'
       or (t.kind = 'approve_step' and t.occasion is distinct from c.episode || ':' || c.awaiting))
order by t.id
"""
