"""What credit listens to. Exposure needs nothing but the newest balance of each invoice."""

from __future__ import annotations

from collections.abc import Sequence

from services.credit.exposure import handlers as exposure
from shared.db import Tx
from shared.delivery import Received, Subscriptions
from shared.events.invoice import InvoiceEvent

subscriptions = Subscriptions(group="credit", topics=("ar.invoice",))


@subscriptions.every_batch
async def keep_exposure(tx: Tx, received: Sequence[Received]) -> None:
    await exposure.keep_exposure(tx, [one.event for one in received if isinstance(one.event, InvoiceEvent)])
