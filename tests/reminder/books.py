"""A small book of receivables, kept the way the invoice service keeps it: it tells events and answers balances."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

from shared.delivery import Received
from shared.events import catalogue
from shared.events.credit import ContactPerson, CustomerOnboarded, CustomerState, CustomerUpdated, PaymentTerms
from shared.events.envelope import Envelope, decode, to_kafka
from shared.events.event import Event
from shared.events.invoice import (
    InvoiceBalanceChanged,
    InvoiceDisputed,
    InvoiceDisputeResolved,
    InvoiceIssued,
    InvoiceOverdue,
    InvoiceOverdueCleared,
    InvoicePlanAgreed,
    InvoicePlanBroken,
    InvoicePromiseOffered,
    InvoiceSettled,
    InvoiceState,
    InvoiceVoided,
    InvoiceWrittenOff,
)
from shared.money import Money

ADA = ContactPerson(role="billing", name="Ada Lang", email="ada@acme.example")


@dataclass
class Invoice:
    """Every change returns the event of it; the version goes up by one each time."""

    customer_id: UUID
    number: str
    total_minor: int
    issued_on: date
    due_on: date
    currency: str = "EUR"
    id: UUID = field(default_factory=uuid4)
    version: int = 0
    paid_minor: int = 0
    disputed_minor: int = 0
    on_plan_minor: int = 0
    given_up: Literal["voided", "written_off"] | None = None
    episode: int = 0
    overdue_since: date | None = None
    entity_id: str = "default"
    paid_on: date | None = None
    """When it is settled; on its due date, unless said otherwise."""

    @property
    def balance_minor(self) -> int:
        return 0 if self.given_up else self.total_minor - self.paid_minor

    @property
    def collectable_minor(self) -> int:
        return self.balance_minor - self.disputed_minor - self.on_plan_minor

    def issue(self) -> Event:
        total = self._money(self.total_minor)
        return InvoiceIssued(**self._next(), change=total, net=total, tax=self._money(0), delivery_channel="email")

    def become_overdue(self) -> Event:
        self.episode += 1
        self.overdue_since = self.due_on + timedelta(days=1)
        return InvoiceOverdue(**self._next(), episode=self.episode)

    def pay(self, minor: int | None = None) -> list[Event]:
        """Pay a part, or the rest; an overdue invoice that is settled is cleared."""
        minor = self.balance_minor if minor is None else minor
        self.paid_minor += minor
        change = self._money(-minor)
        if self.balance_minor:
            return [InvoiceBalanceChanged(**self._next(), change=change, reason="allocation")]
        was_overdue, self.overdue_since, self.disputed_minor = self.overdue_since is not None, None, 0
        events: list[Event] = [InvoiceSettled(**self._next(), change=change, reason="allocation", days_late=0)]
        if was_overdue:
            events.append(InvoiceOverdueCleared(**self._next(), episode=self.episode, days_overdue=1))
        return events

    def promise(self, on: date) -> Event:
        """On its page the customer names a day of payment."""
        return InvoicePromiseOffered(**self._next(), promised_on=on, amount=self._money(self.balance_minor))

    def reverse(self) -> Event:
        """The money went back: the whole amount is owed again."""
        minor, self.paid_minor = self.paid_minor, 0
        return InvoiceBalanceChanged(**self._next(), change=self._money(minor), reason="unallocation")

    def dispute(self) -> Event:
        self.disputed_minor = self.balance_minor
        amount = self._money(self.disputed_minor)
        return InvoiceDisputed(**self._next(), dispute_id=uuid4(), amount=amount, reason="short delivery")

    def reject_dispute(self, collect_again_on: date | None = None) -> Event:
        """Perhaps with a day before which it is not to be chased."""
        amount, self.disputed_minor = self._money(self.disputed_minor), 0
        return InvoiceDisputeResolved(
            **self._next(), dispute_id=uuid4(), amount=amount, outcome="rejected", collect_again_on=collect_again_on
        )

    def agree_plan(self) -> Event:
        """All that is owed may be paid in parts."""
        self.on_plan_minor = self.collectable_minor
        amount = self._money(self.on_plan_minor)
        return InvoicePlanAgreed(**self._next(), plan_id=uuid4(), amount=amount, instalments=())

    def break_plan(self) -> Event:
        self.on_plan_minor = 0
        return InvoicePlanBroken(**self._next(), plan_id=uuid4(), missed_on=self.due_on)

    def give_up(self, how: Literal["voided", "written_off"]) -> list[Event]:
        """Void it, or write off what is owed."""
        change = self._money(-self.balance_minor)
        self.given_up, self.overdue_since = how, None
        told = self._next()
        first = (
            InvoiceVoided(**told, change=change, reason="issued by mistake")
            if how == "voided"
            else InvoiceWrittenOff(**told, change=change, write_off_id=uuid4(), reason="insolvent")
        )
        return [first, InvoiceOverdueCleared(**self._next(), episode=self.episode, days_overdue=1)]

    def answer(self, today: date) -> dict[str, Any]:
        """The invoice's line in the answer of `GET /v1/customers/{id}/balance`."""
        return {
            "invoice_id": str(self.id),
            "number": self.number,
            "issue_date": self.issued_on.isoformat(),
            "due_date": self.due_on.isoformat(),
            "days_overdue": (today - self.due_on).days,
            "currency": self.currency,
            "total": self._wire(self.total_minor),
            "balance": self._wire(self.balance_minor),
            "disputed": self._wire(self.disputed_minor),
            "collectable": self._wire(self.collectable_minor),
        }

    def _money(self, minor: int) -> Money:
        return Money(minor, self.currency)

    def _wire(self, minor: int) -> dict[str, str]:
        return {"amount": self._money(minor).amount, "currency": self.currency}

    def _next(self) -> dict[str, Any]:
        self.version += 1
        open_parts = "partly_paid" if self.paid_minor else "open"
        state = InvoiceState(
            id=self.id,
            version=self.version,
            entity_id=self.entity_id,
            number=self.number,
            status=self.given_up or ("settled" if self.balance_minor == 0 else open_parts),
            issue_date=self.issued_on,
            due_date=self.due_on,
            total=self._money(self.total_minor),
            balance=self._money(self.balance_minor),
            disputed=self._money(self.disputed_minor),
            collectable=self._money(self.collectable_minor),
            on_plan=self._money(self.on_plan_minor) if self.on_plan_minor else None,
            overdue_episode=self.episode,
            overdue_since=self.overdue_since,
            settled_on=(self.paid_on or self.due_on) if self.balance_minor == 0 else None,
        )
        return {
            "customer_id": self.customer_id,
            "effective_on": self.issued_on,
            "booked_on": self.issued_on,
            "entity_id": self.entity_id,
            "invoice": state,
        }


