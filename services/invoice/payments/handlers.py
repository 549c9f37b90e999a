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

from services.invoice.cash_application import handlers as cash_application
from services.invoice.cash_application.rules import NOTHING, Part, Plan, Wanted, charges_part, with_discounts
from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.customers.rules import Account
from services.invoice.deductions import handlers as deductions
from services.invoice.deductions.handlers import Paying
from services.invoice.deliveries import handlers as deliveries
from services.invoice.disputes import handlers as disputes
from services.invoice.entities.rules import DEFAULT
from services.invoice.invoices import handlers as invoices
from services.invoice.invoices.rules import Invoice, Outcome
from services.invoice.journal import handlers as journal
from services.invoice.journal.rules import Entry, payment_allocated, payment_received
from services.invoice.movements.rules import allocate as allocate_to
from services.invoice.movements.rules import counts_from, effective_date
from services.invoice.movements.rules import unallocate as take_from
from services.invoice.payments import rules, store
from services.invoice.payments.rules import Payment, PaymentNotFound, ReversalKind
from services.invoice.payments.store import Allocation, NewAllocation
from services.invoice.plans import handlers as plans
from services.invoice.write_offs import handlers as write_offs
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
    entity_id: str = DEFAULT


@dataclass(frozen=True, slots=True)
class AllocatePayment:
    payment_id: UUID
    allocations: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class ReversePayment:
    payment_id: UUID
    reason: str
    kind: ReversalKind | None = None


@dataclass(frozen=True, slots=True)
class UnapplyPayment:
    payment_id: UUID
    invoice_id: UUID
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
    who = command.customer
    if who is None:
        who = await cash_application.payer(tx, command.entity_id, command.allocations, command.reference)
    account = await customers.lock_account(tx, who, command.entity_id)
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
    counts_on = account.entity.open_day(payment.received_on)
    wanted = with_discounts(
        await _plan(tx, command, account),
        payment.amount_minor,
        payment.received_on,
        fixed=any(each.amount for each in command.allocations),
    )
    plan = await _recover(tx, account, wanted, payment.id)
    received = rules.receive(payment, effective_on=counts_on, booked_on=today)
    arrival = payment_received(
        entity_id=payment.entity_id,
        customer_id=payment.customer_id,
        payment_id=payment.id,
        currency=payment.currency,
        amount_minor=payment.amount_minor,
        effective_on=counts_on,
        booked_on=today,
    )
    if not plan.parts:
        await store.insert(tx, payment, [])
        await journal.post(tx, [arrival])
        await deliveries.payment_received(tx, account.entity, account.customer, payment.id)
        await outbox.append(tx, received)
        return Recorded(payment, (), tx.now)

    applied, event = rules.apply(payment, plan, effective_on=counts_on, booked_on=today)
    allocations = await _new_allocations(tx, account, plan, counts_on)
    await store.insert(tx, applied, allocations)
    outcomes = await _settle(tx, account, plan, allocations, today)
    await journal.post(tx, [arrival, *_entries(applied, allocations, today)])
    await outbox.append(tx, received, event, *(event for outcome in outcomes for event in outcome.events))
    paying = Paying(applied.id, applied.received_on, counts_on, today)
    await deductions.take_off_besides(tx, account, paying, plan, outcomes)
    await deliveries.payment_received(tx, account.entity, account.customer, payment.id)
    return Recorded(applied, _recorded(applied, plan, allocations), tx.now)


async def _plan(tx: Tx, command: ReceivePayment, account: Account) -> Plan:
    if command.allocations:
        return await cash_application.plan_by_request(tx, account, command.allocations, command.amount)
    if command.apply == "none":
        return NOTHING
    return await cash_application.plan_by_itself(tx, account, command.amount, command.reference)


async def _recover(tx: Tx, account: Account, plan: Plan, payment_id: UUID) -> Plan:
    """Bring back of written-off invoices what the payment pays of them: a debtor who pays after all owed it."""
    parts = []
    for part in plan.parts:
        taken = part.amount_minor + part.difference_minor + part.discount_minor
        missing = taken - part.invoice.balance_minor
        if missing > 0:
            owed = await write_offs.take_back_write_offs(tx, account, part.invoice, missing, payment_id=payment_id)
            part = replace(part, invoice=owed)
        parts.append(part)
    return replace(plan, parts=tuple(parts))


async def _settle(
    tx: Tx, account: Account, plan: Plan, allocations: Sequence[NewAllocation], today: date
) -> list[Outcome]:
    paid = [
        (part.invoice, _paid(part.invoice, [each for each in allocations if each.invoice_id == part.invoice.id], today))
        for part in plan.parts
    ]
    outcomes = await disputes.shrink_disputes(tx, paid, today)
    await invoices.save(tx, account.entity, [outcome.invoice for outcome in outcomes])
    return outcomes


