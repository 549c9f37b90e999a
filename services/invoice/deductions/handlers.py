"""What a payment takes off its invoices besides itself: small differences, and discounts for paying early."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.invoice.cash_application.rules import Part, Plan
from services.invoice.customers.rules import Account
from services.invoice.discounts.rules import tax_of
from services.invoice.disputes import handlers as disputes
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import Adjustment, Component, Invoice, Outcome
from services.invoice.journal.rules import Entry, Ledger
from services.invoice.movements.rules import effective_date, restore, take_off
from shared.db import Tx
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class Paying:
    """The payment that takes off: when it came in, the day it counts from, and today."""

    payment_id: UUID
    received_on: date
    counts_on: date
    today: date


async def take_off_besides(tx: Tx, account: Account, paying: Paying, plan: Plan, paid: Sequence[Outcome]) -> None:
    """Take small differences and discounts off the invoices that a plan has paid; a reversal brings them back."""
    by_id = {outcome.invoice.id: outcome.invoice for outcome in paid}
    adjustments = [each for part in plan.parts for each in _adjustments(paying, part, by_id)]
    corrects_tax = account.entity.policies.discount_corrects_tax
    # One after the other, since both may be taken off the same invoice.
    for component in ("small_difference", "discount"):
        chosen = [each for each in adjustments if each.component == component]
        if not chosen:
            continue
        moved = [(by_id[each.invoice_id], take_off(by_id[each.invoice_id], each)) for each in chosen]
        outcomes = await disputes.shrink_disputes(tx, moved, paying.today)
        entries = [
            entry
            for each in chosen
            for entry in _taken_off(account, by_id[each.invoice_id], each, corrects_tax=corrects_tax)
        ]
        await invoices.adjust(tx, account, list(zip(chosen, outcomes, strict=True)), entries)
        by_id.update((outcome.invoice.id, outcome.invoice) for outcome in outcomes)


def _adjustments(paying: Paying, part: Part, by_id: Mapping[UUID, Invoice]) -> Iterator[Adjustment]:
    def adjustment(component: Component, minor: int, effective_on: date, reason: str) -> Adjustment:
        return Adjustment(
            id=new_id(),
            invoice_id=part.invoice.id,
            component=component,
            amount_minor=minor,
            effective_on=effective_on,
            booked_on=paying.today,
            reason=reason,
            source_id=paying.payment_id,
        )

    if part.difference_minor:
        moved_on = by_id[part.invoice.id].moved_on
        yield adjustment("small_difference", part.difference_minor, moved_on, "a payment within the tolerance")
    if part.discount_minor:
        earned_on = effective_date(part.invoice, paying.counts_on)
        yield adjustment("discount", part.discount_minor, earned_on, f"paid early, on {paying.received_on}")


def _taken_off(account: Account, invoice: Invoice, adjustment: Adjustment, *, corrects_tax: bool) -> list[Entry]:
    """A discount lowers the tax with the price, where the entity's law says so."""
    amount = adjustment.amount_minor
    if adjustment.component == "small_difference":
        sides: tuple[tuple[Ledger, int], ...] = (("small_differences", amount),)
    else:
        tax = tax_of(amount, net_minor=invoice.net_minor, tax_minor=invoice.tax_minor) if corrects_tax else 0
        sides = (("discounts_allowed", amount - tax), ("output_tax", tax))
    return [
        Entry(
            entity_id=account.entity.id,
            customer_id=account.customer.id,
            effective_on=adjustment.effective_on,
            booked_on=adjustment.booked_on,
            kind="small_difference" if adjustment.component == "small_difference" else "discount",
            debit=debit,
            credit="trade_receivables",
            amount_minor=minor,
            currency=invoice.currency,
            invoice_id=adjustment.invoice_id,
            source_id=adjustment.id,
        )
        for debit, minor in sides
        if minor
    ]


async def restore_besides(
    tx: Tx, account: Account, adjustments: Sequence[Adjustment], reopened: Sequence[Invoice], today: date
) -> None:
    """Bring back what a payment had taken off its invoices besides itself."""
    by_id = {invoice.id: invoice for invoice in reopened}
    for adjustment in adjustments:
        if adjustment.invoice_id not in by_id:  # A credit note has taken the money off the invoice before.
            by_id[adjustment.invoice_id] = await invoices.get_invoice(tx, adjustment.invoice_id)
        outcome = restore(by_id[adjustment.invoice_id], adjustment, on=today)
        by_id[adjustment.invoice_id] = outcome.invoice
        await invoices.restore(tx, account, [(adjustment, outcome)], on=today, booked_on=today)
