"""An invoice: what it is, when it is due and overdue, and how it comes into being. What moves its balance afterwards
stands in `movements/rules.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from services.invoice.discounts.rules import Offer
from services.invoice.drafting.rules import DeliveryChannel, InvoiceParticulars
from services.invoice.pricing.rules import Priced, PricedLine, TaxGroup, scaled
from services.invoice.terms.rules import NET_DAYS_MAX, PERCENT_PLACES, AgreedTerms, PaymentTerms, agree
from shared.calendar import ONE_DAY
from shared.errors import Conflict, NotFound, Refused, Unavailable
from shared.events.invoice import (
    InvoiceEvent,
    InvoiceIssued,
    InvoiceState,
    ProductLineShare,
)
from shared.money import Money

DUE_SOON_DAYS = 7
Age = Literal[31, 61, 91]
AGED_DAYS: tuple[Age, ...] = (31, 61, 91)
"""The first days of the ageing buckets after 1-30."""

Status = Literal["open", "partly_paid", "settled", "voided", "written_off"]
Component = Literal["charge", "credit_note", "discount", "small_difference", "write_off"]
"""What moves a balance besides payments; each has its field on the invoice, and a row in `adjustment`."""
ChargeKind = Literal["interest", "fee", "recovery_cost"]
CreditOutcome = Literal["approved", "declined", "unavailable", "not_asked"]
DisputeOutcome = Literal["rejected", "withdrawn", "paid", "accepted"]


class InvoiceNotFound(NotFound):
    slug = "invoice-not-found"
    title = "There is no such invoice"


class NumberTaken(Conflict):
    slug = "invoice-number-taken"
    title = "An invoice with this number exists already"


class NumberReserved(Refused):
    slug = "invoice-number-reserved"
    title = "The number belongs to the entity's own series"


class DatesRefused(Refused):
    slug = "invoice-dates"
    title = "The invoice's dates do not fit each other"


class CreditDeclined(Refused):
    slug = "credit-declined"
    title = "Credit does not allow this invoice"


class CreditUnavailable(Unavailable):
    slug = "credit-unavailable"
    title = "Credit has to be asked first and is not answering"


@dataclass(frozen=True, slots=True)
class CreditAnswer:
    """What credit said when the invoice was issued, under the policy of that day."""

    policy: str
    outcome: CreditOutcome
    reasons: tuple[str, ...] = ()
    decision_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Invoice:
    """A claim. `overdue_since` is the first day of the running overdue episode, `aged_days` the highest threshold it
    has reached; `raised_on`, `moved_on` and `reopened_on` are the last dates the balance rose, moved at all, and rose
    from zero."""

    id: UUID
    version: int
    entity_id: str
    customer_id: UUID
    number: str
    currency: str
    issue_date: date
    due_date: date
    net_minor: int
    tax_minor: int
    raised_on: date
    moved_on: date
    delivery_channel: DeliveryChannel
    reference: str | None = None
    allocated_minor: int = 0
    disputed_minor: int = 0
    overdue_episode: int = 0
    overdue_since: date | None = None
    aged_days: int = 0
    due_soon_on: date | None = None
    reopened_on: date | None = None
    settled_on: date | None = None
    charged_minor: int = 0
    credited_minor: int = 0
    discounted_minor: int = 0
    difference_minor: int = 0
    written_off_minor: int = 0
    planned_minor: int = 0
    voided_on: date | None = None
    instalment_due: Sequence[date] | None = None
    instalment_minor: Sequence[int] | None = None
    discount_until: Sequence[date] | None = None
    discount_bp: Sequence[int] | None = None

    @property
    def total_minor(self) -> int:
        return self.net_minor + self.tax_minor

    @property
    def balance_minor(self) -> int:
        """What is owed: total + charges - allocations - credit notes - discounts - small differences - write-offs."""
        return self.net_minor + self.tax_minor + self.charged_minor - self.reduced_minor

    @property
    def reduced_minor(self) -> int:
        """All that was paid of it or taken off it."""
        return (
            self.allocated_minor
            + self.credited_minor
            + self.discounted_minor
            + self.difference_minor
            + self.written_off_minor
        )

    @property
    def collectable_minor(self) -> int:
        """What may be chased now: the balance less what is disputed, and less what waits for the dates of a plan."""
        return self.balance_minor - self.disputed_minor - self.planned_minor

    @property
    def undisputed_minor(self) -> int:
        return self.balance_minor - self.disputed_minor

    @property
    def status(self) -> Status:
        if self.voided_on:
            return "voided"
        if self.balance_minor == 0:
            return "written_off" if self.written_off_minor else "settled"
        return "partly_paid" if self.reduced_minor else "open"

    @property
    def instalments(self) -> tuple[tuple[date, int], ...]:
        """Due dates and amounts, the earliest first; empty where the whole is due on one day."""
        return tuple(zip(self.instalment_due or (), self.instalment_minor or (), strict=True))

    def instalments_open(self) -> list[int]:
        """What of each instalment is not paid: money fills them in the order of their dates."""
        left, later = [], self.balance_minor
        for _, minor in reversed(self.instalments):
            left.append(min(minor, max(later, 0)))
            later -= minor
        return left[::-1]

    @property
    def offers(self) -> tuple[Offer, ...]:
        """What paying early earns; empty where nothing does."""
        if self.discount_until is None:
            return ()
        return tuple(map(Offer, self.discount_until, self.discount_bp or ()))

    def overdue_minor(self, today: date) -> int:
        """What is owed past its due date: of instalments, those that are due and not paid yet."""
        if today <= self.due_date:
            return 0
        if self.instalment_due is None:
            return self.balance_minor
        later = sum(minor for due_on, minor in self.instalments if due_on >= today)
        return max(0, self.balance_minor - later)

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)

    def state(self) -> InvoiceState:
        balance, currency = self.balance_minor, self.currency

        def unless_nothing(minor: int) -> Money | None:
            return Money(minor, currency) if minor else None

        return InvoiceState(
            id=self.id,
            version=self.version,
            entity_id=self.entity_id,
            number=self.number,
            status=self.status,
            issue_date=self.issue_date,
            due_date=self.due_date,
            total=Money(self.total_minor, currency),
            balance=Money(balance, currency),
            disputed=Money(self.disputed_minor, currency),
            collectable=Money(self.collectable_minor, currency),
            overdue_episode=self.overdue_episode,
            overdue_since=self.overdue_since,
            settled_on=self.settled_on,
            charged=unless_nothing(self.charged_minor),
            credited=unless_nothing(self.credited_minor),
            discounted=unless_nothing(self.discounted_minor),
            differences=unless_nothing(self.difference_minor),
            written_off=unless_nothing(self.written_off_minor),
            on_plan=unless_nothing(self.planned_minor),
        )


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A move of the balance that is no payment. `source_id` is what it comes from (a credit note, a charge, a
    write-off, the payment that earned a discount); the row stays when it is taken back, with `reversed_on`."""

    id: UUID
    invoice_id: UUID
    component: Component
    amount_minor: int
    effective_on: date
    booked_on: date
    reason: str
    source_id: UUID
    source_number: str | None = None
    reversed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The invoice afterwards, and what to tell of it in this order."""

    invoice: Invoice
    events: tuple[InvoiceEvent, ...] = ()


def due_date(issue_date: date, *, stated: date | None, net_days: int) -> date:
    """The date stated on the invoice, else so many days after its issue. Raises DatesRefused."""
    due = stated or issue_date + timedelta(days=net_days)
    if due < issue_date:
        raise DatesRefused(f"due on {due}, before its issue on {issue_date}", field="/due_date")
    if due > issue_date + timedelta(days=NET_DAYS_MAX):
        raise DatesRefused(f"due on {due}, more than {NET_DAYS_MAX} days after its issue", field="/due_date")
    return due


def agreed_terms(
    terms: PaymentTerms | None,
    *,
    issued_on: date,
    stated: date | None,
    net_days: int,
    total: Money,
    country: str,
) -> tuple[date, AgreedTerms | None]:
    """The due date, and the terms to keep where they say more than that. Raises DatesRefused, TermsRefused."""
    if terms is None or terms.only_days:
        days = net_days if terms is None or terms.net_days is None else terms.net_days
        return due_date(issued_on, stated=stated, net_days=days), None
    due_on = due_date(issued_on, stated=stated, net_days=0) if stated else None
    agreed = agree(terms, issued_on=issued_on, total=total, net_days=net_days, country=country, due_on=due_on)
    return agreed.due_date, agreed


def issue_date(stated: date | None, today: date) -> date:
    """Today unless stated; a date in the past is a late booking, one in the future a mistake. Raises DatesRefused."""
    day = stated or today
    if day > today:
        raise DatesRefused(f"issued on {day}, which is after today, {today}", field="/issue_date")
    return day


def allowed_by_credit(answer: CreditAnswer) -> CreditAnswer:
    """The answer itself where the policy lets the invoice go out. Raises CreditDeclined, CreditUnavailable.

    `advise` only records; `enforce` refuses what was declined, and waits for an answer when there is none, neither of
    credit nor (credit_standings) without it.
    """
    if answer.policy == "enforce":
        if answer.outcome == "declined":
            raise CreditDeclined(
                "credit declined it: " + ("; ".join(answer.reasons) or "no reason given"),
                reasons=list(answer.reasons),
                decision_id=str(answer.decision_id) if answer.decision_id else None,
            )
        if answer.outcome == "unavailable":
            raise CreditUnavailable("the policy is to ask credit before issuing, and credit does not answer")
    return answer


def draft(
    priced: Priced,
    *,
    invoice_id: UUID,
    entity_id: str,
    customer_id: UUID,
    number: str,
    issued_on: date,
    due_on: date,
    delivery_channel: DeliveryChannel,
    reference: str | None,
    booked_from: date | None = None,
    terms: AgreedTerms | None = None,
) -> Invoice:
    """A new invoice of which nothing is paid; an empty `number` is still to come from the entity's series. It counts
    from its issue, or from `booked_from` where the books of that day are closed."""
    agreed: dict[str, Any] = {}
    if terms and terms.instalments:
        due_on = terms.instalments[0].due_date
        agreed["instalment_due"] = [each.due_date for each in terms.instalments]
        agreed["instalment_minor"] = [each.amount.minor for each in terms.instalments]
    if terms and terms.discounts:
        agreed["discount_until"] = [each.until for each in terms.discounts]
        agreed["discount_bp"] = [scaled(each.percent, PERCENT_PLACES) for each in terms.discounts]
    return Invoice(
        **agreed,
        id=invoice_id,
        version=1,
        entity_id=entity_id,
        customer_id=customer_id,
        number=number,
        currency=priced.currency,
        issue_date=issued_on,
        due_date=due_on,
        net_minor=priced.net_minor,
        tax_minor=priced.tax_minor,
        raised_on=booked_from or issued_on,
        moved_on=booked_from or issued_on,
        delivery_channel=delivery_channel,
        reference=reference,
    )


def issue(invoice: Invoice, *, booked_on: date, sold: Mapping[str, int] | None = None) -> Outcome:
    """Announce a new claim on the customer, the first version of the invoice; `sold` is net, by product line."""
    issued = InvoiceIssued(
        customer_id=invoice.customer_id,
        effective_on=invoice.raised_on,
        booked_on=booked_on,
        entity_id=invoice.entity_id,
        invoice=invoice.state(),
        change=invoice.money(invoice.total_minor),
        net=invoice.money(invoice.net_minor),
        tax=invoice.money(invoice.tax_minor),
        customer_reference=invoice.reference,
        delivery_channel=invoice.delivery_channel,
        product_lines=tuple(ProductLineShare(product_line=code, net=invoice.money(net)) for code, net in sold.items())
        if sold
        else None,
    )
    return Outcome(invoice, (issued,))


def overdue_from(invoice: Invoice) -> date:
    """The first day the invoice is overdue: the day after due, or the day it was reopened when that is later."""
    after_due = invoice.due_date + ONE_DAY
    return max(after_due, invoice.reopened_on) if invoice.reopened_on else after_due


def next_look_on(invoice: Invoice) -> date | None:
    """The next day on which the overdue tick has something to say of the invoice; null when it never will again."""
    if invoice.balance_minor == 0:
        return None
    if invoice.overdue_since is None:
        if invoice.due_soon_on is None:
            return max(invoice.due_date - timedelta(days=DUE_SOON_DAYS), invoice.issue_date)
        return overdue_from(invoice)
    for days in AGED_DAYS:
        if days > invoice.aged_days:
            return max(invoice.due_date + timedelta(days=days), invoice.overdue_since)
    return None


@dataclass(frozen=True, slots=True)
class Filed:
    """An invoice with the particulars that do not change after its issue."""

    invoice: Invoice
    credit: CreditAnswer
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Document:
    """An invoice as it was written: its lines and taxes, and what only some invoices have: terms that say more than a
    due date, and particulars such as references, allowances on the whole, and findings of the completeness check."""

    filed: Filed
    lines: tuple[PricedLine, ...]
    taxes: tuple[TaxGroup, ...]
    terms: AgreedTerms | None = None
    supplied_on: date | None = None
    particulars: InvoiceParticulars | None = None

    @property
    def invoice(self) -> Invoice:
        return self.filed.invoice

    def numbered(self, number: str) -> Document:
        return replace(self, filed=replace(self.filed, invoice=replace(self.invoice, number=number)))
