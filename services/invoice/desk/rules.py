"""What the pages for finance staff count and list."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from services.invoice.credit_notes.rules import LineAsked
from services.invoice.invoices.rules import Invoice
from services.invoice.pricing.rules import scaled
from shared.errors import Refused

INVOICE_FILTERS = (
    ("all", "All"),
    ("owing", "Not paid in full"),
    ("overdue", "Overdue"),
    ("disputed", "Disputed"),
    ("open", "Open, nothing paid"),
    ("partly_paid", "Partly paid"),
    ("settled", "Settled"),
    ("voided", "Voided"),
    ("written_off", "Written off"),
)

# --- what is counted ---


class Sum(NamedTuple):
    currency: str
    minor: int


@dataclass(frozen=True, slots=True)
class Pile:
    """So many things that wait, what they come to by currency, and how many of them are urgent."""

    count: int
    sums: tuple[Sum, ...] = ()
    urgent: int = 0


@dataclass(frozen=True, slots=True)
class ImportCount:
    """Imports at work with their rows, and recent ones with rows that were refused."""

    running: int
    rows: int
    done: int
    with_refused: int


# --- rows of lists ---


@dataclass(frozen=True, slots=True)
class Search:
    """Filters of the invoice list; `number` and `customer` find any part of it."""

    status: str = "all"
    number: str = ""
    customer: str = ""

    @classmethod
    def asked(cls, status: str, number: str, customer: str) -> Search:
        known = status if status in dict(INVOICE_FILTERS) else "all"
        return cls(known, _readable(number), _readable(customer))

    @property
    def kept(self) -> dict[str, str]:
        """What of it goes into the address."""
        named = {"status": self.status, "number": self.number, "customer": self.customer}
        return {name: value for name, value in named.items() if value and value != "all"}


def _readable(text: str) -> str:
    return text.replace("\0", "").strip()


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    id: UUID
    number: str
    status: str
    customer_name: str
    customer_external_id: str
    issue_date: date
    due_date: date
    total_minor: int
    balance_minor: int
    disputed_minor: int
    currency: str
    overdue_since: date | None
    days_late: int


@dataclass(frozen=True, slots=True)
class Stuck:
    """An open invoice of which the last delivery is not known to have arrived."""

    invoice_id: UUID
    number: str
    customer_name: str
    issue_date: date
    total_minor: int
    currency: str
    delivery_id: UUID | None
    channel: str
    status: str | None
    recipient: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class PaidPart:
    """What of a payment went to an invoice."""

    payment_id: UUID
    received_on: date
    method: str
    reference: str | None
    amount_minor: int
    effective_on: date
    reversed_on: date | None
    reversal_reason: str | None


def undelivered(stuck: Sequence[Stuck]) -> Pile:
    failed = sum(1 for each in stuck if each.status in ("failed", "bounced", "unknown"))
    sums: dict[str, int] = {}
    for each in stuck:
        sums[each.currency] = sums.get(each.currency, 0) + each.total_minor
    return Pile(len(stuck), tuple(Sum(*each) for each in sums.items()), failed)


class Component(NamedTuple):
    """A step from an invoice's total to its balance, signed."""

    label: str
    minor: int


def components(invoice: Invoice) -> list[Component]:
    """What made the balance of the total; steps of nothing are left out."""
    steps = (
        Component("Interest, fees and recovery costs", invoice.charged_minor),
        Component("Paid", -invoice.allocated_minor),
        Component("Credit notes", -invoice.credited_minor),
        Component("Discounts", -invoice.discounted_minor),
        Component("Small differences", -invoice.difference_minor),
        Component("Written off", -invoice.written_off_minor),
    )
    return [step for step in steps if step.minor]


# --- what a form says of an invoice ---


class QuantityUnreadable(Refused):
    slug = "quantity-unreadable"
    title = "The quantity cannot be read"


_QUANTITY = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?", re.ASCII)


def lines_said(form: Mapping[str, str], positions: Sequence[int]) -> tuple[LineAsked, ...]:
    """The lines ticked on a form, each with how much of it where that is said (`quantity-3` for the third).

    Raises QuantityUnreadable.
    """
    asked: list[LineAsked] = []
    for position in positions:
        text = form.get(f"quantity-{position}", "").strip()
        if text and not _QUANTITY.fullmatch(text):
            raise QuantityUnreadable(f"{text!r} of line {position} is not a number like 2.5")
        if text or f"line-{position}" in form:
            asked.append(LineAsked(position, scaled(text, 6) if text else None))
    return tuple(asked)