def _paid(invoice: Invoice, allocations: Sequence[NewAllocation], today: date) -> Outcome:
    outcome = Outcome(invoice)
    for each in allocations:
        paid = allocate_to(
            outcome.invoice,
            each.amount_minor,
            received_on=each.effective_on,
            booked_on=today,
            effective_on=each.effective_on,
        )
        outcome = Outcome(paid.invoice, (*outcome.events, *paid.events))
    return outcome


async def _counts_from(tx: Tx, part: Part, counts_on: date) -> list[tuple[date, int]]:
    """From which days the parts of an allocation count. Only where the balance rose since the money came, by more than
    the issue of the invoice, its history is looked up."""
    invoice = part.invoice
    if counts_on >= invoice.raised_on or invoice.raised_on <= invoice.issue_date:
        return [(effective_date(invoice, counts_on), part.amount_minor)]
    changes = await journal.receivable_changes(tx, invoice.customer_id, invoice.id)
    return counts_from(changes, counts_on, part.amount_minor)


async def _new_allocations(tx: Tx, account: Account, plan: Plan, counts_on: date) -> list[NewAllocation]:
    """The plan's parts, each split into what goes to charges and what to the principal, and by the days from which the
    money counts: what paid the principal counts the earliest."""
    charged = [part.invoice.id for part in plan.parts if part.invoice.charged_minor]
    paid = await store.charges_paid(tx, charged) if charged else {}
    order = account.entity.policies.cash_application.allocation_order
    allocations: list[NewAllocation] = []
    for part in plan.parts:
        charges = charges_part(
            part.invoice, part.amount_minor, charges_paid_minor=paid.get(part.invoice.id, 0), order=order
        )
        principal = part.amount_minor - charges
        for day, minor in await _counts_from(tx, part, counts_on):
            of_principal = min(minor, principal)
            principal -= of_principal
            allocations.append(NewAllocation(part.invoice.id, minor, day, minor - of_principal))
    return allocations


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
    numbers = {part.invoice.id: part.invoice.number for part in plan.parts}
    return tuple(
        Allocation(
            payment.id,
            new.invoice_id,
            numbers[new.invoice_id],
            payment.money(new.amount_minor),
            new.effective_on,
            None,
            payment.money(new.charges_minor),
        )
        for new in allocations
    )


async def allocate_payment(tx: Tx, command: AllocatePayment) -> Recorded:
    """Apply unapplied cash of a payment to invoices, with effect from today.

    Raises PaymentNotFound, PaymentIsReversed, CurrencyMismatch, AllocationRefused, OverAllocated.
    """
    account, payment, booked_at = await _lock_payment(tx, command.payment_id)
    rules.still_standing(payment)
    today = account.entity.today(tx.now)
    available = payment.money(payment.unapplied_minor)
    asked = await cash_application.plan_by_request(tx, account, command.allocations, available)
    fixed = any(each.amount for each in command.allocations)
    wanted = with_discounts(asked, payment.unapplied_minor, payment.received_on, fixed=fixed)
    plan = await _recover(tx, account, wanted, payment.id)
    applied, event = rules.apply(payment, plan, effective_on=today, booked_on=today)
    allocations = await _new_allocations(tx, account, plan, today)

    await store.allocate(tx, applied, allocations)
    outcomes = await _settle(tx, account, plan, allocations, today)
    await journal.post(tx, _entries(applied, allocations, today))
    await outbox.append(tx, event, *(event for outcome in outcomes for event in outcome.events))
    paying = Paying(applied.id, applied.received_on, today, today)
    await deductions.take_off_besides(tx, account, paying, plan, outcomes)
    return Recorded(applied, tuple(await store.allocations_of(tx, [payment.id])), booked_at)


