"""What the pages for finance staff show, and the words they show it with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

from babel.numbers import format_currency, format_decimal, get_currency_symbol

from services.invoice.invoices.rules import Invoice
from services.invoice.matching.rules import Status as CashStatus
from shared.errors import Refused
from shared.money import Money

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
CASH_FILTERS: tuple[tuple[CashStatus, str], ...] = (
    ("open", "To decide"),
    ("automatic", "Applied by itself"),
    ("confirmed", "Confirmed"),
    ("not_ours", "Not ours"),
)

SAID = {
    "issued": "The invoice is issued.",
    "dropped": "The draft is gone. It had no number, so none is missing.",
    "resolved": "The dispute is resolved.",
    "written": "Your message is in the dispute's thread.",
    "confirmed": "The payment is booked where you said.",
    "rejected": "The entry is marked as not ours; nothing was booked.",
    "reopened": "The entry waits for a decision again.",
    "looked": "The entry was looked at anew.",
    "approved": "Approved: what was asked for has happened.",
    "declined": "Rejected: nothing was changed.",
    "sent": "The invoice is on its way again.",
    "credited": "The credit note is issued.",
    "voided": "The invoice is void; its number stays used.",
    "written_off": "The amount is written off.",
    "asked": "A second person has to approve the write-off; it waits under Approvals.",
    "compared": "The books were compared just now.",
}
"""What a page says after something was done, by the word in its address: nothing else in an address is repeated."""


class WordMissing(Refused):
    slug = "word-missing"
    title = "Something was left empty"


def said(text: str, field: str) -> str:
    """What was written into a field. Raises WordMissing when that is nothing."""
    if not text.strip():
        raise WordMissing(f"write something under “{field}” first")
    return text.strip()


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
class DisputeRow:
    id: UUID
    status: str
    reason: str
    code: str
    amount_minor: int
    held_minor: int
    currency: str
    opened_on: date
    answer_by: date | None
    escalated_on: date | None
    owner: str | None
    opened_by: str
    resolved_on: date | None
    invoice_id: UUID
    invoice_number: str
    customer_name: str
    today: date

    @property
    def is_late(self) -> bool:
        return self.status == "open" and self.answer_by is not None and self.answer_by < self.today


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


# --- words ---


def day_words(day: date | datetime | None) -> str:
    """30 Jun 2013; a dash for none."""
    return f"{day.day} {day:%b %Y}" if day else "–"


def moment_words(moment: datetime | None) -> str:
    """30 Jun 2013, 08:15 UTC."""
    return f"{day_words(moment)}, {moment:%H:%M} UTC" if moment else "–"


def amount(minor: int, currency: str) -> str:
    """€1,234.50; the code in place of a symbol that is not widely read."""
    symbol = "¤\xa0" if get_currency_symbol(currency, locale="en")[-1:].isalpha() else "¤"
    shown = format_currency(Money(minor, currency).decimal, currency, f"{symbol}#,##0.00", locale="en")
    return shown.replace("-", "−")


def price(value: Any) -> str:
    """A price of a line, which may be finer than its currency."""
    return amount(value.minor, value.currency) if isinstance(value, Money) else str(value)


def number(value: float) -> str:
    return format_decimal(value, format="#,##0.##", locale="en")


def words(name: str | None) -> str:
    """An identifier for people: `partly_paid` reads "Partly paid"."""
    text = (name or "–").replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def days_late(days: int) -> str:
    if days <= 0:
        return "due today" if days == 0 else f"due in {-days} day{'s' if days < -1 else ''}"
    return f"{days} day{'s' if days > 1 else ''} late"


def share(part: int, whole: int) -> float:
    """In percent, for widths and progress."""
    return round(part * 100 / whole, 1) if whole else 0.0


def cash_status(text: str) -> CashStatus:
    """Which entries an address asks for; those to decide where it does not say."""
    return cast("CashStatus", text) if text in dict(CASH_FILTERS) else "open"


def read_cursor(text: str) -> UUID | None:
    """Where a list goes on; what cannot be read counts as left out."""
    try:
        return UUID(text)
    except ValueError:
        return None
