"""What a customer owes, by currency and component, folded from the open balances of the invoices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from services.credit.rates.rules import Rates, convert
from shared.events.invoice import InvoiceState
from shared.money import Money


@dataclass(frozen=True, slots=True)
class Owed:
    """All that is open in one currency, and what is reserved besides for orders that are not yet invoiced. `overdue`,
    `disputed` and `on_plan` are parts of `open`, and may overlap."""

    open: Money
    overdue: Money
    disputed: Money
    open_invoices: int
    on_plan: Money
    reserved: Money


@dataclass(frozen=True, slots=True)
class Breakdown:
    """`total` is what counts against a limit, in the limit's currency: open and reserved, other currencies by the rates
    of the day; `items` is the open amount of each currency owed, `components` the same in parts; `not_counted` is what
    no rate was known for."""

    total: Money
    items: tuple[Money, ...]
    components: tuple[Owed, ...]
    not_counted: tuple[Money, ...] = ()


@dataclass(frozen=True, slots=True)
class Exposure:
    """One `Owed` for each currency with something open or reserved, by currency code (invariant 6)."""

    by_currency: tuple[Owed, ...] = ()

    @property
    def amounts(self) -> tuple[Money, ...]:
        return tuple(owed.open for owed in self.by_currency if owed.open.minor)

    @property
    def currencies(self) -> frozenset[str]:
        return frozenset(owed.open.currency for owed in self.by_currency)

    def open_in(self, currency: str) -> Money:
        return next((owed.open for owed in self.by_currency if owed.open.currency == currency), Money.zero(currency))

    def against(self, currency: str, rates: Rates | None = None) -> Breakdown:
        """Each currency is converted once, as a whole; one without a rate is named and not counted."""
        total, not_counted = Money.zero(currency), []
        for owed in self.by_currency:
            amount = owed.open + owed.reserved
            converted = convert(amount, currency, rates)
            if converted is None:
                not_counted.append(amount)
            else:
                total += converted
        return Breakdown(total, self.amounts, self.by_currency, tuple(not_counted))


NOTHING_OWED = Exposure()


@dataclass(frozen=True, slots=True)
class Group:
    """A company with all that belong to it: what they may owe together, and what they owe."""

    top_id: UUID
    version: int
    limit: Money
    exposure: Exposure


@dataclass(frozen=True, slots=True)
class Pass:
    """What a person let pass: an order up to an amount, until a moment."""

    decision_id: UUID
    reference: str
    amount: Money
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of what a customer owes, read in one look. `rates` are those of the last day that has some;
    `own` is what is reserved already for the orders asked about, by their reference, and `passes` what a person let
    pass for them; `policy_rules` is the policy's document as it is kept."""

    exposure: Exposure = NOTHING_OWED
    rates: Rates | None = None
    group: Group | None = None
    own: Mapping[str, Money] = field(default_factory=dict)
    passes: tuple[Pass, ...] = ()
    policy_version: int = 0
    policy_rules: Mapping[str, Any] = field(default_factory=dict)


NOTHING_KNOWN = Facts()


@dataclass(frozen=True, slots=True)
class InvoiceOutcome:
    """What became of an invoice; `names` are its number and its order's reference, by which a decision may know it."""

    invoice_id: UUID
    customer_id: UUID
    names: tuple[str, ...]
    status: str
    total: Money
    written_off: Money

    @property
    def is_loss(self) -> bool:
        return self.written_off.minor > 0

    @property
    def is_paid(self) -> bool:
        return self.status == "settled" and not self.is_loss


def newest_of_each(invoices: Iterable[InvoiceState]) -> list[InvoiceState]:
    """The highest version of each invoice: a batch may speak of one invoice several times, and in any order."""
    newest: dict[UUID, InvoiceState] = {}
    for invoice in invoices:
        known = newest.get(invoice.id)
        if known is None or invoice.version > known.version:
            newest[invoice.id] = invoice
    return list(newest.values())
