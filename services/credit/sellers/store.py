"""Who looks after whom, one row for each company that the default entity does not. Table: assigned_seller."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from services.credit.sellers.rules import Assigned
from shared.db import Tx


async def read(tx: Tx, company_ids: Collection[UUID]) -> dict[UUID, Assigned]:
    """Without those of whom nothing is said."""
    rows = await tx.fetch(_READ, list(company_ids))
    return {
        row["company_id"]: Assigned(row["entity_id"], row["version"], row["changed_by"], row["changed_at"])
        for row in rows
    }


_READ = "select * from assigned_seller where company_id = any($1)"


async def save(tx: Tx, company_id: UUID, before: Assigned, entity_id: str, by: str) -> bool:
    """False when somebody else changed it in the meantime."""
    return bool(await tx.fetchval(_SAVE, company_id, before.version, entity_id, by, tx.now))


_SAVE = """
insert into assigned_seller (company_id, version, entity_id, changed_by, changed_at)
values ($1, $2::bigint + 1, $3, $4, $5)
on conflict (company_id) do update set
    version = excluded.version, entity_id = excluded.entity_id, changed_by = excluded.changed_by,
    changed_at = excluded.changed_at
where assigned_seller.version = $2
returning true
"""
