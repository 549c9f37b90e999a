"""Table: contact_settlement, what a person found out about a message in doubt."""

from __future__ import annotations

from dataclasses import astuple
from uuid import UUID

from services.reminder.doubts.rules import Settlement
from shared.db import Tx


async def add(tx: Tx, settlement: Settlement) -> None:
    await tx.execute(_ADD, *astuple(settlement))


_ADD = """
insert into contact_settlement (contact_id, arrived, note, settled_by, settled_at, repeated_by, not_repeated_because)
values ($1, $2, $3, $4, $5, $6, $7)
"""


async def is_repetition(tx: Tx, contact_id: UUID) -> bool:
    return await tx.fetchval("select exists (select from contact_settlement where repeated_by = $1)", contact_id)
