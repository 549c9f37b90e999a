"""Who owes most at the end of a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.reporting.debtors import queries, rules
from services.reporting.debtors.rules import Debtor, SortBy
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class RankDebtors:
    as_of: date
    known_at: date
    currency: str | None
    sort_by: SortBy
    limit: int


async def rank_debtors(tx: Tx, query: RankDebtors) -> list[Debtor]:
    """The first `limit` of each currency, since amounts of two currencies do not compare."""
    return [
        Debtor(
            customer_id=row["customer_id"],
            name=row["name"] or "Unknown customer",
            external_id=row["external_id"],
            segment=row["segment"],
            currency=row["currency"],
            split=(row["current"], row["d1_30"], row["d31_60"], row["d61_90"], row["d91_plus"]),
            oldest_due_on=row["oldest_due_on"],
            days_overdue=max((query.as_of - row["oldest_due_on"]).days, 0),
            open_invoices=row["open_invoices"],
            share_percent=rules.share_percent(row["total_minor"], row["whole_minor"]),
        )
        for row in await queries.top(tx, query.as_of, query.known_at, query.currency, query.sort_by, query.limit)
    ]
