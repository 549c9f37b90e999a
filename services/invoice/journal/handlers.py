"""The journal: written by whoever moves money, read by finance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from services.invoice.journal import store
from services.invoice.journal.rules import AccountTotal, Booked, Entry
from shared.db import Tx

FEW = 200
"""Up to here one insert is quicker than the set-up of a COPY."""


async def post(tx: Tx, entries: Sequence[Entry]) -> None:
    if len(entries) > FEW:
        await store.copy(tx, entries)
    elif entries:
        await store.post(tx, entries)


async def reverse_payment(tx: Tx, payment_id: UUID, *, effective_on: date, booked_on: date) -> None:
    """Book every entry of the payment that still stands the other way round."""
    await store.reverse_payment(tx, payment_id, effective_on, booked_on)


async def reverse_source(tx: Tx, source_ids: Sequence[UUID], *, effective_on: date, booked_on: date) -> None:
    """The same for the entries booked for adjustments or other sources."""
    await store.reverse_source(tx, source_ids, effective_on, booked_on)


async def list_entries(
    tx: Tx,
    *,
    after: tuple[date, int] | None,
    first: date | None,
    last: date | None,
    customer_id: UUID | None,
    limit: int,
) -> list[Booked]:
    return await store.page(tx, after or (date.min, 0), first or date.min, last or date.max, customer_id, limit)


async def account_totals(tx: Tx, as_of: date | None) -> list[AccountTotal]:
    return await store.account_totals(tx, as_of or date.max)
