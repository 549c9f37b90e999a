"""Keep how customers behave from what invoice and reminder services say, and sum it up when asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from services.credit.behaviour import rules, store
from services.credit.behaviour.rules import Cause, History
from shared.db import Tx
from shared.events.event import Event
from shared.events.invoice import InvoiceEvent
from shared.events.reminder import PromiseBroken


async def hear(tx: Tx, events: Sequence[Event]) -> dict[UUID, set[Cause]]:
    """Keep what a batch tells; answers with the customers who are worth another look, and why. A batch that tells
    nothing costs no statement."""
    records = rules.records(event for event in events if isinstance(event, InvoiceEvent))
    if records:
        await store.keep(tx, records)
    broken = [
        (event.promise.id, event.customer_id, event.effective_on)
        for event in events
        if isinstance(event, PromiseBroken)
    ]
    if broken:
        await store.keep_broken_promises(tx, broken)
    causes: dict[UUID, set[Cause]] = {}
    for event in events:
        if (why := rules.cause(event)) is not None:
            causes.setdefault(event.customer_id, set()).add(why)
    return causes


async def move(tx: Tx, from_id: UUID, to_id: UUID) -> int:
    """How a merged customer paid is how the surviving one did. Returns how many records were moved."""
    return await store.move(tx, from_id, to_id)


async def history(tx: Tx, customer_id: UUID, today: date) -> History:
    return await store.history(tx, customer_id, today, *rules.windows(today))
