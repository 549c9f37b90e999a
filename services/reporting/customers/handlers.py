"""Who the customers are, and which groups of figures each belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from services.reporting.customers import rules, store
from shared.db import Tx
from shared.delivery import Received
from shared.events.credit import CustomerEvent
from shared.events.reminder import TaskEvent


def may_regroup(received: Sequence[Received]) -> bool:
    return any(isinstance(r.event, CustomerEvent | TaskEvent) for r in received)


async def keep_groups(tx: Tx, received: Sequence[Received]) -> list[tuple[UUID, str, str, str]]:
    """Keep what the events say of customers and of who looks after them; returns who changes groups: customer id, kind,
    the group left and the group joined. The caller moves their figures, in this transaction."""
    moves: list[tuple[UUID, str, str, str]] = []
    customers = rules.newest(r.event.customer for r in received if isinstance(r.event, CustomerEvent))
    if customers:
        rows = [
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
        ]
        moves += [tuple(row) for row in await store.keep(tx, rows)]
    tasks = rules.newest_tasks(r.event for r in received if isinstance(r.event, TaskEvent))
    if tasks:
        rows = [(t.customer_id, t.task.assignee or "nobody", t.booked_on, t.task.id, t.task.version) for t in tasks]
        moves += [tuple(row) for row in await store.keep_collectors(tx, rows)]
    return moves


async def find_customer(tx: Tx, customer_id: UUID) -> asyncpg.Record | None:
    return await store.find(tx, customer_id)


async def count_customers(tx: Tx) -> int:
    return await store.count(tx)
