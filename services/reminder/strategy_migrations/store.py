"""Which cases run on a version."""

from __future__ import annotations

from services.reminder.receivables.rules import Key
from shared.db import Tx


async def running_on(tx: Tx, strategy: str, version: int, after: Key | None, limit: int) -> list[Key]:
    """Open cases, by customer and entity, those after a given one."""
    rows = await tx.fetch(_RUNNING_ON, strategy, version, *(after or (None, None)), limit)
    return [(row["customer_id"], row["entity_id"]) for row in rows]


_RUNNING_ON = """
select customer_id, entity_id from collection_case
where status = 'open' and strategy = $1 and strategy_version = $2
  and ($3::uuid is null or (customer_id, entity_id) > ($3::uuid, $4::text))
order by customer_id, entity_id limit $5
"""


async def count_running_on(tx: Tx, strategy: str, version: int) -> int:
    return await tx.fetchval(_COUNT, strategy, version)


_COUNT = "select count(*) from collection_case where status = 'open' and strategy = $1 and strategy_version = $2"
