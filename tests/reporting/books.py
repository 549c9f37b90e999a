"""A ledger to test reports with: it makes the events other services would publish, and can be added up by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson

from shared.delivery import Received
from shared.events import catalogue
from shared.events.credit import (
    CustomerOnboarded,
    CustomerSegmentChanged,
    CustomerState,
    CustomerUpdated,
    PaymentTerms,
)
from shared.events.envelope import Envelope
from shared.events.event import Event
from shared.events.invoice import (
    AllocationPart,
    Instalment,
    InvoiceBalanceChanged,
    InvoiceCharged,
    InvoiceCredited,
    InvoiceDisputed,
    InvoiceDisputeResolved,
    InvoiceIssued,
    InvoiceOverdue,
    InvoicePlanAgreed,
    InvoicePlanEnded,
    InvoiceSettled,
    InvoiceState,
    InvoiceVoided,
    InvoiceWrittenOff,
    PaymentApplied,
    PaymentReceived,
    PaymentState,
    ProductLineShare,
)
from shared.events.reminder import (
    CallLogged,
    CallState,
    ContactState,
    LatePaymentReason,
    PromiseBroken,
    PromiseMade,
    PromiseState,
    ReminderPlanned,
    ReminderSent,
    TaskAssigned,
    TaskState,
)
from shared.money import Money

DAY = timedelta(days=1)


@dataclass
class Item:
    """An invoice in the books: what it is, and every movement as (effective, booked, minor)."""

    id: UUID
    customer_id: UUID
    number: str
    currency: str
    issued_on: date
    due_on: date
    total: int
    entity_id: str = "default"
    version: int = 0
    balance: int = 0
    disputed: int = 0
    on_plan: int = 0
    movements: list[tuple[date, date, int]] = field(default_factory=list)

    def state(self, settled_on: date | None = None) -> InvoiceState:
        status = "settled" if self.balance == 0 else "open" if self.balance == self.total else "partly_paid"
        return InvoiceState(
            id=self.id,
            version=self.version,
            entity_id=self.entity_id,
            number=self.number,
            status=status,
            issue_date=self.issued_on,
            due_date=self.due_on,
            total=Money(self.total, self.currency),
            balance=Money(self.balance, self.currency),
            disputed=Money(self.disputed, self.currency),
            on_plan=Money(self.on_plan, self.currency) if self.on_plan else None,
            collectable=Money(self.balance - self.disputed - self.on_plan, self.currency),
            overdue_episode=0,
            overdue_since=None,
            settled_on=settled_on,
        )


@dataclass
class Books:
    events: list[Event] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    segments: dict[UUID, str] = field(default_factory=dict)
    names: dict[UUID, str] = field(default_factory=dict)
    customers: dict[UUID, CustomerState] = field(default_factory=dict)

    def onboard(
        self, name: str = "Acme", segment: str = "standard", on: date = date(2020, 1, 1), country: str = "DE"
    ) -> UUID:
        customer = CustomerState(
            id=uuid4(),
            version=1,
            external_id=name.lower().replace(" ", "-"),
            name=name,
            status="active",
            country=country,
            language="de",
            time_zone="Europe/Berlin",
            currency="EUR",
            segment=segment,
            payment_terms=PaymentTerms(net_days=30),
        )
        self._remember(customer)
        self.events.append(CustomerOnboarded(customer_id=customer.id, effective_on=on, booked_on=on, customer=customer))
        return customer.id

    def rename(self, customer_id: UUID, name: str, on: date) -> None:
        old = self.customers[customer_id]
        customer = old.model_copy(update={"name": name, "version": old.version + 1})
        self._remember(customer)
        self.events.append(
            CustomerUpdated(
                customer_id=customer_id, effective_on=on, booked_on=on, customer=customer, changed=("name",)
            )
        )

    def resegment(self, customer_id: UUID, segment: str, on: date) -> None:
        old = self.customers[customer_id]
        customer = old.model_copy(update={"segment": segment, "version": old.version + 1})
        self._remember(customer)
        self.events.append(
            CustomerSegmentChanged(
                customer_id=customer_id, effective_on=on, booked_on=on, customer=customer, previous_segment=old.segment
            )
        )

    def look_after(self, customer_id: UUID, assignee: str, on: date) -> None:
        task = TaskState(
            id=uuid4(),
            version=1,
            entity_id="default",
            kind="call",
            title="Call",
            status="open",
            due_on=on,
            case_id=uuid4(),
            assignee=assignee,
        )
        self.events.append(
            TaskAssigned(customer_id=customer_id, effective_on=on, booked_on=on, entity_id="default", task=task)
        )

    def issue(
        self,
        customer_id: UUID,
        on: date,
        minor: int,
        currency: str = "EUR",
        net_days: int = 30,
        booked_on: date | None = None,
        entity_id: str = "default",
        sold: dict[str, int] | None = None,
    ) -> Item:
        """`sold` is net, by product line; the tax is nothing."""
        item = Item(
            id=uuid4(),
            customer_id=customer_id,
            number=f"INV-{len(self.items) + 1:05}",
            currency=currency,
            issued_on=on,
            due_on=on + timedelta(days=net_days),
            total=minor,
            entity_id=entity_id,
        )
        self.items.append(item)
        self._move(item, on, booked_on, minor)
        self.events.append(
            InvoiceIssued(
                **self._said(item, on, booked_on),
                change=Money(minor, currency),
                net=Money(minor, currency),
                tax=Money(0, currency),
                delivery_channel="email",
                product_lines=tuple(
                    ProductLineShare(product_line=code, net=Money(net, currency)) for code, net in sold.items()
                )
                if sold
                else None,
            )
        )
        return item

    def pay(self, item: Item, on: date, minor: int | None = None, booked_on: date | None = None) -> UUID:
        """Receive a payment and apply it; the invoice's own event comes last, as the invoice service orders them."""
        minor = item.balance if minor is None else minor
        payment_id, amount, none = uuid4(), Money(minor, item.currency), Money(0, item.currency)
        dated: dict[str, Any] = {"customer_id": item.customer_id, "effective_on": on, "booked_on": booked_on or on}
        state = PaymentState(
            id=payment_id,
            version=1,
            entity_id=item.entity_id,
            status="unapplied",
            received_on=on,
            amount=amount,
            applied=none,
            unapplied=amount,
            method="bank_transfer",
        )
        self.events.append(PaymentReceived(**dated, entity_id=item.entity_id, payment=state))
        applied = state.model_copy(update={"version": 2, "status": "applied", "applied": amount, "unapplied": none})
        part = AllocationPart(invoice_id=item.id, invoice_number=item.number, amount=amount)
        self.events.append(PaymentApplied(**dated, entity_id=item.entity_id, payment=applied, allocations=(part,)))
        self._move(item, on, booked_on, -minor)
        if item.balance:
            self.events.append(
                InvoiceBalanceChanged(**self._said(item, on, booked_on), change=-amount, reason="allocation")
            )
        else:
            self.events.append(
                InvoiceSettled(
                    **self._said(item, on, booked_on, settled_on=on),
                    change=-amount,
                    reason="allocation",
                    days_late=(on - item.due_on).days,
                )
            )
        return payment_id

    def take_back(self, item: Item, on: date, minor: int, booked_on: date | None = None) -> None:
        """A payment of that much bounced."""
        self._move(item, on, booked_on, minor)
        self.events.append(
            InvoiceBalanceChanged(
                **self._said(item, on, booked_on), change=Money(minor, item.currency), reason="unallocation"
            )
        )

    def credit(self, item: Item, on: date, minor: int, booked_on: date | None = None) -> None:
        self._move(item, on, booked_on, -minor)
        self.events.append(
            InvoiceCredited(
                **self._said(item, on, booked_on),
                change=Money(-minor, item.currency),
                credit_note_id=uuid4(),
                credit_note_number="CN-1",
                reason="goods_returned",
            )
        )
        if item.balance == 0:
            item.version += 1
            self.events.append(
                InvoiceSettled(
                    **self._said(item, on, booked_on, settled_on=on),
                    change=Money(0, item.currency),
                    reason="credit_note",
                    days_late=(on - item.due_on).days,
                )
            )

    def charge(self, item: Item, on: date, minor: int) -> None:
        self._move(item, on, None, minor)
        self.events.append(
            InvoiceCharged(
                **self._said(item, on, None),
                change=Money(minor, item.currency),
                charge_id=uuid4(),
                kind="fee",
                reason="reminder",
            )
        )

    def write_off(self, item: Item, on: date, minor: int | None = None, booked_on: date | None = None) -> None:
        minor = item.balance if minor is None else minor
        self._move(item, on, booked_on, -minor)
        self.events.append(
            InvoiceWrittenOff(
                **self._said(item, on, booked_on),
                change=Money(-minor, item.currency),
                write_off_id=uuid4(),
                reason="insolvency",
            )
        )

    def void(self, item: Item, on: date) -> None:
        minor = item.balance
        self._move(item, on, None, -minor)
        self.events.append(
            InvoiceVoided(**self._said(item, on, None), change=Money(-minor, item.currency), reason="mistake")
        )

    def dispute(self, item: Item, on: date, minor: int) -> UUID:
        dispute_id = uuid4()
        item.version, item.disputed = item.version + 1, minor
        self.events.append(
            InvoiceDisputed(
                **self._said(item, on, None),
                dispute_id=dispute_id,
                amount=Money(minor, item.currency),
                reason="damaged",
                code="quality",
            )
        )
        return dispute_id

    def resolve(self, item: Item, dispute_id: UUID, on: date) -> None:
        minor, item.version, item.disputed = item.disputed, item.version + 1, 0
        self.events.append(
            InvoiceDisputeResolved(
                **self._said(item, on, None),
                dispute_id=dispute_id,
                amount=Money(minor, item.currency),
                outcome="rejected",
            )
        )

    def agree_plan(self, item: Item, on: date, minor: int) -> UUID:
        plan_id = uuid4()
        item.version, item.on_plan = item.version + 1, minor
        amount = Money(minor, item.currency)
        self.events.append(
            InvoicePlanAgreed(
                **self._said(item, on, None),
                plan_id=plan_id,
                amount=amount,
                instalments=(Instalment(due_date=on + 30 * DAY, amount=amount),),
            )
        )
        return plan_id

    def end_plan(self, item: Item, plan_id: UUID, on: date) -> None:
        item.version, item.on_plan = item.version + 1, 0
        self.events.append(InvoicePlanEnded(**self._said(item, on, None), plan_id=plan_id, outcome="cancelled"))

    def overdue(self, item: Item, episode: int = 1) -> None:
        item.version += 1
        self.events.append(InvoiceOverdue(**self._said(item, item.due_on + DAY, None), episode=episode))

    def remind(
        self,
        customer_id: UUID,
        on: date,
        step: str = "friendly reminder",
        invoices: tuple[str, ...] = (),
        entity_id: str = "default",
    ) -> None:
        contact = ContactState(
            id=uuid4(),
            version=1,
            entity_id=entity_id,
            channel="email",
            strategy="default",
            strategy_version=1,
            step=step,
            tone="friendly",
            episode="1",
            status="planned",
            invoices=invoices,
            amounts=(),
        )
        dated: dict[str, Any] = {"customer_id": customer_id, "effective_on": on, "booked_on": on}
        self.events.append(ReminderPlanned(**dated, entity_id="default", contact=contact))
        sent = contact.model_copy(
            update={"version": 2, "status": "sent", "sent_at": datetime(on.year, on.month, on.day, 8, tzinfo=UTC)}
        )
        self.events.append(ReminderSent(**dated, entity_id="default", contact=sent))

    def call(self, customer_id: UUID, on: date, reason: LatePaymentReason | None) -> None:
        call = CallState(
            id=uuid4(),
            version=1,
            entity_id="default",
            direction="out",
            outcome="spoke",
            reason=reason,
            caller="anna",
            called_at=datetime(on.year, on.month, on.day, 10, tzinfo=UTC),
        )
        self.events.append(
            CallLogged(customer_id=customer_id, effective_on=on, booked_on=on, entity_id="default", call=call)
        )

    def promise(self, item: Item, on: date, promised_on: date, broken_on: date | None = None) -> None:
        """What is open of the invoice, for a day; broken where it says so."""
        state = PromiseState(
            id=uuid4(),
            version=1,
            entity_id=item.entity_id,
            case_id=uuid4(),
            status="open",
            amount=Money(item.balance, item.currency),
            paid=Money(0, item.currency),
            items=(item.number,),
            made_on=on,
            promised_on=promised_on,
            grace_until=promised_on,
            origin="staff",
        )
        said: dict[str, Any] = {"customer_id": item.customer_id, "entity_id": item.entity_id}
        self.events.append(PromiseMade(**said, effective_on=on, booked_on=on, promise=state))
        if broken_on:
            broken = state.model_copy(update={"version": 2, "status": "broken"})
            self.events.append(PromiseBroken(**said, effective_on=broken_on, booked_on=broken_on, promise=broken))

    @property
    def received(self) -> list[Received]:
        return [receive(event, offset) for offset, event in enumerate(self.events)]

    def _remember(self, customer: CustomerState) -> None:
        self.customers[customer.id] = customer
        self.segments[customer.id] = customer.segment
        self.names[customer.id] = customer.name

    def _move(self, item: Item, on: date, booked_on: date | None, minor: int) -> None:
        item.version += 1
        item.balance += minor
        item.disputed, item.on_plan = min(item.disputed, item.balance), min(item.on_plan, item.balance)
        item.movements.append((on, booked_on or on, minor))

    def _said(self, item: Item, on: date, booked_on: date | None, settled_on: date | None = None) -> dict[str, Any]:
        return {
            "customer_id": item.customer_id,
            "effective_on": on,
            "booked_on": booked_on or on,
            "entity_id": item.entity_id,
            "invoice": item.state(settled_on),
        }


