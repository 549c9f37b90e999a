"""A customer's balance, as whoever is about to write to the customer needs it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.invoice.balances import rules
from services.invoice.balances.rules import Total
from services.invoice.customers.rules import Account
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import Invoice
from services.invoice.payments import handlers as payments
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Balance:
    account: Account
    as_of: date
    totals: list[Total]
    items: list[Invoice]


async def get_balance(tx: Tx, account: Account) -> Balance:
    """What is open now, the oldest due first."""
    customer_id, entity = account.customer.id, account.entity
    items = await invoices.open_items(tx, customer_id, entity.id)
    unapplied = await payments.unapplied(tx, customer_id, entity.id)
    today = entity.today(tx.now)
    return Balance(account, today, rules.totals(items, unapplied, today), items)
