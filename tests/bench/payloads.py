"""Events of ordinary size, the same for Dueward and for the floors."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from shared.events.envelope import Envelope
from shared.events.invoice import InvoiceIssued, InvoiceState
from shared.ids import new_id
from shared.money import Money

DAY = date(2026, 1, 5)


def issued_events(count: int, customers: int = 200) -> list[InvoiceIssued]:
    """Invoices issued to some customers, each its own aggregate."""
    people = [uuid4() for _ in range(customers)]
    return [_issued(people[n % customers], n) for n in range(count)]


def _issued(customer_id: UUID, n: int) -> InvoiceIssued:
    total, zero = Money.parse("714.00", "EUR"), Money.zero("EUR")
    state = InvoiceState(
        id=new_id(),
        version=1,
        entity_id="default",
        number=f"BENCH-{n}",
        status="open",
        issue_date=DAY,
        due_date=date(2026, 2, 4),
        total=total,
        balance=total,
        disputed=zero,
        collectable=total,
        overdue_episode=0,
        overdue_since=None,
        settled_on=None,
    )
    return InvoiceIssued(
        customer_id=customer_id,
        effective_on=DAY,
        booked_on=DAY,
        entity_id="default",
        invoice=state,
        change=total,
        net=Money.parse("600.00", "EUR"),
        tax=Money.parse("114.00", "EUR"),
        delivery_channel="email",
    )


def envelope_of(event: InvoiceIssued) -> Envelope:
    return Envelope(
        id=new_id(),
        source="/dueward/invoice",
        type=event.type,
        subject=event.subject,
        time=datetime(2026, 1, 5, tzinfo=UTC),
        version=event.version,
        key=event.customer_id,
        correlation_id="bench",
        causation_id=None,
        traceparent=None,
        data=event.model_dump_json().encode(),
    )
