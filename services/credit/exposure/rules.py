"""What a customer owes, by currency and component, folded from the open balances of the invoices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from shared.events.invoice import InvoiceState
from shared.money import Money


@dataclass(frozen=True, slots=True)
class Owed:
    """All that is open in one currency. `overdue` and `disputed` are parts of `open`, and may overlap."""

    open: Money
    overdue: Money
    disputed: Money
    open_invoices: int


@dataclass(frozen=True, slots=True)
class Breakdown:
    """`total` is what counts against a limit, in the limit's currency; `items` is the open amount of each currency
    owed, `components` the same in parts."""

    total: Money
    items: tuple[Money, ...]
    components: tuple[Owed, ...]


@dataclass(frozen=True, slots=True)
class Exposure:
    """One `Owed` for each currency with an open balance, in the order of the currency codes (invariant 6)."""

    by_currency: tuple[Owed, ...] = ()

    @property
    def amounts(self) -> tuple[Money, ...]:
        return tuple(owed.open for owed in self.by_currency)

    def open_in(self, currency: str) -> Money:
        return next((owed.open for owed in self.by_currency if owed.open.currency == currency), Money.zero(currency))

    def beside(self, currency: str) -> tuple[Money, ...]:
        """What is owed in other currencies, which without rates nothing can be compared with."""
        return tuple(amount for amount in self.amounts if amount.currency != currency)

    def against(self, currency: str) -> Breakdown:
        return Breakdown(self.open_in(currency), self.amounts, self.by_currency)


NOTHING_OWED = Exposure()


def newest_of_each(invoices: Iterable[InvoiceState]) -> list[InvoiceState]:
    """The highest version of each invoice: a batch may speak of one invoice several times, and in any order."""
    newest: dict[UUID, InvoiceState] = {}
    for invoice in invoices:
        known = newest.get(invoice.id)
        if known is None or invoice.version > known.version:
            newest[invoice.id] = invoice
    return list(newest.values())
