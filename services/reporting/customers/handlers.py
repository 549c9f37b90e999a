"""Who the customers are."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from services.reporting.customers import rules, store
from shared.db import Tx
from shared.delivery import Received
from shared.events.credit import CustomerEvent


async def keep_customers(tx: Tx, received: Sequence[Received]) -> None:
    customers = rules.newest(r.event.customer for r in received if isinstance(r.event, CustomerEvent))
    if customers:
        await store.keep(
            tx,
            [
                (
                    c.id,
                    c.version,
                    c.external_id,
                    c.name,
                    c.status,
                    c.country,
                    c.currency,
                    c.segment,
                    c.payment_terms.net_days,
                )
                for c in customers
            ],
        )


async def find_customer(tx: Tx, customer_id: UUID) -> asyncpg.Record | None:
    return await store.find(tx, customer_id)


async def count_customers(tx: Tx) -> int:
    return await store.count(tx)
