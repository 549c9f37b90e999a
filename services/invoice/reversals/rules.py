"""What a payment that bounced costs the customer: the bank's charge, where the entity passes it on."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.invoice.entities.rules import Entity
from services.invoice.invoices.rules import Invoice
from services.invoice.payments.rules import Payment
from shared.errors import Conflict
from shared.money import Money


class BankChargeRefused(Conflict):
    slug = "bank-charge"
    title = "The bank's charge cannot be passed on"


def chargeable(payment: Payment, entity: Entity, amount: Money, settled: Sequence[Invoice]) -> UUID:
    """The invoice that bears the charge: of those the payment had settled, the one due longest, in the charge's
    currency. Raises BankChargeRefused."""
    if not entity.policies.pass_on_bank_charges:
        raise BankChargeRefused("the entity's policy is not to pass on what its bank charges")
    if payment.reversed_on is None:
        raise BankChargeRefused("the payment was not reversed")
    if payment.reversal_kind == "booked_by_mistake":
        raise BankChargeRefused("the payment was booked by mistake, which is not the customer's")
    bearing = [each for each in settled if each.currency == amount.currency and not each.voided_on]
    if not bearing:
        raise BankChargeRefused(f"the payment had settled no invoice in {amount.currency} that could bear the charge")
    return min(bearing, key=lambda each: (each.due_date, each.id)).id
