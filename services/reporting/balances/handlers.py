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

STANDING_DUE = """
select case when extract(day from last_on) < 22 then month_on + 7 * ceil(extract(day from last_on) / 7)::integer
            else month_on + interval '1 month' end at time zone 'UTC'
from (
    select last_on, date_trunc('month', last_on)::date as month_on
    from (select coalesce((select max(before_on) from standing_day),
                          (select min(effective_on) from flow where kind = 'all' and key = '')) as last_on) as last
) as month
"""
"""When the next standing day begins, as `rules.next_standing_day` has it."""


async def keep_balances(tx: Tx, received: Sequence[Received]) -> None:
    """Movements keep every version; an invoice's state only its newest; a customer's sums are in its groups as of now.

    Sums are shared by all customers, so other writers queue from here to the end of the transaction.
    """
    movements = [m for r in received if (m := rules.movement(r.event))]
    invoices = rules.newest_invoices(r.event for r in received)
    if invoices:
        await store.keep_invoices(tx, [_row(event) for event in invoices])
    if not movements and not customers.may_regroup(received):
        return
    await store.queue(tx)
    moves: list[Regrouped] = await customers.keep_groups(tx, received)
    if moves:
        await store.regroup(tx, moves)
    if movements:
        await store.keep_movements(tx, movements)


async def keep_standings(tx: Tx, today: date) -> bool:
    """Add up everything before the next standing day that has begun by today; False when there is none."""
    await store.queue(tx)
    last = await store.last_standing_day(tx) or await store.first_movement_on(tx)
    if last is None or (begins := rules.next_standing_day(last)) > today:
        return False
    await keep_standings_before(tx, begins)
    return True


async def keep_standings_before(tx: Tx, day: date) -> None:
    """The standings of a day that is later than every one kept so far."""
    await store.queue(tx)
    await store.keep_standings(tx, day, of_accounts=day.day == 1)


async def queue(tx: Tx) -> None:
    """From here to the end of the transaction nobody else adds to any sum."""
    await store.queue(tx)


async def add_up_all(tx: Tx) -> None:
    """Make every sum but the standings from the movements at once."""
    await store.add_up_all(tx)


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
