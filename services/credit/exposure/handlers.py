"""Keep what each customer owes from what the invoice service says, and tell it to limits and decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from services.credit.exposure import rules, store
from services.credit.exposure.rules import Exposure
from shared.db import Tx
from shared.events.invoice import InvoiceEvent


async def keep_exposure(tx: Tx, events: Sequence[InvoiceEvent]) -> None:
    """Take the balances of a whole batch in one statement; a version that is not newer than the kept one is dropped."""
    if not events:
        return
    customers = {event.invoice.id: event.customer_id for event in events}
    await store.keep(
        tx,
        [
            (
                invoice.id,
                customers[invoice.id],
                invoice.version,
                invoice.balance.currency,
                invoice.balance.minor,
                invoice.disputed.minor,
                invoice.due_date,
            )
            for invoice in rules.newest_of_each(event.invoice for event in events)
        ],
    )


async def exposure_of(tx: Tx, customer_id: UUID, today: date) -> Exposure:
    return await store.exposure_of(tx, customer_id, today)


async def exposures_of(tx: Tx, customer_ids: Sequence[UUID], today: date) -> Mapping[UUID, Exposure]:
    """Of many at once; a customer who owes nothing is not in the answer."""
    return await store.exposures_of(tx, customer_ids, today)
