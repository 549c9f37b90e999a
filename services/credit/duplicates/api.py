"""Suspected duplicates over HTTP."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from services.credit.duplicates import handlers
from services.credit.duplicates.rules import Likeness, Suspect
from shared.db import reading
from shared.http.dependencies import DatabaseDep
from shared.http.security import scope

router = APIRouter(tags=["duplicates"])


class SuspectOut(BaseModel):
    """Somebody who may be the same company; `reasons` are what both have in common, what says most first."""

    id: UUID
    record: Literal["customer", "application"]
    status: str
    name: str
    external_id: str | None
    reasons: tuple[Likeness, ...]

    @classmethod
    def of(cls, suspect: Suspect) -> "SuspectOut":
        of = suspect.company
        return cls(
            id=of.id,
            record=of.record,
            status=of.status,
            name=of.name,
            external_id=of.external_id,
            reasons=suspect.reasons,
        )


class SuspectsOut(BaseModel):
    items: list[SuspectOut]


@router.get("/customers/{customer_id}/duplicates", response_model=SuspectsOut, dependencies=[scope("customers:read")])
async def suspect_duplicates(customer_id: UUID, database: DatabaseDep) -> SuspectsOut:
    """Customers and open applications that may be the same company as this customer, the likeliest first."""
    return await _suspects(database, customer_id)


@router.get(
    "/applications/{application_id}/duplicates", response_model=SuspectsOut, dependencies=[scope("customers:read")]
)
async def suspect_known(application_id: UUID, database: DatabaseDep) -> SuspectsOut:
    """Customers and other open applications that may be the same company as the applicant."""
    return await _suspects(database, application_id)


async def _suspects(database: DatabaseDep, id: UUID) -> SuspectsOut:
    async with reading(database) as tx:
        return SuspectsOut(items=[SuspectOut.of(each) for each in await handlers.suspect_duplicates(tx, id)])
