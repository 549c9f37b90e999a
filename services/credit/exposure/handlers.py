"""Keep what each customer owes from what the invoice service says, and tell it to limits and decisions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from services.credit.exposure import rules, store
from services.credit.exposure.rules import NOTHING_KNOWN, Exposure, Facts, InvoiceOutcome
from shared.db import Tx
from shared.events.invoice import InvoiceEvent, InvoiceIssued

WATCH_DUE = store.WATCH_DUE


async def keep_exposure(tx: Tx, events: Sequence[InvoiceEvent]) -> None:
    """Take the balances of a whole batch in one statement; a version that is not newer than the kept one is dropped.
    An invoice for an order uses up what was reserved for the order, whichever of its events comes first."""
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
                invoice.on_plan.minor if invoice.on_plan else 0,
                invoice.due_date,
                invoice.number,
                invoice.total.minor,
                invoice.written_off.minor if invoice.written_off else 0,
                invoice.status,
            )
            for invoice in rules.newest_of_each(event.invoice for event in events)
        ],
        [
            (event.invoice.id, event.customer_id, event.customer_reference)
            for event in events
            if isinstance(event, InvoiceIssued) and event.customer_reference
        ],
    )


async def exposure_of(tx: Tx, customer_id: UUID, today: date) -> Exposure:
    return (await facts_of(tx, [customer_id], today))[customer_id].exposure


async def facts_of(
    tx: Tx, customer_ids: Sequence[UUID], today: date, references: Sequence[str] = ()
) -> Mapping[UUID, Facts]:
    """Of many at once, in one look: what is owed and reserved, the group, the rates, and for the orders named by
    `references` what is reserved or let pass already."""
    if not customer_ids:
        return {}
    found = await store.facts_of(tx, customer_ids, today, references)
    return {customer_id: found.get(customer_id, NOTHING_KNOWN) for customer_id in customer_ids}


async def outcomes_of(tx: Tx, customer_ids: Sequence[UUID]) -> list[InvoiceOutcome]:
    """What became of every invoice of these customers that was heard of since outcomes are kept."""
    return await store.outcomes_of(tx, customer_ids)


async def move(tx: Tx, from_id: UUID, to_id: UUID) -> int:
    """What a merged customer owes counts as the surviving one's from now on, whatever its invoices say. Returns how
    many invoices that were."""
    return await store.move(tx, from_id, to_id)


async def watch(tx: Tx, customer_ids: Sequence[UUID], due_at: datetime) -> None:
    """Have these accounts looked at by the hold rules, at this moment or sooner."""
    await store.watch(tx, customer_ids, due_at)


async def watch_everybody(tx: Tx) -> None:
    await store.watch_everybody(tx)


async def watched(tx: Tx, count_max: int) -> Sequence[UUID]:
    """Who is due to be looked at: first lock them, as those do who have them watched, then take them off the list."""
    return await store.watched(tx, count_max)


async def unwatch(tx: Tx, customer_ids: Sequence[UUID]) -> Collection[UUID]:
    """Those that are still due; they are off the list with this, and whoever needs another look is put back."""
    return await store.unwatch(tx, customer_ids)


async def due_dates(tx: Tx, customer_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[date]]:
    """When what is open falls or fell due, oldest first; customers who owe nothing are not in the answer."""
    return await store.oldest_due(tx, customer_ids)
