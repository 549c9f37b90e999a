"""Payments: received, applied to invoices, reversed.

A payment that settles an invoice writes, in one transaction: payment and allocations, the invoice with the end of its
overdue episode, its disputes where they shrink, the journal, and an event for each change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Account
from services.invoice.disputes import handlers as disputes
from services.invoice.entities.rules import DEFAULT
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import Adjustment, Invoice, Outcome, effective_date, restore, take_off
from services.invoice.invoices.rules import allocate as allocate_to
from services.invoice.invoices.rules import unallocate as take_from
from services.invoice.journal import handlers as journal
from services.invoice.journal.rules import Entry, payment_allocated, payment_received
from services.invoice.payments import rules, store
from services.invoice.payments.rules import Part, PayerUnknown, Payment, PaymentNotFound, Plan, Wanted
from services.invoice.payments.store import Allocation, NewAllocation
from services.invoice.plans import handlers as plans
from shared import outbox
from shared.db import Tx
from shared.ids import new_id
from shared.money import Money

Apply = Literal["auto", "none"]


@dataclass(frozen=True, slots=True)
class ReceivePayment:
    amount: Money
    customer: CustomerRef | None = None
    received_on: date | None = None
    method: str = "bank_transfer"
    reference: str | None = None
    allocations: tuple[Wanted, ...] = ()
    apply: Apply = "auto"


@dataclass(frozen=True, slots=True)
class AllocatePayment:
    payment_id: UUID
    allocations: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class ReversePayment:
    payment_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """A payment as it stands, with its allocations, also those taken back."""

    payment: Payment
    allocations: tuple[Allocation, ...]
    booked_at: datetime


async def receive_payment(tx: Tx, command: ReceivePayment) -> Recorded:
    """Record money that came in and apply it as told, by its reference, else to what is due longest.

    Raises PayerUnknown, CustomerUnknown, DateRefused, CurrencyMismatch, AllocationRefused, OverAllocated.
    """
    account = await customers.lock_account(tx, command.customer or await _payer(tx, command))
    today = account.entity.today(tx.now)
    payment = Payment(
        id=new_id(),
        version=1,
        entity_id=account.entity.id,
        customer_id=account.customer.id,
        currency=command.amount.currency,
        amount_minor=command.amount.minor,
        applied_minor=0,
        received_on=rules.received_on(command.received_on, today),
        method=command.method,
        reference=command.reference,
        applied_by="none",
    )
    plan = await _plan(tx, command, account)
    received = rules.receive(payment, today)
    arrival = payment_received(
        entity_id=payment.entity_id,
        customer_id=payment.customer_id,
        payment_id=payment.id,
        currency=payment.currency,
        amount_minor=payment.amount_minor,
        effective_on=payment.received_on,
        booked_on=today,
    )
    if not plan.parts:
        await store.insert(tx, payment, [])
        await journal.post(tx, [arrival])
        await outbox.append(tx, received)
        return Recorded(payment, (), tx.now)

    applied, event = rules.apply(payment, plan, effective_on=payment.received_on, booked_on=today)
    allocations = await _new_allocations(tx, account, plan, payment.received_on)
    await store.insert(tx, applied, allocations)
    outcomes = await _settle(tx, account, plan, payment.received_on, today)
    await journal.post(tx, [arrival, *_entries(applied, allocations, today)])
    await outbox.append(tx, received, event, *(event for outcome in outcomes for event in outcome.events))
    await _take_off_differences(tx, account, applied, plan, outcomes, today)
    return Recorded(applied, _recorded(applied, plan, allocations), tx.now)


async def _payer(tx: Tx, command: ReceivePayment) -> CustomerRef:
    """The customer whose invoices the payment names. Raises PayerUnknown, also when they are several customers'."""
    numbers = [wanted.number for wanted in command.allocations if wanted.number]
    ids = [wanted.invoice_id for wanted in command.allocations if wanted.invoice_id]
    if not command.allocations:
        numbers = rules.tokens(command.reference)
    found = await invoices.customers_of(tx, DEFAULT, numbers, ids) if numbers or ids else []
    if len(found) != 1:
        why = "names no invoice that is known" if not found else "names invoices of several customers"
        raise PayerUnknown(f"there is no customer_id, and the payment {why}", field="/customer_id")
    return CustomerRef(customer_id=found[0])


async def _plan(tx: Tx, command: ReceivePayment, account: Account) -> Plan:
    customer, entity = account.customer, account.entity
    if command.allocations:
        candidates = await _named(tx, customer.id, entity.id, command.allocations)
        return rules.by_request(command.allocations, candidates, command.amount)
    if command.apply == "none":
        return rules.NOTHING
    numbers = rules.tokens(command.reference)
    candidates = await invoices.payable(tx, customer.id, entity.id, numbers, [], command.amount.minor)
    return rules.automatic(candidates, numbers, command.amount, customer.currency)


