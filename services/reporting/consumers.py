"""What the reporting service listens to: every event of every topic, a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence

from services.reporting.balances import handlers as balances
from services.reporting.contacts import handlers as contacts
from services.reporting.feed import handlers as feed
from services.reporting.rates import handlers as rates
from shared.db import Tx
from shared.delivery import Received, Subscriptions

subscriptions = Subscriptions(
    group="reporting",
    topics=("ar.customer", "ar.credit", "ar.invoice", "ar.payment", "ar.overdue", "ar.reminder"),
)


@subscriptions.every_batch
async def project(tx: Tx, received: Sequence[Received]) -> None:
    """Every read model takes from the batch what it needs; balances and the feed come last, because their writers
    queue."""
    await read_models(tx, received)
    await feed.keep_events(tx, received)


async def read_models(tx: Tx, received: Sequence[Received]) -> None:
    """Everything that can be made again from the feed."""
    await contacts.keep_contacts(tx, received)
    await rates.keep_rates(tx, received)
    await balances.keep_balances(tx, received)