def receive(event: Event, offset: int = 0, **changes: Any) -> Received:
    """The event as a consumer hands it over: each with an id of its own."""
    data = event.model_dump_json().encode()
    moment = datetime(event.booked_on.year, event.booked_on.month, event.booked_on.day, 8, tzinfo=UTC)
    attributes: dict[str, Any] = {
        "id": uuid4(),
        "source": catalogue.source(catalogue.producer(type(event))),
        "type": event.type,
        "subject": event.subject,
        "time": moment + offset * timedelta(milliseconds=1),
        "version": event.version,
        "key": event.customer_id,
        "correlation_id": None,
        "causation_id": None,
        "traceparent": None,
        "data": data,
        **changes,
    }
    return Received(
        envelope=Envelope(**attributes),
        event=event,
        topic=event.topic,
        partition=0,
        offset=offset,
        headers=(),
        value=data,
    )


def unknown(customer_id: UUID, type: str = "dueward.promise.made.v9", **data: Any) -> Received:
    """An event of a type that this release has never heard of."""
    payload = orjson.dumps({"customer_id": str(customer_id), **data})
    envelope = Envelope(
        id=uuid4(),
        source="/dueward/reminder",
        type=type,
        subject=uuid4(),
        time=datetime(2021, 5, 4, 12, tzinfo=UTC),
        version=1,
        key=customer_id,
        correlation_id=None,
        causation_id=None,
        traceparent=None,
        data=payload,
    )
    return Received(
        envelope=envelope, event=None, topic="ar.reminder", partition=0, offset=0, headers=(), value=payload
    )
