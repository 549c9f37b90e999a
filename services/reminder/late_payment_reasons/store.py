"""Counts over replies and calls."""

from __future__ import annotations

from datetime import date

from services.reminder.late_payment_reasons.rules import Counted
from shared.db import Tx


async def count(tx: Tx, first: date, last: date, entity_id: str | None) -> list[Counted]:
    """The commonest first within a segment."""
    return [Counted(**row) for row in await tx.fetch(_COUNT, first, last, entity_id)]


_COUNT = """
with given as (
    select segment, reason, customer_id, 1 as replies, 0 as calls from reply
    where reason is not null and done_on between $1 and $2 and ($3::text is null or entity_id = $3)
    union all
    select a.segment, c.reason, c.customer_id, 0, 1 from call c join account a on a.id = c.customer_id
    where c.reason is not null and (c.called_at at time zone 'UTC')::date between $1 and $2
      and ($3::text is null or c.entity_id = $3)
)
select segment, reason, sum(replies)::int as replies, sum(calls)::int as calls,
       count(distinct customer_id) as customers
from given group by segment, reason
order by segment nulls last, sum(replies) + sum(calls) desc, reason
"""
