"""What a customer owes on a day: item by item, and added up by currency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.invoice.invoices.rules import Invoice
from shared.money import Money


@dataclass(frozen=True, slots=True)
class Total:
    """One currency's sums in minor units. `collectable` is what is open and not disputed, due or not."""

    currency: str
    open_minor: int
    overdue_minor: int
    disputed_minor: int
    collectable_minor: int
    unapplied_minor: int


def totals(items: Sequence[Invoice], unapplied: Sequence[Money], today: date) -> list[Total]:
    """Sums for each currency that something is owed or unapplied in."""
    cash = {money.currency: money.minor for money in unapplied}
    currencies = sorted({item.currency for item in items} | cash.keys())
    sums = []
    for currency in currencies:
        own = [item for item in items if item.currency == currency]
        sums.append(
            Total(
                currency,
                open_minor=sum(item.balance_minor for item in own),
                overdue_minor=sum(item.overdue_minor(today) for item in own),
                disputed_minor=sum(item.disputed_minor for item in own),
                collectable_minor=sum(item.collectable_minor for item in own),
                unapplied_minor=cash.get(currency, 0),
            )
        )
    return sums
