"""Whom to follow up, when and why. Table: follow_up."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from shared.db import Tx

FOLLOW_DUE = "(select min(due_at) from follow_up)"


async def note(tx: Tx, causes: Mapping[UUID, Collection[str]]) -> None:
    rows = [(customer_id, cause) for customer_id, found in sorted(causes.items()) for cause in sorted(found)]
    await tx.execute(_NOTE, [row[0] for row in rows], [row[1] for row in rows], tx.now)


_NOTE = """
insert into follow_up (customer_id, due_at, because)
select customer_id, $3::timestamptz, array_agg(distinct cause order by cause)
from unnest($1::uuid[], $2::text[]) as t (customer_id, cause)
where (select coalesce((rules ->> 'follow')::boolean, false) from credit_policy order by version desc limit 1)
   or (select active from segmentation order by version desc limit 1)
group by customer_id
on conflict (customer_id) do update set
    due_at = least(follow_up.due_at, excluded.due_at),
    because = array(select distinct unnest(follow_up.because || excluded.because) order by 1)
"""


async def note_day(tx: Tx, customer_id: UUID, due_at: datetime) -> None:
    await tx.execute(_NOTE_DAY, customer_id, due_at)


_NOTE_DAY = """
insert into follow_up (customer_id, due_at) values ($1, $2)
on conflict (customer_id) do update set due_at = least(follow_up.due_at, excluded.due_at)
"""


async def note_everybody(tx: Tx, cause: str) -> None:
    await tx.execute(_NOTE_EVERYBODY, tx.now, cause)


_NOTE_EVERYBODY = """
insert into follow_up (customer_id, due_at, because) select customer_id, $1::timestamptz, array[$2] from credit_account
on conflict (customer_id) do update set
    due_at = least(follow_up.due_at, excluded.due_at),
    because = array(select distinct unnest(follow_up.because || excluded.because) order by 1)
"""


async def due(tx: Tx, count_max: int) -> list[UUID]:
    """In the order in which customers are locked."""
    return sorted(row["customer_id"] for row in await tx.fetch(_DUE, tx.now, count_max))


_DUE = "select customer_id from follow_up where due_at <= $1 order by due_at, customer_id limit $2"


async def take(tx: Tx, customer_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Those that a change of the policy is just noting are left for the next time."""
    rows = await tx.fetch(_TAKE, customer_ids, tx.now)
    return {row["customer_id"]: row["because"] for row in rows}


_TAKE = """
delete from follow_up where customer_id in (
    select customer_id from follow_up where customer_id = any($1) and due_at <= $2 for update skip locked
)
returning customer_id, because
"""
