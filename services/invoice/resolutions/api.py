"""How disputes end, over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field, model_validator

from services.invoice.disputes.rules import DisputeOut
from services.invoice.resolutions import handlers
from services.invoice.resolutions.handlers import EndDispute
from services.invoice.resolutions.rules import Outcome
from shared.http.dependencies import Once
from shared.http.models import Body
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["disputes"])


class ResolveDisputeIn(Body):
    outcome: Outcome = Field(
        description="accepted: a credit note over it; rejected by the seller; withdrawn by the customer"
    )
    amount: Money | None = Field(default=None, description="What is accepted; left out: all that is still held")
    note: Annotated[str, Field(min_length=1, max_length=2_000)] | None = Field(
        default=None, description="Of an accepted dispute it is the reason that the credit note gives"
    )
    fresh_days: Annotated[int, Field(ge=0, le=90)] | None = Field(
        default=None, description="Before what is owed again is collected; left out: by the entity's policy"
    )

    @model_validator(mode="after")
    def _fitting(self) -> "ResolveDisputeIn":
        if self.amount and self.outcome != "accepted":
            raise ValueError("an amount is for what is accepted")
        return self


@router.post(
    "/invoices/{invoice_id}/disputes/{dispute_id}/resolution",
    status_code=201,
    response_model=DisputeOut,
    dependencies=[scope("invoices:write")],
)
async def resolve(invoice_id: UUID, dispute_id: UUID, body: ResolveDisputeIn, once: Once) -> Response:
    """End a dispute: what it held back is collected again, or what is accepted of it is credited."""
    command = EndDispute(invoice_id, dispute_id, body.outcome, body.amount, body.note, body.fresh_days)
    async with once as tx:
        dispute, invoice = await handlers.end_dispute(tx, command)
        return once.answer(201, DisputeOut.of(dispute, invoice), etag=dispute.version)
