"""Receipts for payments."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from services.invoice.customers import handlers as customers
from services.invoice.customers.handlers import CustomerRef
from services.invoice.invoices import handlers as invoices
from services.invoice.payments import handlers as payments
from services.invoice.printing import handlers as printing
from services.invoice.receipts import rules
from services.invoice.receipts.rules import Receipt, Settled
from shared.db import Tx


async def get_receipt(tx: Tx, payment_id: UUID) -> Receipt:
    """The payment, what stands of its allocations, and what the customer owes now. Raises PaymentNotFound."""
    recorded = await payments.get_payment(tx, payment_id)
    payment = recorded.payment
    account = await customers.find_account(tx, CustomerRef(payment.customer_id), payment.entity_id)
    if account is None:
        raise LookupError(f"payment {payment_id} is of a customer that is not here")
    paid: dict[UUID, int] = defaultdict(int)
    for allocation in recorded.allocations:
        if allocation.reversed_on is None:
            paid[allocation.invoice_id] += allocation.amount.minor
    named = await invoices.named(tx, payment.customer_id, payment.entity_id, [], list(paid))
    items = await invoices.open_items(tx, payment.customer_id, payment.entity_id)
    settled = tuple(Settled(invoice, paid[invoice.id]) for invoice in named)
    return Receipt(payment, account, settled, rules.owed(items))


def print_receipt(receipt: Receipt, pay_link: str, language: str | None = None) -> bytes:
    """The receipt as PDF; takes processor time, so by `asyncio.to_thread`."""
    view = rules.receipt_view(receipt, pay_link, language)
    return printing.typeset("receipt", view, receipt.payment.received_on)
