"""What the reporting service listens to: every event of every topic, a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence

from services.reporting.feed import handlers as feed
from services.reporting.projection import handlers as projection
from shared.db import Tx
from shared.delivery import Received, Subscriptions

subscriptions = Subscriptions(
    group="reporting",
    topics=("ar.customer", "ar.credit", "ar.invoice", "ar.payment", "ar.overdue", "ar.reminder"),
)


@subscriptions.every_batch
async def project(tx: Tx, received: Sequence[Received]) -> None:
    """Every read model takes from the batch what it needs; the feed comes last, because its writers queue."""
    await projection.begin(tx)
    await projection.keep_read_models(tx, received)
    await feed.keep_events(tx, received)
