"""While a plan runs, each instalment has a gentle reminder of its own: before its day, and again if it did not come."""

from __future__ import annotations

from services.invoice.autopay import handlers as autopay
from services.invoice.deliveries import handlers as deliveries
from services.invoice.plans import handlers as plans
from shared.db import Tx

NEXT_DUE = plans.NEXT_REMINDER


async def remind_of_instalments(tx: Tx) -> bool:
    """Tell of the instalments whose moment has come, but for those that are collected without the customer. Whether
    there was any plan to look at."""
    telling = await plans.take_reminders(tx)
    for each in telling:
        for reminder in each.reminders:
            if await autopay.collects(tx, each.plan.id, reminder.due_date):
                continue
            await deliveries.notify(
                tx,
                each.account.entity,
                each.account.customer,
                reminder.kind,
                plan_id=each.plan.id,
                instalment_on=reminder.due_date,
            )
    return bool(telling)
