"""What became of promises, disputes and payments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from services.reporting.outcomes import rules, store
from shared.db import Tx
from shared.delivery import Received


@dataclass(frozen=True, slots=True)
class PromiseRecord:
    """How many promises each customer kept, and how many not."""

    kept: dict[UUID, int]
    broken: dict[UUID, int]

    def kept_share(self, customer_id: UUID) -> float:
        return rules.kept_share(self.kept, self.broken, customer_id)


async def keep_outcomes(tx: Tx, received: Sequence[Received]) -> None:
    events = [r.event for r in received]
    if promises := rules.promises(events):
        await store.keep_promises(tx, promises)
    if disputes := rules.disputes(events):
        await store.keep_disputes(tx, disputes)
    if receipts := rules.receipts(events):
        await store.keep_receipts(tx, receipts)


async def promises_running(tx: Tx, as_of: date, customer_id: UUID | None = None) -> list[asyncpg.Record]:
    """Everybody's, or a customer's alone."""
    return await store.promises_running(tx, as_of, customer_id)


async def promise_record(tx: Tx, as_of: date) -> PromiseRecord:
    decided = await store.promises_decided(tx, as_of)
    return PromiseRecord(
        {row["customer_id"]: row["kept"] for row in decided}, {row["customer_id"]: row["broken"] for row in decided}
    )