async def reverse_payment(tx: Tx, command: ReversePayment) -> Recorded:
    """Take a payment back: what it settled is owed again, and overdue again where it is past due.

    Raises PaymentNotFound, PaymentIsReversed, RefundStands.
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
    reversed_payment, events = rules.reverse(payment, parts, command.reason, today, command.kind)
    planned = await plans.put_back(tx, [(part.invoice, part.amount_minor) for part in parts])
    outcomes = [
        take_from(part.invoice, part.amount_minor, on=today, planned_minor=planned.get(part.invoice.id, 0))
        for part in parts
    ]

    await store.reverse(tx, reversed_payment)
    await invoices.save(tx, account.entity, [outcome.invoice for outcome in outcomes])
    await journal.reverse_payment(tx, payment.id, effective_on=today, booked_on=today)
    await outbox.append(tx, *events, *(event for outcome in outcomes for event in outcome.events))
    adjustments = await invoices.adjustments_from(tx, payment.id)
    await deductions.restore_besides(tx, account, adjustments, [outcome.invoice for outcome in outcomes], today)
    if command.kind in ("bounced", "charged_back"):
        await deliveries.notify(tx, account.entity, account.customer, "payment_returned", payment_id=payment.id)
    taken_back = tuple(replace(each, reversed_on=each.reversed_on or today) for each in allocations)
    return Recorded(reversed_payment, taken_back, booked_at)


async def unapply_payment(tx: Tx, command: UnapplyPayment) -> Recorded:
    """Take all that a payment pays of an invoice off it again: the money is unapplied cash, what it had taken off the
    invoice besides (a discount, a small difference) is owed again, and applying it anew earns what it then earns.

    Raises PaymentNotFound, PaymentIsReversed, AllocationNotFound.
    """
    account, payment, booked_at = await _lock_payment(tx, command.payment_id)
    rules.still_standing(payment)
    today = account.entity.today(tx.now)
    standing = [each for each in await store.standing(tx, command.invoice_id) if each.payment_id == payment.id]
    taken = rules.take_whole(standing, payment, command.invoice_id)
    minor = sum(each.amount_minor for each in taken)
    invoice = await invoices.get_invoice(tx, command.invoice_id)
    unapplied, event = rules.unapply(payment, [Part(invoice, minor)], today, command.reason)
    planned = await plans.put_back(tx, [(invoice, minor)])
    outcome = take_from(invoice, minor, on=today, planned_minor=planned.get(invoice.id, 0))

    await store.unallocate(tx, taken, today, command.reason)
    await store.save(tx, unapplied)
    await invoices.save(tx, account.entity, [outcome.invoice])
    await journal.post(tx, [_unallocated(unapplied, invoice, minor, today)])
    await outbox.append(tx, event, *outcome.events)
    adjustments = [each for each in await invoices.adjustments_from(tx, payment.id) if each.invoice_id == invoice.id]
    await deductions.restore_besides(tx, account, adjustments, [outcome.invoice], today)
    return Recorded(unapplied, tuple(await store.allocations_of(tx, [payment.id])), booked_at)


async def take_back_allocations(tx: Tx, account: Account, invoice: Invoice, amount_minor: int, today: date) -> Invoice:
    """Make money that has paid an invoice unapplied cash of its payments again, the newest allocation first, and return
    the invoice that owes so much more. The caller holds the lock, and has checked that so much was paid."""
    by_payment: dict[UUID, list[rules.Taken]] = defaultdict(list)
    for taken in rules.take_back(await store.standing(tx, invoice.id), amount_minor):
        by_payment[taken.allocation.payment_id].append(taken)
    for payment_id, taken in by_payment.items():
        found = await store.find(tx, payment_id)
        assert found is not None
        minor = sum(each.amount_minor for each in taken)
        payment, event = rules.unapply(found[0], [Part(invoice, minor)], today)
        outcome = take_from(invoice, minor, on=today)
        await store.unallocate(tx, taken, today)
        await store.save(tx, payment)
        await invoices.save(tx, account.entity, [outcome.invoice])
        await journal.post(tx, [_unallocated(payment, invoice, minor, today)])
        await outbox.append(tx, event, *outcome.events)
        invoice = outcome.invoice
    return invoice


def _unallocated(payment: Payment, invoice: Invoice, minor: int, today: date) -> Entry:
    return Entry(
        payment.entity_id,
        payment.customer_id,
        today,
        today,
        "unallocation",
        debit="trade_receivables",
        credit="unapplied_cash",
        amount_minor=minor,
        currency=payment.currency,
        invoice_id=invoice.id,
        payment_id=payment.id,
    )


async def save_payment(tx: Tx, payment: Payment) -> None:
    """Write a payment of which a caller has moved the amounts under the lock of its account."""
    await store.save(tx, payment)


async def lock_payment(tx: Tx, payment_id: UUID) -> tuple[Account, Payment]:
    """A payment for writing: its customer's row is locked first, then it is read. Raises PaymentNotFound."""
    account, payment, _ = await _lock_payment(tx, payment_id)
    return account, payment


async def _lock_payment(tx: Tx, payment_id: UUID) -> tuple[Account, Payment, datetime]:
    whose = await store.account_of(tx, payment_id)
    if whose is None:
        raise PaymentNotFound(f"there is no payment {payment_id}")
    customer_id, entity_id = whose
    account = await customers.lock_account(tx, CustomerRef(customer_id=customer_id), entity_id)
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
