"""Keeps what customers said they will pay, and how that went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from services.reporting.commitments import rules, store
from shared.db import Tx
from shared.delivery import Received


@dataclass(frozen=True, slots=True)
class Record:
    """How many promises each customer kept, and how many not."""

    kept: dict[UUID, int]
    broken: dict[UUID, int]

    def kept_share(self, customer_id: UUID) -> float:
        return rules.kept_share(self.kept, self.broken, customer_id)


async def keep_commitments(tx: Tx, received: Sequence[Received]) -> None:
    if found := rules.commitments(r.event for r in received):
        await store.keep(tx, found)


async def running(tx: Tx, as_of: date) -> list[asyncpg.Record]:
    return await store.running(tx, as_of)


async def record(tx: Tx, as_of: date) -> Record:
    ended = await store.promises_ended(tx, as_of)
    return Record(
        {row["customer_id"]: row["kept"] for row in ended}, {row["customer_id"]: row["broken"] for row in ended}
    )
