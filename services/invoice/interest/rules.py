"""Charges on late invoices: what of the interest is charged and taken back, the cost of recovery, and fees.

What was charged counts towards what is owed up to a day, so no day is ever charged twice, and interest goes on being
owed when the principal is paid. How much that is, `accruals` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal
from uuid import UUID

from services.invoice.accruals.rules import Interest, NoInterest
from services.invoice.entities.rules import InterestTerms
from services.invoice.invoices.rules import ChargeKind, Invoice
from shared.errors import Conflict, NotFound, Refused
from shared.money import Money

EU_RECOVERY_COST = Money(40_00, "EUR")
"""Directive 2011/7/EU, art. 6(1)."""
UK_RECOVERY_COSTS = ((10_000_00, 100_00), (1_000_00, 70_00), (0, 40_00))
"""From a debt of so many pence on, so many pence: Late Payment of Commercial Debts (Interest) Act 1998, s. 5A(2)."""

ChargeStatus = Literal["standing", "waived", "corrected"]
AS_OF_DAYS_MAX = 366
"""How far ahead interest can be looked at."""


class ChargedAlready(Conflict):
    slug = "charged-already"
    title = "This was charged already"


class ChargeRefused(Refused):
    slug = "charge-refused"
    title = "This cannot be charged"


class SeriesNotFound(NotFound):
    slug = "interest-rate-not-found"
    title = "There is no such reference rate"


class ChargeNotFound(NotFound):
    slug = "charge-not-found"
    title = "There is no such charge"


class ChargeClosed(Conflict):
    slug = "charge-closed"
    title = "The charge does not stand any more"


class WaiverRefused(Refused):
    slug = "waiver-refused"
    title = "The charge cannot be waived"


@dataclass(frozen=True, slots=True)
class Asked:
    """The rung of a case that asked for a charge; it is charged once for it."""

    case_id: UUID
    episode: int
    step: str


@dataclass(frozen=True, slots=True)
class Charge:
    """Interest, a fee or a recovery cost on an invoice. Interest names its days. `waived` was forgiven by somebody and
    counts as charged; `corrected` was taken back because the facts were others."""

    id: UUID
    invoice_id: UUID
    customer_id: UUID
    kind: ChargeKind
    status: ChargeStatus
    amount_minor: int
    currency: str
    first_day: date | None
    last_day: date | None
    effective_on: date
    reason: str
    automatic: bool = False
    case_id: UUID | None = None
    case_episode: int | None = None
    case_step: str | None = None
    ended_on: date | None = None
    ended_why: str | None = None

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)


def uncharged(interest: Interest, charges: Iterable[Charge]) -> int:
    """What of the interest up to a day is not charged yet; what was waived counts as charged. Below zero where more
    was charged than turned out to be owed."""
    return interest.minor - charged(charges)


def charged(charges: Iterable[Charge]) -> int:
    return sum(each.amount_minor for each in charges if each.kind == "interest" and each.status != "corrected")


def charged_until(charges: Iterable[Charge]) -> date | None:
    """The last day that interest was charged for."""
    return max((each.last_day for each in charges if each.last_day and each.status != "corrected"), default=None)


@dataclass(frozen=True, slots=True)
class Correction:
    """Charges to take back, and what of the last of them stays charged for the same days (0: nothing)."""

    taken_back: tuple[Charge, ...]
    remaining_minor: int = 0


def correct(interest: Interest, charges: Sequence[Charge], balance_minor: int) -> Correction | None:
    """Lower what was charged to what is owed by the facts as they are known now, the newest charges first; None when
    it is right. No more is taken back than is owed on the invoice: the rest counts towards the interest charged
    next."""
    excess = min(overcharged(interest, charges), balance_minor)
    taken: list[Charge] = []
    for charge in sorted(charges, key=lambda each: (each.effective_on, each.id), reverse=True):
        if excess <= 0:
            break
        if charge.kind == "interest" and charge.status == "standing":
            taken.append(charge)
            if charge.amount_minor > excess:
                return Correction(tuple(taken), charge.amount_minor - excess)
            excess -= charge.amount_minor
    return Correction(tuple(taken)) if taken else None


def overcharged(interest: Interest, charges: Iterable[Charge]) -> int:
    """What of the charges that stand is more than is owed by the facts as they are known now."""
    charges = list(charges)
    standing = sum(each.amount_minor for each in charges if each.kind == "interest" and each.status == "standing")
    return max(min(-uncharged(interest, charges), standing), 0)


def recovery_cost(terms: InterestTerms, debt: Money) -> Money:
    """The lump sum for recovering a debt of this size. Raises ChargeRefused, NoInterest.

    EUR 40: Directive 2011/7/EU, art. 6(1). GBP 40 below 1,000 pounds, 70 below 10,000, else 100: Late Payment of
    Commercial Debts (Interest) Act 1998, s. 5A(2). What the entity's policy names for the currency goes first.
    """
    agreed = next((cost for cost in terms.recovery_cost if cost.currency == debt.currency), None)
    if agreed:
        return agreed
    if terms.law == "eu" and debt.currency == "EUR":
        return EU_RECOVERY_COST
    if terms.law == "uk" and debt.currency == "GBP":
        return Money(next(cost for size, cost in UK_RECOVERY_COSTS if debt.minor >= size), "GBP")
    if terms.law in ("none", "contract"):
        raise NoInterest("the entity's policy has no recovery cost for this customer's country")
    raise ChargeRefused(f"the entity's policy has no recovery cost in {debt.currency}")


def fee_in(fees: Sequence[Money], currency: str) -> Money | None:
    return next((fee for fee in fees if fee.currency == currency and fee.minor > 0), None)


def chargeable(invoice: Invoice) -> Invoice:
    """The invoice itself when something can be charged on it. Raises ChargeRefused."""
    if invoice.voided_on:
        raise ChargeRefused(f"invoice {invoice.number} is voided")
    if invoice.written_off_minor and invoice.balance_minor == 0:
        raise ChargeRefused(f"invoice {invoice.number} is written off")
    return invoice


def asked_amount(asked: Money | None, invoice: Invoice) -> Money:
    """The amount of a fee as asked for. Raises ChargeRefused."""
    if asked is None:
        raise ChargeRefused("say how much the fee is", field="/amount")
    if asked.currency != invoice.currency:
        raise ChargeRefused(
            f"invoice {invoice.number} is in {invoice.currency}, not {asked.currency}", field="/amount/currency"
        )
    if asked.minor <= 0:
        raise ChargeRefused("a fee of more than zero is wanted", field="/amount")
    return asked


def interest_until(asked: date | None, today: date) -> date:
    """The last day to be charged: today unless stated, never later. Raises ChargeRefused."""
    day = asked or today
    if day > today:
        raise ChargeRefused(f"interest up to {day} is not owed before that day; today is {today}", field="/to")
    return day


def waive(charge: Charge, movable_minor: int, on: date, reason: str) -> Charge:
    """Forgive a charge. `movable_minor` is what is owed on the invoice and what money has paid of it, which is free
    again then. Raises ChargeClosed, and WaiverRefused when a credit has settled the charge already."""
    if charge.status != "standing":
        raise ChargeClosed(f"the charge was {charge.status} on {charge.ended_on}")
    if charge.amount_minor > movable_minor:
        raise WaiverRefused(
            f"{charge.money} was charged, and {Money(movable_minor, charge.currency)} of what the invoice came to is "
            "neither credited nor written off"
        )
    return replace(charge, status="waived", ended_on=on, ended_why=reason)
