"""The selling entity that looks after a customer, over HTTP."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.credit.customers import handlers as customers
from services.credit.sellers import handlers
from services.credit.sellers.handlers import AssignSeller
from services.credit.sellers.rules import Assigned, EntityId
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch, PrincipalDep, ResourcesDep
from shared.http.models import Body
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["customers"])


class AssignSellerIn(Body):
    entity_id: EntityId = Field(description="A selling entity of the invoice service")


class SellerOut(BaseModel):
    """Version 0 is the default entity, which looks after everybody of whom nothing else is said."""

    entity_id: str
    version: int
    changed_by: str | None
    changed_at: datetime | None

    @classmethod
    def of(cls, assigned: Assigned) -> "SellerOut":
        return cls.model_validate(assigned, from_attributes=True)


@router.get("/customers/{customer_id}/seller", response_model=SellerOut, dependencies=[scope("customers:read")])
async def show_seller(customer_id: UUID, database: DatabaseDep) -> Response:
    """In whose name the customer is written to about its limit and terms."""
    async with reading(database) as tx:
        await customers.get_customer(tx, customer_id)
        assigned = await handlers.seller_of(tx, customer_id)
    return respond(SellerOut.of(assigned), etag=assigned.version)


@router.put("/customers/{customer_id}/seller", response_model=SellerOut, dependencies=[scope("customers:write")])
async def assign_seller(
    customer_id: UUID,
    body: AssignSellerIn,
    version: IfMatch,
    database: DatabaseDep,
    principal: PrincipalDep,
    resources: ResourcesDep,
) -> Response:
    """Have another selling entity look after the customer: its name, contact and bank account stand in what is written
    from now on. Limits and invoices are not touched."""
    await resources.sellers.find_seller(body.entity_id)
    async with transaction(database) as tx:
        assigned = await handlers.assign_seller(
            tx, AssignSeller(customer_id, body.entity_id, version, principal.subject)
        )
    return respond(SellerOut.of(assigned), etag=assigned.version)
