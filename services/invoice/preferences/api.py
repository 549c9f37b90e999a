"""How a customer wants to receive its documents, over HTTP."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.invoice.entities.rules import DEFAULT
from services.invoice.preferences import handlers
from services.invoice.preferences.handlers import ChangePreference
from services.invoice.preferences.rules import Preference, Rhythm
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch
from shared.http.models import Body
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["deliveries"], dependencies=[scope("invoices:read")])

Entity = Annotated[str, Query(min_length=1, max_length=64)]


class PreferenceIn(Body):
    statements: Rhythm | None = Field(
        default=None, description="A statement of account after each week or month, or never; null: as the entity does"
    )
    paper: bool = Field(default=False, description="Statements, receipts, credit notes and notices go as letters")


class PreferenceOut(BaseModel):
    """`next_statement_from` is the first day of the period whose statement is next."""

    customer_id: UUID
    entity_id: str
    version: int
    statements: Rhythm | None
    paper: bool
    next_statement_from: date | None

    @classmethod
    def of(cls, preference: Preference) -> "PreferenceOut":
        return cls(
            customer_id=preference.customer_id,
            entity_id=preference.entity_id,
            version=preference.version,
            statements=preference.statements,
            paper=preference.paper,
            next_statement_from=preference.period_first,
        )


@router.get("/customers/{customer_id}/document-preferences", response_model=PreferenceOut)
async def look_at(customer_id: UUID, database: DatabaseDep, entity_id: Entity = DEFAULT) -> Response:
    """What was never set is version 0: mails, and statements as the entity sends them."""
    async with reading(database) as tx:
        preference = await handlers.get_preference(tx, customer_id, entity_id)
    return respond(PreferenceOut.of(preference), etag=preference.version)


@router.put(
    "/customers/{customer_id}/document-preferences",
    response_model=PreferenceOut,
    dependencies=[scope("invoices:write")],
)
async def change(
    customer_id: UUID, body: PreferenceIn, version: IfMatch, database: DatabaseDep, entity_id: Entity = DEFAULT
) -> Response:
    """Set both at once; a new rhythm begins with the period that runs."""
    command = ChangePreference(customer_id, entity_id, version, body.statements, body.paper)
    async with transaction(database) as tx:
        preference = await handlers.change_preference(tx, command)
    return respond(PreferenceOut.of(preference), etag=preference.version)
