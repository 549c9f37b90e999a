"""Merging customers over HTTP."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.credit.mergers import handlers
from services.credit.mergers.handlers import MergeCustomers
from services.credit.mergers.rules import Merger
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once, PrincipalDep
from shared.http.models import Body
from shared.http.security import scope

router = APIRouter(tags=["duplicates"])


class MergeIn(Body):
    into_id: UUID = Field(description="The customer that goes on")
    reason: Annotated[str, Field(min_length=1, max_length=400)]


class MergerOut(BaseModel):
    """`customer_id` is closed and goes on as `into_id`; `moved` counts what was moved."""

    customer_id: UUID
    into_id: UUID
    reason: str
    merged_by: str
    merged_at: datetime
    moved: Mapping[str, int]

    @classmethod
    def of(cls, merger: Merger) -> "MergerOut":
        return cls(**{name: getattr(merger, name) for name in cls.model_fields})


class MergersOut(BaseModel):
    items: list[MergerOut]


@router.post(
    "/customers/{customer_id}/merger",
    status_code=201,
    response_model=MergerOut,
    dependencies=[scope("customers:write", "credit:write")],
)
async def merge_customers(customer_id: UUID, body: MergeIn, once: Once, principal: PrincipalDep) -> Response:
    """Close this customer, because it is the same company as another. What credit knows of it is the other's from now
    on, and what is open on its invoices counts against the other's limit. There is no way back."""
    async with once as tx:
        command = MergeCustomers(customer_id, body.into_id, body.reason, principal.subject)
        merger = await handlers.merge_customers(tx, command)
        return once.answer(201, MergerOut.of(merger), location=f"/v1/customers/{merger.into_id}")


@router.get("/customers/{customer_id}/mergers", response_model=MergersOut, dependencies=[scope("customers:read")])
async def list_mergers(customer_id: UUID, database: DatabaseDep) -> MergersOut:
    """Who goes on as this customer, and as whom it goes on itself."""
    async with reading(database) as tx:
        return MergersOut(items=[MergerOut.of(each) for each in await handlers.list_mergers(tx, customer_id)])
