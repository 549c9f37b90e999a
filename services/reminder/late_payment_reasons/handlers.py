"""Count why customers pay late."""

from __future__ import annotations

from datetime import date

from services.reminder.late_payment_reasons import rules, store
from services.reminder.late_payment_reasons.rules import Counted
from shared.db import Tx


async def count(tx: Tx, first: date, last: date, entity_id: str | None) -> list[Counted]:
    """Over the days on which people found out, both included. Raises PeriodRefused."""
    rules.check_period(first, last)
    return await store.count(tx, first, last, entity_id)
