"""Table: authority."""

from __future__ import annotations

from services.reminder.authority.rules import Authority, Given
from shared.db import Tx


async def find(tx: Tx, entity_id: str) -> Given | None:
    row = await tx.fetchrow("select version, document from authority where entity_id = $1", entity_id)
    return Given(entity_id, row["version"], Authority.model_validate(row["document"])) if row else None


async def save(tx: Tx, given: Given) -> bool:
    """Whether the version before it was still the one that stood."""
    written = await tx.fetchval(_SAVE, given.entity_id, given.version, given.authority.model_dump(mode="json"))
    return written is not None


_SAVE = """
insert into authority (entity_id, version, document) values ($1, $2, $3)
on conflict (entity_id) do update set version = excluded.version, document = excluded.document
where authority.version = excluded.version - 1
returning 1
"""
