"""What a customer owes on a day: item by item, and added up by currency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from uuid import UUID

from services.invoice.invoices.rules import Invoice
from shared.money import Money

NOTHING: Mapping[UUID, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Total:
    """One currency's sums in minor units. `collectable` is what may be chased, due or not: what is open, not disputed,
    on no plan and not being debited. What is on a running plan is overdue only by the instalments that are."""

    currency: str
    open_minor: int
    overdue_minor: int
    disputed_minor: int
    collectable_minor: int
    unapplied_minor: int
    on_plan_minor: int = 0
    being_collected_minor: int = 0


def collectable(item: Invoice, collecting: Mapping[UUID, int]) -> int:
    """What of an invoice may be chased: not what the customer was told is debited, nor what its bank is to confirm."""
    return max(0, item.collectable_minor - collecting.get(item.id, 0))


def overdue(item: Invoice, today: date) -> int:
    """What of an invoice is past due, less what waits for the dates of a plan."""
    return max(0, item.overdue_minor(today) - item.planned_minor)


def totals(
    items: Sequence[Invoice],
    unapplied: Sequence[Money],
    today: date,
    collecting: Mapping[UUID, int] = NOTHING,
    late: Sequence[Money] = (),
) -> list[Total]:
    """Sums for each currency that something is owed or unapplied in; `late` are instalments past their dates."""
    cash = {money.currency: money.minor for money in unapplied}
    currencies = sorted({item.currency for item in items} | cash.keys())
    sums = []
    for currency in currencies:
        own = [item for item in items if item.currency == currency]
        sums.append(
            Total(
                currency,
                open_minor=sum(item.balance_minor for item in own),
                overdue_minor=sum(overdue(item, today) for item in own)
                + sum(money.minor for money in late if money.currency == currency),
                disputed_minor=sum(item.disputed_minor for item in own),
                collectable_minor=sum(collectable(item, collecting) for item in own),
                unapplied_minor=cash.get(currency, 0),
                on_plan_minor=sum(item.planned_minor for item in own),
                being_collected_minor=sum(min(item.balance_minor, collecting.get(item.id, 0)) for item in own),
            )
        )
    return sums
