"""Whom a preview may be shown with."""

from __future__ import annotations

from uuid import UUID

from shared.db import Tx


async def customer_of(tx: Tx, external_id: str) -> UUID | None:
    """The customer that other systems know by this number."""
    return await tx.fetchval("select id from account where external_id = $1 order by id limit 1", external_id)


async def entities(tx: Tx) -> list[str]:
    """The selling entities that there are cases of."""
    rows = await tx.fetch("select distinct entity_id from collection_case order by entity_id")
    return [row["entity_id"] for row in rows]
