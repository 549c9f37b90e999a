"""A customer's balance, as whoever is about to write to the customer needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.invoice.balances import rules, store
from services.invoice.balances.rules import Total
from services.invoice.customers.rules import Account
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import Invoice
from services.invoice.plans import handlers as plans
from services.invoice.plans.rules import due_by
from shared.calendar import ONE_DAY
from shared.db import Tx
from shared.money import Money


@dataclass(frozen=True, slots=True)
class Balance:
    account: Account
    as_of: date
    totals: list[Total]
    items: list[Invoice]
    collecting: Mapping[UUID, int]
    """What of the items was announced as a debit or is under way."""
    under_way: Mapping[UUID, int]
    """What of it the bank has yet to confirm."""


async def get_balance(tx: Tx, account: Account) -> Balance:
    """What is open now, the oldest due first."""
    customer_id, entity = account.customer.id, account.entity
    items = await invoices.open_items(tx, customer_id, entity.id)
    unapplied, collecting, under_way = await store.beside(tx, customer_id, entity.id)
    today = entity.today(tx.now)
    late = await _late(tx, account, today) if any(item.planned_minor for item in items) else ()
    return Balance(
        account, today, rules.totals(items, unapplied, today, collecting, late), items, collecting, under_way
    )


async def under_way(tx: Tx, account: Account) -> Mapping[UUID, int]:
    """What of the customer's invoices is being debited: nobody pays it twice."""
    return (await store.beside(tx, account.customer.id, account.entity.id))[2]


async def _late(tx: Tx, account: Account, today: date) -> list[Money]:
    """Instalments of running plans that are past their dates."""
    running = await plans.running_plans(tx, account.customer.id, account.entity.id)
    return [each.plan.money(due_by(each.filled, today - ONE_DAY)) for each in running]
