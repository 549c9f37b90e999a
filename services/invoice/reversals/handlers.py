"""The bank's charge for a payment that bounced, passed on once."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.invoice.interest import handlers as interest
from services.invoice.interest.handlers import ChargeInvoice
from services.invoice.interest.rules import Charge
from services.invoice.invoices import handlers as invoices
from services.invoice.payments import handlers as payments
from services.invoice.reversals import rules, store
from services.invoice.reversals.rules import BankChargeRefused
from shared.db import Tx
from shared.money import Money


@dataclass(frozen=True, slots=True)
class PassOnBankCharge:
    payment_id: UUID
    amount: Money
    reason: str = "returned payment"


async def pass_on_bank_charge(tx: Tx, command: PassOnBankCharge) -> Charge:
    """Charge the customer, on the invoice due longest of those the payment had settled.

    Raises PaymentNotFound, BankChargeRefused, and what a charge may raise.
    """
    account, payment = await payments.lock_payment(tx, command.payment_id)
    recorded = await payments.get_payment(tx, payment.id)
    ids = list(dict.fromkeys(each.invoice_id for each in recorded.allocations))
    settled = await invoices.named(tx, payment.customer_id, payment.entity_id, [], ids) if ids else []
    bearing = rules.chargeable(payment, account.entity, command.amount, settled)
    if await store.find(tx, payment.id):
        raise BankChargeRefused("the bank's charge for the payment was passed on already")
    charge, _ = await interest.charge_invoice(
        tx, ChargeInvoice(bearing, "fee", reason=command.reason, amount=command.amount)
    )
    await store.insert(tx, payment.id, charge.id)
    return charge
