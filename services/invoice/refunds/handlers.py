"""Refunds: booked when finance sends the money back; the transfer itself is made at the bank."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.invoice.journal import handlers as journal
from services.invoice.payments import handlers as payments
from services.invoice.payments.rules import Payment
from services.invoice.refunds import rules, store
from services.invoice.refunds.rules import Refund, RefundNotFound
from shared import outbox
from shared.db import Tx
from shared.ids import new_id
from shared.money import Money


@dataclass(frozen=True, slots=True)
class RefundPayment:
    payment_id: UUID
    amount: Money | None
    reason: str
    method: str
    requested_by: str


async def refund_payment(tx: Tx, command: RefundPayment) -> tuple[Refund, Payment]:
    """Send unapplied cash back. Raises PaymentNotFound, PaymentIsReversed, RefundRefused."""
    account, payment = await payments.lock_payment(tx, command.payment_id)
    amount = rules.refunded_amount(payment, command.amount)
    refund = Refund(
        id=new_id(),
        entity_id=payment.entity_id,
        customer_id=payment.customer_id,
        payment_id=payment.id,
        currency=payment.currency,
        amount_minor=amount,
        reason=command.reason,
        method=command.method,
        refunded_on=account.entity.today(tx.now),
        requested_by=command.requested_by,
        booked_at=tx.now,
    )
    payment, event = rules.refund(payment, refund)
    await store.insert(tx, refund)
    await payments.save_payment(tx, payment)
    await journal.post(tx, [rules.entry(refund)])
    await outbox.append(tx, event)
    return refund, payment


@dataclass(frozen=True, slots=True)
class ReverseRefund:
    refund_id: UUID
    reason: str


async def reverse_refund(tx: Tx, command: ReverseRefund) -> tuple[Refund, Payment]:
    """Take a refund back: the transfer bounced, was never made, or was booked by mistake.

    Raises RefundNotFound, RefundIsReversed.
    """
    seen = await get_refund(tx, command.refund_id)
    account, payment = await payments.lock_payment(tx, seen.payment_id)
    today = account.entity.today(tx.now)
    refund = await get_refund(tx, seen.id)
    payment, refund, event = rules.take_back(payment, refund, command.reason, today)
    await store.reverse(tx, refund)
    await payments.save_payment(tx, payment)
    await journal.reverse_source(tx, [refund.id], effective_on=today, booked_on=today)
    await outbox.append(tx, event)
    return refund, payment


async def get_refund(tx: Tx, refund_id: UUID) -> Refund:
    """Raises RefundNotFound."""
    found = await store.find(tx, refund_id)
    if found is None:
        raise RefundNotFound(f"there is no refund {refund_id}")
    return found


async def list_refunds(
    tx: Tx, *, after: UUID | None, payment_id: UUID | None, customer_id: UUID | None, limit: int
) -> list[Refund]:
    """In the order they were booked."""
    return await store.page(tx, after, payment_id, customer_id, limit)
