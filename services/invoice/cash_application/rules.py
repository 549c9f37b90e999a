"""Cash application: which invoices a payment goes to, as told, by its reference, or by age, and how much to each."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal
from uuid import UUID

from services.invoice.discounts.rules import Claim, discount, earned, share
from services.invoice.invoices.rules import Invoice
from shared.errors import Refused
from shared.money import Money

AllocationOrder = Literal["charges_first", "principal_first"]
Basis = Literal["explicit", "reference", "oldest_due", "none"]
"""How it was decided where a payment goes: told, by the invoice numbers in its reference, by age, or not at all."""

TOKENS_MAX = 100


class PayerUnknown(Refused):
    slug = "payer-unknown"
    title = "The request does not say whose payment this is"


class CurrencyMismatch(Refused):
    slug = "currency-mismatch"
    title = "A payment settles invoices of its own currency only"


class OverAllocated(Refused):
    slug = "over-allocation"
    title = "More would be allocated than there is"


class AllocationRefused(Refused):
    slug = "allocation-refused"
    title = "The payment cannot be allocated like this"


@dataclass(frozen=True, slots=True)
class Wanted:
    """An allocation asked for: an invoice by id or number, and how much (None: as much as goes). `difference` is what
    is taken off the invoice besides, as a small difference."""

    invoice_id: UUID | None
    number: str | None
    amount: Money | None = None
    difference: Money | None = None

    def names(self, invoice: Invoice) -> bool:
        return invoice.id == self.invoice_id or (self.invoice_id is None and invoice.number == self.number)

    def __str__(self) -> str:
        return str(self.number or self.invoice_id)


@dataclass(frozen=True, slots=True)
class Part:
    """What of a payment goes to an invoice, and what is taken off it besides: as a small difference, or as the discount
    that paying early earns."""

    invoice: Invoice
    amount_minor: int
    difference_minor: int = 0
    discount_minor: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a payment goes and why; what the parts leave of it stays unapplied."""

    parts: tuple[Part, ...]
    basis: Basis

    @property
    def total_minor(self) -> int:
        return sum(part.amount_minor for part in self.parts)


NOTHING = Plan((), "none")


def tokens(reference: str | None) -> list[str]:
    """What in a remittance text may be an invoice number: its words, also with slashes and plus signs as spaces."""
    words = re.split(r"[\s,;]+", reference or "")
    pieces = [piece for word in words for piece in (word, *re.split(r"[/+&|]", word))]
    stripped = (piece.strip(".:#()[]{}'\"!?") for piece in pieces)
    found = dict.fromkeys(form for piece in stripped if piece for form in (piece, piece.upper()))
    return list(found)[:TOKENS_MAX]


def by_request(wanted: Sequence[Wanted], invoices: Sequence[Invoice], available: Money) -> Plan:
    """Allocate what was asked for, exactly.

    Raises AllocationRefused (an invoice not the payer's, or named twice), CurrencyMismatch, OverAllocated.
    """
    parts: list[Part] = []
    left = available.minor
    for position, each in enumerate(wanted):
        field = f"/allocations/{position}"
        invoice = next((invoice for invoice in invoices if each.names(invoice)), None)
        if invoice is None:
            raise AllocationRefused(f"the payer has no invoice {each}", field=field)
        if any(part.invoice.id == invoice.id for part in parts):
            raise AllocationRefused(f"invoice {invoice.number} is named twice", field=field)
        _same_currency(available, invoice, field)
        amount = _wanted_amount(each, invoice, left, field)
        parts.append(Part(invoice, amount, _difference(each, invoice, amount, field)))
        left -= amount
    return Plan(tuple(parts), "explicit")


def payable_minor(invoice: Invoice) -> int:
    """What a payment that names the invoice can pay of it: the balance, and what was written off, which then comes
    back."""
    return invoice.balance_minor + invoice.written_off_minor


def _wanted_amount(wanted: Wanted, invoice: Invoice, left_minor: int, field: str) -> int:
    money = invoice.money
    owed = payable_minor(invoice)
    if wanted.amount is None:
        amount = min(owed, left_minor)
        if amount == 0:
            why = "nothing is owed on it" if owed == 0 else "nothing of the payment is left for it"
            raise OverAllocated(f"invoice {invoice.number}: {why}", field=field)
        return amount
    if wanted.amount.currency != invoice.currency:
        raise CurrencyMismatch(
            f"{wanted.amount} is asked of a payment in {invoice.currency}", field=f"{field}/amount/currency"
        )
    amount = wanted.amount.minor
    if amount <= 0:
        raise AllocationRefused(f"{wanted.amount} is not an amount to allocate", field=f"{field}/amount")
    if amount > owed:
        raise OverAllocated(
            f"invoice {invoice.number} owes {money(owed)}, not {wanted.amount}",
            field=f"{field}/amount",
        )
    if amount > left_minor:
        raise OverAllocated(f"{money(left_minor)} of the payment is left, not {wanted.amount}", field=f"{field}/amount")
    return amount


def _difference(wanted: Wanted, invoice: Invoice, amount_minor: int, field: str) -> int:
    if wanted.difference is None:
        return 0
    if wanted.difference.currency != invoice.currency:
        raise CurrencyMismatch(
            f"a difference of {wanted.difference} on an invoice in {invoice.currency}", field=f"{field}/difference"
        )
    minor = wanted.difference.minor
    owed = payable_minor(invoice)
    if minor < 0 or amount_minor + minor > owed:
        raise OverAllocated(
            f"invoice {invoice.number} owes {invoice.money(owed)}: with {invoice.money(amount_minor)} "
            f"paid, a difference of {wanted.difference} is not left",
            field=f"{field}/difference",
        )
    return minor


