"""What the invoice service listens to: who the customers are."""

from __future__ import annotations

from services.invoice.customers import handlers as customers
from shared.consumer import Subscriptions
from shared.db import Tx
from shared.events.credit import (
    CustomerEvent,
    CustomerOnboarded,
    CustomerSegmentChanged,
    CustomerTermsChanged,
    CustomerUpdated,
)

subscriptions = Subscriptions(group="invoice", topics=("ar.customer",))


@subscriptions.on(CustomerOnboarded, CustomerUpdated, CustomerTermsChanged, CustomerSegmentChanged)
async def keep_customer(tx: Tx, event: CustomerEvent) -> None:
    await customers.keep_customer(tx, event.customer)
