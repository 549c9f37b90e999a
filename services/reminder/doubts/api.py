"""Messages in doubt over HTTP: a person says what became of one."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.reminder.doubts import handlers
from services.reminder.doubts.handlers import SettleContact
from services.reminder.doubts.rules import Settlement
from shared.http.dependencies import Once, PrincipalDep
from shared.http.models import Body
from shared.http.security import scope

router = APIRouter(tags=["contacts"])


class SettlementIn(Body):
    arrived: bool = Field(description="Whether the message reached the customer")
    note: str | None = Field(default=None, max_length=1_000, description="How that was found out")


class SettlementOut(BaseModel):
    """`repeated_by` is the contact that sends a message once more that did not arrive; `not_repeated_because` says why
    there is none."""

    contact_id: UUID
    arrived: bool
    note: str | None
    settled_by: str
    settled_at: datetime
    repeated_by: UUID | None
    not_repeated_because: str | None

    @classmethod
    def of(cls, settlement: Settlement) -> "SettlementOut":
        return cls(
            contact_id=settlement.contact_id,
            arrived=settlement.arrived,
            note=settlement.note,
            settled_by=settlement.settled_by,
            settled_at=settlement.settled_at,
            repeated_by=settlement.repeated_by,
            not_repeated_because=settlement.not_repeated_because,
        )


@router.post(
    "/contacts/{contact_id}/settlement",
    status_code=201,
    response_model=SettlementOut,
    dependencies=[scope("reminders:write")],
)
async def settle_contact(contact_id: UUID, body: SettlementIn, once: Once, principal: PrincipalDep) -> Response:
    """What became of a message in doubt: arrived, it counts as sent; not arrived, it is sent once more while its step
    is still the newest."""
    async with once as tx:
        command = SettleContact(contact_id, body.arrived, principal.subject, body.note)
        settlement = await handlers.settle_contact(tx, command)
        return once.answer(201, SettlementOut.of(settlement), location=f"/v1/contacts/{contact_id}")
