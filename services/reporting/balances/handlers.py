"""What is owed, kept as movements and as the sums that questions about any day are answered from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from services.reporting.balances import rules, store
from services.reporting.balances.store import Regrouped
from services.reporting.customers import handlers as customers
from shared.db import Tx
from shared.delivery import Received
from shared.events.invoice import InvoiceEvent


async def keep_balances(tx: Tx, received: Sequence[Received]) -> None:
    """Movements keep every version; an invoice's state only its newest; a customer's sums are in its groups as of now.

    Sums of groups are shared by all customers: whoever adds to the same ones waits from there to the end of the
    transaction, and while customers change groups everybody does.
    """
    movements = [m for r in received if (m := rules.movement(r.event))]
    invoices = rules.newest_invoices(r.event for r in received)
    if invoices:
        await store.keep_invoices(tx, [_row(event) for event in invoices])
    if customers.may_regroup(received):
        await store.queue(tx)
        moves: list[Regrouped] = await customers.keep_groups(tx, received)
        if moves:
            await store.regroup(tx, moves)
    elif movements:
        await store.share(tx)
    if movements:
        await store.keep_movements(tx, movements)


async def queue(tx: Tx) -> None:
    """From here to the end of the transaction nobody else writes any sum."""
    await store.queue(tx)


async def first_movement_on(tx: Tx) -> date | None:
    """The first day anything was ever owed."""
    return await store.first_movement_on(tx)


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
