"""Overdue, found by the clock: each tick announces what became true since the last one, however long ago that was."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from services.invoice.customers import handlers as customers
from services.invoice.entities import handlers as entities
from services.invoice.entities.rules import Entity
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import Invoice
from services.invoice.overdue import rules
from shared import outbox
from shared.db import Tx

NEXT_DUE = invoices.NEXT_LOOK
CHUNK = 500


async def announce_overdue(tx: Tx) -> int:
    """Announce for at most CHUNK invoices what is true by now; returns how many were looked at.

    Their customers are locked before the invoices are read, so that a payment under way is seen or waits.
    """
    customer_ids = await invoices.customers_to_look_at(tx, tx.now, CHUNK)
    if not customer_ids:
        return 0
    await customers.lock_customers(tx, customer_ids)
    due: dict[str, list[Invoice]] = defaultdict(list)
    for invoice in await invoices.to_look_at(tx, customer_ids, tx.now, CHUNK):
        due[invoice.entity_id].append(invoice)
    for entity_id in sorted(due):
        await _announce(tx, await entities.get_entity(tx, entity_id), due[entity_id])
    return sum(map(len, due.values()))


async def _announce(tx: Tx, entity: Entity, due: Sequence[Invoice]) -> None:
    """By the business date of the entity whose invoices they are."""
    today = entity.today(tx.now)
    outcomes = [rules.announce(invoice, today) for invoice in due]

    told = [outcome for outcome in outcomes if outcome.events]
    started: list[date | None] = [
        today if after.invoice.overdue_episode > before.overdue_episode else None
        for before, after in zip(due, outcomes, strict=True)
        if after.events
    ]
    await invoices.save(tx, entity, [outcome.invoice for outcome in told], episodes_announced_on=started)
    await invoices.look_later(tx, entity, [outcome.invoice for outcome in outcomes if not outcome.events])
    await outbox.append(tx, *(event for outcome in told for event in outcome.events))
