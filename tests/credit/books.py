"""Invoices as the invoice service would tell of them, for tests of who owes what."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from shared.delivery import Received
from shared.events import catalogue
from shared.events.envelope import Envelope, decode, to_kafka
from shared.events.event import Event
from shared.events.invoice import (
    InvoiceBalanceChanged,
    InvoiceDisputed,
    InvoiceEvent,
    InvoiceIssued,
    InvoiceSettled,
    InvoiceState,
    InvoiceWrittenOff,
)
from shared.money import Money

ISSUED_ON = date(2026, 3, 2)
DUE_ON = date(2026, 4, 1)


@dataclass
class Invoice:
    """Every change returns the event of it; the version goes up by one each time."""

    customer_id: UUID
    total_minor: int
    currency: str = "EUR"
    due_on: date = DUE_ON
    id: UUID = field(default_factory=uuid4)
    version: int = 0
    paid_minor: int = 0
    disputed_minor: int = 0
    written_off_minor: int = 0
    paid_on: date = ISSUED_ON

    @property
    def number(self) -> str:
        return f"R-{self.id.hex[:6]}"

    @property
    def balance_minor(self) -> int:
        return self.total_minor - self.paid_minor - self.written_off_minor

    def issue(self) -> InvoiceEvent:
        total = self._money(self.total_minor)
        return InvoiceIssued(**self._next(), change=total, net=total, tax=self._money(0), delivery_channel="email")

    def pay(self, minor: int, on: date = ISSUED_ON) -> InvoiceEvent:
        self.paid_minor += minor
        self.paid_on = on
        self.disputed_minor = min(self.disputed_minor, self.balance_minor)
        change = self._money(-minor)
        if self.balance_minor == 0:
            return InvoiceSettled(**self._next(), change=change, reason="allocation", days_late=0)
        return InvoiceBalanceChanged(**self._next(), change=change, reason="allocation")

    def take_back(self, minor: int) -> InvoiceEvent:
        self.paid_minor -= minor
        return InvoiceBalanceChanged(**self._next(), change=self._money(minor), reason="unallocation")

    def write_off(self, on: date = ISSUED_ON) -> InvoiceEvent:
        """All that is open."""
        given_up, self.written_off_minor = self.balance_minor, self.balance_minor
        parts = {**self._next(), "effective_on": on, "booked_on": on}
        return InvoiceWrittenOff(**parts, change=self._money(-given_up), write_off_id=uuid4(), reason="insolvent")

    def dispute(self, minor: int) -> InvoiceEvent:
        self.disputed_minor = minor
        return InvoiceDisputed(**self._next(), dispute_id=uuid4(), amount=self._money(minor), reason="short delivery")

    @property
    def _status(self) -> Literal["open", "partly_paid", "settled", "written_off"]:
        if self.balance_minor == 0:
            return "written_off" if self.written_off_minor else "settled"
        return "partly_paid" if self.paid_minor else "open"

    def _money(self, minor: int) -> Money:
        return Money(minor, self.currency)

    def _next(self) -> dict[str, Any]:
        self.version += 1
        state = InvoiceState(
            id=self.id,
            version=self.version,
            entity_id="default",
            number=self.number,
            status=self._status,
            issue_date=ISSUED_ON,
            due_date=self.due_on,
            total=self._money(self.total_minor),
            balance=self._money(self.balance_minor),
            disputed=self._money(self.disputed_minor),
            collectable=self._money(self.balance_minor - self.disputed_minor),
            overdue_episode=0,
            overdue_since=None,
            settled_on=self.paid_on if self._status == "settled" else None,
            written_off=self._money(self.written_off_minor) if self.written_off_minor else None,
        )
        return {
            "customer_id": self.customer_id,
            "effective_on": ISSUED_ON,
            "booked_on": ISSUED_ON,
            "entity_id": "default",
            "invoice": state,
        }


def receive(event: Event, event_id: UUID | None = None) -> Received:
    """The event after a journey over Kafka; without an id of its own it gets a new one, as a replay would give it."""
    key, value, headers = to_kafka(
        Envelope(
            id=event_id or uuid4(),
            source=catalogue.source(catalogue.producer(type(event))),
            type=event.type,
            subject=event.subject,
            time=datetime(2026, 3, 2, 8, tzinfo=UTC),
            version=event.version,
            key=event.customer_id,
            correlation_id=None,
            causation_id=None,
            traceparent=None,
            data=event.model_dump_json().encode(),
        )
    )
    envelope = decode(key, value, headers)
    return Received(
        envelope=envelope,
        event=catalogue.parse(envelope),
        topic=event.topic,
        partition=0,
        offset=0,
        headers=headers,
        value=value,
    )