async def _named(tx: Tx, customer_id: UUID, entity_id: str, wanted: Sequence[Wanted]) -> list[Invoice]:
    return await invoices.named(
        tx,
        customer_id,
        entity_id,
        [each.number for each in wanted if each.number and not each.invoice_id],
        [each.invoice_id for each in wanted if each.invoice_id],
    )


async def _settle(tx: Tx, account: Account, plan: Plan, received_on: date, today: date) -> list[Outcome]:
    paid = [
        (part.invoice, allocate_to(part.invoice, part.amount_minor, received_on=received_on, booked_on=today))
        for part in plan.parts
    ]
    outcomes = await disputes.shrink_disputes(tx, paid, today)
    await invoices.save(tx, account.entity, [outcome.invoice for outcome in outcomes])
    return outcomes


async def _take_off_differences(
    tx: Tx, account: Account, payment: Payment, plan: Plan, paid: Sequence[Outcome], today: date
) -> None:
    """Take the small differences of a plan off the invoices that it has paid; a reversal brings them back."""
    adjustments = [
        Adjustment(
            id=new_id(),
            invoice_id=part.invoice.id,
            component="small_difference",
            amount_minor=part.difference_minor,
            effective_on=outcome.invoice.moved_on,
            booked_on=today,
            reason="a payment within the tolerance",
            source_id=payment.id,
        )
        for part, outcome in zip(plan.parts, paid, strict=True)
        if part.difference_minor
    ]
    if not adjustments:
        return
    by_id = {outcome.invoice.id: outcome.invoice for outcome in paid}
    moved = [(by_id[each.invoice_id], take_off(by_id[each.invoice_id], each)) for each in adjustments]
    outcomes = await disputes.shrink_disputes(tx, moved, today)
    entries = [
        Entry(
            entity_id=payment.entity_id,
            customer_id=payment.customer_id,
            effective_on=each.effective_on,
            booked_on=today,
            kind="small_difference",
            debit="small_differences",
            credit="trade_receivables",
            amount_minor=each.amount_minor,
            currency=payment.currency,
            invoice_id=each.invoice_id,
            source_id=each.id,
        )
        for each in adjustments
    ]
    await invoices.adjust(tx, account, list(zip(adjustments, outcomes, strict=True)), entries)


async def _new_allocations(tx: Tx, account: Account, plan: Plan, received_on: date) -> list[NewAllocation]:
    """The plan's parts, each split into what goes to charges and what to the principal."""
    charged = [part.invoice.id for part in plan.parts if part.invoice.charged_minor]
    paid = await store.charges_paid(tx, charged) if charged else {}
    order = account.entity.policies.cash_application.allocation_order
    return [
        NewAllocation(
            part.invoice.id,
            part.amount_minor,
            effective_date(part.invoice, received_on),
            rules.charges_part(
                part.invoice, part.amount_minor, charges_paid_minor=paid.get(part.invoice.id, 0), order=order
            ),
        )
        for part in plan.parts
    ]


async def charges_paid(tx: Tx, invoice_ids: Sequence[UUID]) -> dict[UUID, int]:
    """What of the charges of these invoices has been paid, by invoice; those of which nothing is, are left out."""
    return await store.charges_paid(tx, invoice_ids)


def _entries(payment: Payment, allocations: Sequence[NewAllocation], today: date) -> list[Entry]:
    return [
        payment_allocated(
            entity_id=payment.entity_id,
            customer_id=payment.customer_id,
            payment_id=payment.id,
            invoice_id=allocation.invoice_id,
            currency=payment.currency,
            amount_minor=allocation.amount_minor,
            effective_on=allocation.effective_on,
            booked_on=today,
        )
        for allocation in allocations
    ]


def _recorded(payment: Payment, plan: Plan, allocations: Sequence[NewAllocation]) -> tuple[Allocation, ...]:
    return tuple(
        Allocation(
            payment.id,
            new.invoice_id,
            part.invoice.number,
            payment.money(new.amount_minor),
            new.effective_on,
            None,
            payment.money(new.charges_minor),
        )
        for part, new in zip(plan.parts, allocations, strict=True)
    )


