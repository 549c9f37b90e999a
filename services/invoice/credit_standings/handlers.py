"""What credit said last of each customer, and what follows from it while credit does not answer."""

from __future__ import annotations

from services.invoice.credit_standings import rules, store
from services.invoice.credit_standings.rules import Verdict
from services.invoice.customers.rules import Account
from shared.db import Tx
from shared.events.credit import CreditLimitChanged, HoldEvent
from shared.money import Money


async def keep_limit(tx: Tx, event: CreditLimitChanged) -> None:
    """An older version than is known changes nothing."""
    await store.keep_limit(tx, event.customer_id, event.credit)


async def keep_hold(tx: Tx, event: HoldEvent) -> None:
    """The same of a hold, placed or released."""
    await store.keep_hold(tx, event.customer_id, event.hold)


async def decide(tx: Tx, account: Account, requested: Money) -> Verdict | None:
    """Whether the customer may be invoiced so much more, None where that cannot be said here. The caller holds the
    account's lock, so that two invoices do not use the same room."""
    standing = await store.standing(tx, account.customer.id)
    return rules.decide(standing, requested, account.entity.today(tx.now))
