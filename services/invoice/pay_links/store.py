"""Table: customer (its pay_link_generation)."""

from __future__ import annotations

from uuid import UUID

from shared.db import Tx


async def generation(tx: Tx, customer_id: UUID) -> int | None:
    return await tx.fetchval("select pay_link_generation from customer where id = $1", customer_id)


async def next_generation(tx: Tx, customer_id: UUID) -> None:
    await tx.execute("update customer set pay_link_generation = pay_link_generation + 1 where id = $1", customer_id)
