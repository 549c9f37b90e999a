"""The bank's charge for a payment that bounced, over HTTP."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.invoice.reversals import handlers
from services.invoice.reversals.handlers import PassOnBankCharge
from shared.http.dependencies import Once
from shared.http.models import Body
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["payments"])


class BankChargeIn(Body):
    amount: Money
    reason: Annotated[str, Field(min_length=1, max_length=200)] = "returned payment"


class BankChargeOut(BaseModel):
    """The charge stands with the invoice's others, and can be waived there."""

    charge_id: UUID
    payment_id: UUID
    invoice_id: UUID
    amount: Money
    effective_on: date
    reason: str


@router.post(
    "/payments/{payment_id}/bank-charge",
    status_code=201,
    response_model=BankChargeOut,
    dependencies=[scope("payments:write", "invoices:write")],
)
async def pass_on(payment_id: UUID, body: BankChargeIn, once: Once) -> Response:
    """Charge the customer with what the bank took for a payment that bounced or was charged back, once a payment; by
    the entity's policy `pass_on_bank_charges`."""
    async with once as tx:
        charge = await handlers.pass_on_bank_charge(tx, PassOnBankCharge(payment_id, body.amount, body.reason))
        answer = BankChargeOut(
            charge_id=charge.id,
            payment_id=payment_id,
            invoice_id=charge.invoice_id,
            amount=Money(charge.amount_minor, charge.currency),
            effective_on=charge.effective_on,
            reason=charge.reason,
        )
        return once.answer(201, answer)
