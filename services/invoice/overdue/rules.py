"""The overdue ladder: due soon, overdue, aged 31, 61 and 91 days. Conditions look at state, so missed days catch up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from services.invoice.invoices.rules import AGED_DAYS, DUE_SOON_DAYS, Age, Invoice, next_look_on, overdue_from
from shared.events.invoice import InvoiceAged, InvoiceDueSoon, InvoiceOverdue, OverdueEvent


class Reason(StrEnum):
    NOTHING_OWED = "nothing_owed"
    TOO_EARLY = "too_early"
    ANNOUNCED = "announced"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to tell of an invoice today, and when to look at it again (None: not unless it changes)."""

    invoice: Invoice
    reason: Reason
    look_again_on: date | None
    events: tuple[OverdueEvent, ...] = ()


def announce(invoice: Invoice, today: date) -> Outcome:
    """Say everything about the due date that is true by today and was not said yet, each with its own date.

    The boundary day counts: an invoice due on the 10th is overdue on the 11th, and aged 31 days on the 31st day after
    the 10th. Due soon is said once for an invoice and not at all after its due date; overdue and each age are said
    once in an episode, however late the look. In an episode that begins with a reopening nothing counts before it.
    """
    if invoice.balance_minor == 0:
        return Outcome(invoice, Reason.NOTHING_OWED, None)

    events: list[OverdueEvent] = []
    for step in (_due_soon, _overdue, *(_aged for _ in AGED_DAYS)):
        invoice, event = step(invoice, today)
        if event:
            events.append(event)
    look_again_on = next_look_on(invoice)
    return Outcome(invoice, Reason.ANNOUNCED if events else Reason.TOO_EARLY, look_again_on, tuple(events))


def _due_soon(invoice: Invoice, today: date) -> tuple[Invoice, OverdueEvent | None]:
    opens_on = max(invoice.due_date - timedelta(days=DUE_SOON_DAYS), invoice.issue_date)
    if invoice.due_soon_on or today < opens_on:
        return invoice, None
    if today > invoice.due_date:
        return replace(invoice, due_soon_on=today), None  # Too late to be useful: passed over, and not looked at again.
    told = replace(invoice, version=invoice.version + 1, due_soon_on=today)
    event = InvoiceDueSoon(
        customer_id=told.customer_id,
        effective_on=opens_on,
        booked_on=today,
        entity_id=told.entity_id,
        invoice=told.state(),
        days_until_due=(told.due_date - opens_on).days,
    )
    return told, event


def _overdue(invoice: Invoice, today: date) -> tuple[Invoice, OverdueEvent | None]:
    since = overdue_from(invoice)
    if invoice.overdue_since or today < since:
        return invoice, None
    overdue = replace(
        invoice,
        version=invoice.version + 1,
        overdue_episode=invoice.overdue_episode + 1,
        overdue_since=since,
        aged_days=0,
    )
    event = InvoiceOverdue(
        customer_id=overdue.customer_id,
        effective_on=since,
        booked_on=today,
        entity_id=overdue.entity_id,
        invoice=overdue.state(),
        episode=overdue.overdue_episode,
    )
    return overdue, event


def _aged(invoice: Invoice, today: date) -> tuple[Invoice, OverdueEvent | None]:
    """The next age of the running episode."""
    age: Age | None = next((days for days in AGED_DAYS if days > invoice.aged_days), None)
    if invoice.overdue_since is None or age is None:
        return invoice, None
    reached_on = max(invoice.due_date + timedelta(days=age), invoice.overdue_since)
    if today < reached_on:
        return invoice, None
    aged = replace(invoice, version=invoice.version + 1, aged_days=age)
    event = InvoiceAged(
        customer_id=aged.customer_id,
        effective_on=reached_on,
        booked_on=today,
        entity_id=aged.entity_id,
        invoice=aged.state(),
        episode=aged.overdue_episode,
        days_overdue=age,
    )
    return aged, event
