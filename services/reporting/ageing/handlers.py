"""Receivables by age: kept as movements, answered for the end of any day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from services.reporting.ageing import rules, store
from services.reporting.ageing.rules import ALL_KNOWN, Buckets, GroupBy
from shared.db import Tx
from shared.delivery import Received
from shared.events.invoice import InvoiceEvent


@dataclass(frozen=True, slots=True)
class AgeReceivables:
    """`after` is the (currency, group) of the last item the caller has; it counts for grouped figures only."""

    as_of: date
    known_at: date = ALL_KNOWN
    currency: str | None = None
    group_by: GroupBy | None = None
    after: tuple[str, str] = ("", "")
    limit: int = 500


async def keep_receivables(tx: Tx, received: Sequence[Received]) -> None:
    """Movements keep every version; an invoice's state only its newest."""
    movements = [m for r in received if (m := rules.movement(r.event))]
    if movements:
        await store.keep_movements(tx, movements)
    invoices = rules.newest_invoices(r.event for r in received)
    if invoices:
        await store.keep_invoices(tx, [_row(event) for event in invoices])


async def age_receivables(tx: Tx, query: AgeReceivables) -> list[Buckets]:
    if query.group_by is None:
        rows = await store.age(tx, query.as_of, query.known_at, query.currency)
    else:
        rows = await store.age_by_group(
            tx, query.group_by, query.as_of, query.known_at, query.currency, query.after, query.limit
        )
    return [Buckets(**row) for row in rows]


async def age_customer(tx: Tx, customer_id: UUID, as_of: date) -> list[Buckets]:
    return [Buckets(**row) for row in await store.age_customer(tx, customer_id, as_of, ALL_KNOWN)]


async def first_movement_on(tx: Tx) -> date | None:
    """The first day anything was ever owed."""
    return await store.first_movement_on(tx)


async def open_invoices(tx: Tx, customer_id: UUID, as_of: date, limit: int) -> list[asyncpg.Record]:
    return await store.open_invoices(tx, customer_id, as_of, limit)


def _row(event: InvoiceEvent) -> store.InvoiceRow:
    i = event.invoice
    return (
        i.id,
        i.version,
        event.customer_id,
        i.number,
        i.status,
        i.issue_date,
        i.due_date,
        i.total.currency,
        i.total.minor,
        i.balance.minor,
        i.disputed.minor,
        i.settled_on,
    )
