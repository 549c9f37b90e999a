"""Explanations over HTTP: every contact and every silence, in words."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from services.reminder.explanations import handlers
from services.reminder.receivables.rules import ENTITY
from shared.db import reading
from shared.http.dependencies import DatabaseDep
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["cases"])

EntityId = Annotated[str, Query(min_length=1, max_length=40)]


class ExplanationOut(BaseModel):
    """`text` is all of it in one paragraph; the other fields are its sentences. `check_at` is the next decision."""

    customer_id: UUID
    as_of: datetime
    text: str
    situation: str
    last_contact: str
    last_suppression: str | None
    silence: str
    next: str
    strategy: str
    strategy_version: int
    check_at: datetime | None


@router.get("/cases/{customer_id}/explanation", response_model=ExplanationOut, dependencies=[scope("reminders:read")])
async def explain_case(customer_id: UUID, database: DatabaseDep, entity_id: EntityId = ENTITY) -> Response:
    """Why the customer was last contacted, why nothing goes out now, what happens next and when."""
    async with reading(database) as tx:
        view, found = await handlers.explain_case(tx, customer_id, entity_id)
        now = tx.now
    return respond(
        ExplanationOut(
            customer_id=customer_id,
            as_of=now,
            text=found.text,
            situation=found.situation,
            last_contact=found.last_contact,
            last_suppression=found.last_suppression,
            silence=found.silence,
            next=found.next,
            strategy=view.strategy.name,
            strategy_version=view.strategy.version,
            check_at=view.case.check_at,
        )
    )
