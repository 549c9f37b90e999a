"""Write-offs: claims given up in part or whole, by two people where much is at stake; they come back when paid for.

A write-off lowers the balance; the debt itself is not forgiven. A payment that names the invoice brings back as much of
it as the payment pays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from services.invoice.entities.rules import WriteOffs
from services.invoice.invoices.rules import Adjustment, Invoice
from services.invoice.journal.rules import Entry, Ledger
from services.invoice.pricing.rules import divide_half_even
from shared.errors import NotFound, Refused
from shared.money import Money

Status = Literal["awaiting_approval", "written_off", "rejected"]
ReasonCode = Literal["insolvency", "uncollectable", "statute_barred", "settlement", "small_balance", "other"]


class WriteOffNotFound(NotFound):
    slug = "write-off-not-found"
    title = "There is no such write-off"


class WriteOffRefused(Refused):
    slug = "write-off-amount"
    title = "So much cannot be written off"


@dataclass(frozen=True, slots=True)
class WriteOff:
    id: UUID
    entity_id: str
    customer_id: UUID
    invoice_id: UUID
    currency: str
    amount_minor: int
    reason_code: ReasonCode
    note: str | None
    status: Status
    requested_by: str
    requested_at: datetime
    approval_id: UUID | None = None
    written_off_on: date | None = None

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


def written_off_amount(invoice: Invoice, asked: Money | None) -> int:
    """What is given up, in minor units: the amount asked, or all that is owed. Raises WriteOffRefused."""
    if invoice.balance_minor == 0:
        raise WriteOffRefused(f"nothing is owed on invoice {invoice.number}")
    if asked is None:
        return invoice.balance_minor
    if asked.currency != invoice.currency:
        raise WriteOffRefused(
            f"invoice {invoice.number} is in {invoice.currency}, not {asked.currency}", field="/amount/currency"
        )
    if not 0 < asked.minor <= invoice.balance_minor:
        raise WriteOffRefused(
            f"{asked} cannot be written off; between nothing and {invoice.money(invoice.balance_minor)} can",
            field="/amount",
        )
    return asked.minor


def needs_approval(policy: WriteOffs, amount: Money) -> bool:
    """Whether a second person has to agree: from the policy's amount in the currency on, the amount included. Once the
    policy names any amount, every write-off in a currency that it does not name needs approval."""
    if not policy.approval_from:
        return False
    limits = {limit.currency: limit.minor for limit in policy.approval_from}
    return amount.minor >= limits.get(amount.currency, 0)


def entries(invoice: Invoice, adjustment: Adjustment, *, tax_relief: bool) -> list[Entry]:
    """What a write-off books, for the invoice as it was before: bad debt, and with relief the output tax in it.

    Whether tax already paid over comes back with the debt is the law of the country (Directive 2006/112/EC, article 90,
    leaves it to the member states), so it is a policy of the entity. The tax is the invoice's own share, tax / total,
    of what is written off to date, rounded half-even, less what was relieved before.
    """
    before, after = invoice.written_off_minor, invoice.written_off_minor + adjustment.amount_minor
    tax_minor = _tax_within(invoice, after) - _tax_within(invoice, before) if tax_relief else 0
    parts: tuple[tuple[Ledger, int], ...] = (
        ("bad_debt", adjustment.amount_minor - tax_minor),
        ("output_tax", tax_minor),
    )
    return [
        Entry(
            invoice.entity_id,
            invoice.customer_id,
            adjustment.effective_on,
            adjustment.booked_on,
            "write_off",
            debit=account,
            credit="trade_receivables",
            amount_minor=minor,
            currency=invoice.currency,
            invoice_id=invoice.id,
            source_id=adjustment.id,
        )
        for account, minor in parts
        if minor
    ]


def _tax_within(invoice: Invoice, gross_minor: int) -> int:
    """Charges bear no tax, so no more than the invoice's own total counts."""
    return divide_half_even(min(gross_minor, invoice.total_minor) * invoice.tax_minor, invoice.total_minor)


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A write-off that comes back whole, of which `again_minor` is written off anew."""

    adjustment: Adjustment
    again_minor: int


def take_back(standing: Sequence[Adjustment], amount_minor: int) -> list[TakenBack]:
    """Which write-offs come back so that `amount_minor` is owed again, the newest first."""
    taken: list[TakenBack] = []
    for adjustment in sorted(standing, key=lambda each: (each.effective_on, each.id), reverse=True):
        if amount_minor <= 0:
            break
        taken.append(TakenBack(adjustment, max(0, adjustment.amount_minor - amount_minor)))
        amount_minor -= adjustment.amount_minor
    assert amount_minor <= 0, "more is to come back than was written off"
    return taken
