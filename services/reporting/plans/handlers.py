"""Keeps what instalments were agreed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

from services.reporting.plans import rules, store
from shared.db import Tx
from shared.delivery import Received


async def keep_plans(tx: Tx, received: Sequence[Received]) -> None:
    if found := rules.plans(r.event for r in received):
        await store.keep(tx, found)


async def running(tx: Tx, as_of: date, customer_id: UUID | None = None) -> list[asyncpg.Record]:
    """Everybody's, or a customer's alone."""
    return await store.running(tx, as_of, customer_id)
