"""What the invoice service listens to: who the customers are, what credit lets them owe, and what a collection case
asks to be charged."""

from __future__ import annotations

from services.invoice.credit_standings import handlers as credit_standings
from services.invoice.customers import handlers as customers
from services.invoice.interest import handlers as interest
from services.invoice.interest.handlers import ChargeForReminder
from services.invoice.interest.rules import Asked
from shared.db import Tx
from shared.delivery import Subscriptions
from shared.events.credit import (
    CreditLimitChanged,
    CustomerClosed,
    CustomerEvent,
    CustomerOnboarded,
    CustomerSegmentChanged,
    CustomerTermsChanged,
    CustomerUpdated,
    HoldEvent,
    HoldPlaced,
    HoldReleased,
)
from shared.events.reminder import CaseEscalated

subscriptions = Subscriptions(group="invoice", topics=("ar.customer", "ar.credit", "ar.reminder"))


@subscriptions.on(CustomerOnboarded, CustomerUpdated, CustomerTermsChanged, CustomerSegmentChanged, CustomerClosed)
async def keep_customer(tx: Tx, event: CustomerEvent) -> None:
    await customers.keep_customer(tx, event.customer)


@subscriptions.on(CreditLimitChanged)
async def keep_limit(tx: Tx, event: CreditLimitChanged) -> None:
    await credit_standings.keep_limit(tx, event)


@subscriptions.on(HoldPlaced, HoldReleased)
async def keep_hold(tx: Tx, event: HoldEvent) -> None:
    await credit_standings.keep_hold(tx, event)


@subscriptions.on(CaseEscalated)
async def charge_for_reminder(tx: Tx, event: CaseEscalated) -> None:
    """`actions` may ask for a `fee`, and for `interest` to date."""
    fee, bears_interest = "fee" in event.actions, "interest" in event.actions
    if event.case.step and (fee or bears_interest):
        asked = Asked(event.case.id, event.case.episode, event.case.step)
        await interest.charge_for_reminder(
            tx, ChargeForReminder(event.customer_id, event.entity_id, asked, fee=fee, interest=bears_interest)
        )