@dataclass
class Customer:
    """A customer as credit tells of it."""

    state: CustomerState

    @classmethod
    def new(cls, **changes: Any) -> Customer:
        given: dict[str, Any] = {
            "id": uuid4(),
            "version": 1,
            "external_id": uuid4().hex[:8],
            "name": "Acme GmbH",
            "status": "active",
            "country": "DE",
            "language": "en",
            "time_zone": "UTC",
            "currency": "EUR",
            "segment": "standard",
            "payment_terms": PaymentTerms(net_days=30),
            "contacts": (ADA,),
        }
        return cls(CustomerState(**{**given, **changes}))

    @property
    def id(self) -> UUID:
        return self.state.id

    def onboard(self) -> Event:
        return CustomerOnboarded(**self._about())

    def change(self, **changes: Any) -> Event:
        self.state = self.state.model_copy(update={**changes, "version": self.state.version + 1})
        return CustomerUpdated(**self._about(), changed=tuple(changes))

    def _about(self) -> dict[str, Any]:
        day = date(2026, 1, 1)
        return {"customer_id": self.id, "effective_on": day, "booked_on": day, "customer": self.state}


def receive(event: Event) -> Received:
    """The event after a journey over Kafka."""
    key, value, headers = to_kafka(
        Envelope(
            id=uuid4(),
            source=catalogue.source(catalogue.producer(type(event))),
            type=event.type,
            subject=event.subject,
            time=datetime(2026, 1, 1, tzinfo=UTC),
            version=event.version,
            key=event.customer_id,
            correlation_id="a-correlation",
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


def without_email(person: ContactPerson = ADA) -> ContactPerson:
    return person.model_copy(update={"email": None})
