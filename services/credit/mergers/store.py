"""Mergers as they were made. Tables: merger (written); invoice_exposure, payment_record, broken_promise (read)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.credit.mergers.rules import Merger
from shared.db import Tx

_LATECOMERS = """
select m.customer_id from merger m
where exists (select from invoice_exposure e where e.customer_id = m.customer_id and e.balance_minor > 0)
   or exists (select from payment_record p where p.customer_id = m.customer_id)
   or exists (select from broken_promise b where b.customer_id = m.customer_id)
"""

LATECOMERS_DUE = f"(select min(merged_at) from merger where customer_id in ({_LATECOMERS}))"
"""Heard of a merged customer since; nothing to look at where nobody was merged."""


async def add(tx: Tx, merger: Merger) -> None:
    await tx.execute(
        _ADD,
        merger.customer_id,
        merger.into_id,
        merger.reason,
        merger.merged_by,
        merger.merged_at,
        dict(merger.moved),
    )


_ADD = """
insert into merger (customer_id, into_id, reason, merged_by, merged_at, moved) values ($1, $2, $3, $4, $5, $6)
"""


async def latecomers(tx: Tx, count_max: int) -> list[UUID]:
    return [row["customer_id"] for row in await tx.fetch(f"{_LATECOMERS} order by 1 limit $1", count_max)]


async def of_customer(tx: Tx, customer_id: UUID) -> Sequence[Merger]:
    """Those it was merged into, or that were merged into it; the oldest first."""
    rows = await tx.fetch(
        "select * from merger where customer_id = $1 or into_id = $1 order by merged_at, customer_id", customer_id
    )
    return [_merger(row) for row in rows]


def _merger(row: Any) -> Merger:
    return Merger(
        customer_id=row["customer_id"],
        into_id=row["into_id"],
        reason=row["reason"],
        merged_by=row["merged_by"],
        merged_at=row["merged_at"],
        moved=row["moved"],
    )