async def allocate_payment(tx: Tx, command: AllocatePayment) -> Recorded:
    """Apply unapplied cash of a payment to invoices, with effect from today.

    Raises PaymentNotFound, PaymentIsReversed, CurrencyMismatch, AllocationRefused, OverAllocated.
    """
    account, payment, booked_at = await _lock_payment(tx, command.payment_id)
    rules.still_standing(payment)
    today = account.entity.today(tx.now)
    candidates = await _named(tx, payment.customer_id, payment.entity_id, command.allocations)
    plan = rules.by_request(command.allocations, candidates, payment.money(payment.unapplied_minor))
    applied, event = rules.apply(payment, plan, effective_on=today, booked_on=today)
    allocations = await _new_allocations(tx, account, plan, today)

    await store.allocate(tx, applied, allocations)
    outcomes = await _settle(tx, account, plan, today, today)
    await journal.post(tx, _entries(applied, allocations, today))
    await outbox.append(tx, event, *(event for outcome in outcomes for event in outcome.events))
    await _take_off_differences(tx, account, applied, plan, outcomes, today)
    return Recorded(applied, tuple(await store.allocations_of(tx, [payment.id])), booked_at)


async def reverse_payment(tx: Tx, command: ReversePayment) -> Recorded:
    """Take a payment back: what it settled is owed again, and overdue again where it is past due.

    Raises PaymentNotFound, PaymentIsReversed.
    """
    account, payment, booked_at = await _lock_payment(tx, command.payment_id)
    today = account.entity.today(tx.now)
    allocations = await store.allocations_of(tx, [payment.id])
    amounts: dict[UUID, int] = defaultdict(int)
    for allocation in allocations:
        if allocation.reversed_on is None:
            amounts[allocation.invoice_id] += allocation.amount.minor
    settled = await invoices.named(tx, payment.customer_id, payment.entity_id, [], list(amounts)) if amounts else []
    parts = [Part(invoice, amounts[invoice.id]) for invoice in settled]
    reversed_payment, events = rules.reverse(payment, parts, command.reason, today)
    planned = await plans.put_back(tx, [(part.invoice, part.amount_minor) for part in parts])
    outcomes = [
        take_from(part.invoice, part.amount_minor, on=today, planned_minor=planned.get(part.invoice.id, 0))
        for part in parts
    ]

    await store.reverse(tx, reversed_payment)
    await invoices.save(tx, account.entity, [outcome.invoice for outcome in outcomes])
    await journal.reverse_payment(tx, payment.id, effective_on=today, booked_on=today)
    await outbox.append(tx, *events, *(event for outcome in outcomes for event in outcome.events))
    await _restore_adjustments(tx, account, payment.id, [outcome.invoice for outcome in outcomes], today)
    taken_back = tuple(replace(each, reversed_on=each.reversed_on or today) for each in allocations)
    return Recorded(reversed_payment, taken_back, booked_at)


async def _restore_adjustments(
    tx: Tx, account: Account, payment_id: UUID, reopened: Sequence[Invoice], today: date
) -> None:
    """Bring back what a payment had taken off its invoices besides itself."""
    by_id = {invoice.id: invoice for invoice in reopened}
    for adjustment in await invoices.adjustments_from(tx, payment_id):
        outcome = restore(by_id[adjustment.invoice_id], adjustment, on=today)
        by_id[adjustment.invoice_id] = outcome.invoice
        await invoices.restore(tx, account, [(adjustment, outcome)], on=today, booked_on=today)


async def _lock_payment(tx: Tx, payment_id: UUID) -> tuple[Account, Payment, datetime]:
    customer_id = await store.customer_of(tx, payment_id)
    if customer_id is None:
        raise PaymentNotFound(f"there is no payment {payment_id}")
    account = await customers.lock_account(tx, CustomerRef(customer_id=customer_id))
    found = await store.find(tx, payment_id)
    assert found is not None
    return account, *found


async def get_payment(tx: Tx, payment_id: UUID) -> Recorded:
    """Raises PaymentNotFound."""
    found = await store.find(tx, payment_id)
    if found is None:
        raise PaymentNotFound(f"there is no payment {payment_id}")
    payment, booked_at = found
    return Recorded(payment, tuple(await store.allocations_of(tx, [payment_id])), booked_at)


async def list_payments(
    tx: Tx, *, after: UUID | None, customer_id: UUID | None, status: rules.Status | None, limit: int
) -> list[Recorded]:
    found = await store.page(tx, after, customer_id, status, limit)
    allocations: dict[UUID, list[Allocation]] = defaultdict(list)
    if found:
        for allocation in await store.allocations_of(tx, [payment.id for payment, _ in found]):
            allocations[allocation.payment_id].append(allocation)
    return [Recorded(payment, tuple(allocations[payment.id]), booked_at) for payment, booked_at in found]


async def receipts_of(tx: Tx, invoice_ids: Sequence[UUID]) -> list[store.Receipt]:
    """The money on these invoices by the day it was received, also what was taken back."""
    return await store.receipts_of(tx, invoice_ids)


async def unapplied(tx: Tx, customer_id: UUID, entity_id: str) -> list[Money]:
    """The customer's cash that is bound to no invoice, an amount for each currency."""
    return await store.unapplied(tx, customer_id, entity_id)