def charges_part(invoice: Invoice, amount_minor: int, *, charges_paid_minor: int, order: AllocationOrder) -> int:
    """What of a payment on an invoice goes to its charges (costs and interest); the rest goes to the principal.

    `charges_first` is s. 367(1) BGB: costs, then interest, then the principal. `principal_first` is what a debtor may
    ask for and a seller may grant (s. 367(2)).
    """
    charges_open = min(invoice.balance_minor, max(0, invoice.charged_minor - charges_paid_minor))
    if order == "charges_first":
        return min(amount_minor, charges_open)
    return max(0, amount_minor - (invoice.balance_minor - charges_open))


def automatic(invoices: Sequence[Invoice], numbers: Sequence[str], available: Money, customer_currency: str) -> Plan:
    """Allocate by the invoice numbers in the payment's reference, else to what is due longest.

    A reference that names invoices binds the payment to them: what they do not take stays unapplied, since a second
    payment of a settled invoice is rather a mistake than money for another one. Without one, undisputed amounts come
    first, the oldest due first, then disputed ones. Raises CurrencyMismatch when nothing open has the payment's
    currency though something is open, or nothing is and it is not the customer's own.
    """
    named = set(numbers)
    referenced = [invoice for invoice in invoices if invoice.number in named]
    if referenced:
        for invoice in referenced:
            _same_currency(available, invoice, "/amount/currency")
        return Plan(_in_turn(referenced, available.minor, payable_minor), "reference")

    owed = [invoice for invoice in invoices if invoice.balance_minor]
    payable = [invoice for invoice in owed if invoice.currency == available.currency]
    if not payable:
        expected = sorted({invoice.currency for invoice in owed}) or [customer_currency]
        if available.currency not in expected:
            raise CurrencyMismatch(
                f"the payment is in {available.currency}, what the customer owes in {' and '.join(expected)}; "
                "to keep it unapplied all the same, say apply none",
                field="/amount/currency",
            )
        return NOTHING
    undisputed = _in_turn(payable, available.minor, lambda invoice: invoice.undisputed_minor)
    left = available.minor - sum(part.amount_minor for part in undisputed)
    disputed = _in_turn(payable, left, lambda invoice: invoice.disputed_minor)
    return Plan(_merged((*undisputed, *disputed)), "oldest_due")


def with_discounts(plan: Plan, available_minor: int, received_on: date, *, fixed: bool = False) -> Plan:
    """The plan with what money received on a day earns of the discounts that its invoices offer.

    Unless the amounts are `fixed`, the payment is shared anew between the same invoices, each with its discount; what
    is disputed, bears charges or was written off keeps its part, and the latter two earn nothing. The formulas are in
    discounts/rules.py.
    """
    if not any(part.invoice.discount_until for part in plan.parts):
        return plan
    claims = [Claim(part.invoice.balance_minor, _rate(part, received_on)) for part in plan.parts]
    if not any(claim.rate_bp for claim in claims):
        return plan
    amounts = [part.amount_minor for part in plan.parts]
    fixed = fixed or any(part.difference_minor for part in plan.parts)
    if not fixed and not any(part.invoice.disputed_minor or part.invoice.written_off_minor for part in plan.parts):
        amounts = share(min(available_minor, sum(claim.open_minor for claim in claims)), claims)
    parts = (
        replace(
            part,
            amount_minor=amount,
            # A small difference counts as paid: who is a cent short of the discounted amount loses no discount.
            discount_minor=discount(amount + part.difference_minor, open_minor=claim.open_minor, rate_bp=claim.rate_bp)
            if claim.rate_bp
            else 0,
        )
        for part, claim, amount in zip(plan.parts, claims, amounts, strict=True)
    )
    return replace(plan, parts=tuple(part for part in parts if part.amount_minor))


def _rate(part: Part, received_on: date) -> int:
    invoice = part.invoice
    if invoice.charged_minor or invoice.written_off_minor:
        return 0
    return earned(invoice.offers, received_on)


def _same_currency(available: Money, invoice: Invoice, field: str) -> None:
    if invoice.currency != available.currency:
        raise CurrencyMismatch(
            f"the payment is in {available.currency}, invoice {invoice.number} in {invoice.currency}", field=field
        )


def _in_turn(invoices: Sequence[Invoice], available_minor: int, takes: Callable[[Invoice], int]) -> tuple[Part, ...]:
    """The oldest due first, each as much as it takes, until nothing is left."""
    parts = []
    for invoice in sorted(invoices, key=lambda each: (each.due_date, each.id)):
        amount = min(takes(invoice), available_minor)
        if amount > 0:
            parts.append(Part(invoice, amount))
            available_minor -= amount
    return tuple(parts)


def _merged(parts: Sequence[Part]) -> tuple[Part, ...]:
    merged: dict[UUID, Part] = {}
    for part in parts:
        before = merged.get(part.invoice.id)
        merged[part.invoice.id] = Part(part.invoice, part.amount_minor + (before.amount_minor if before else 0))
    return tuple(merged.values())
