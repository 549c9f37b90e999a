"""Explanations over HTTP: every contact and every silence, in words."""

from datetime import date, datetime
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
AsOf = Annotated[
    date | None, Query(description="A past day, explained from what is kept of it; without one, as things are now")
]


class FactOut(BaseModel):
    """What the sentences rest on; `source` says where it is from, such as an invoice, a pause or the contact policy."""

    fact: str
    value: str
    source: str


class ExplanationOut(BaseModel):
    """`text` is all of it in one paragraph; the other fields are its sentences. `next_at` is when what is foretold
    happens if nothing else does, `check_at` the next decision. `reason` is the engine's name of why nothing goes out
    (`too_early`, `promised`, `paused` ...), null where that is not known any more; `not_known` is what is not kept of a
    past day."""

    customer_id: UUID
    entity_id: str
    as_of: datetime
    text: str
    situation: str
    last_contact: str
    last_suppression: str | None
    silence: str
    reason: str | None
    next: str
    not_known: str | None
    facts: tuple[FactOut, ...]
    strategy: str
    strategy_version: int
    next_at: datetime | None
    check_at: datetime | None


@router.get("/cases/{customer_id}/explanation", response_model=ExplanationOut, dependencies=[scope("reminders:read")])
async def explain_case(
    customer_id: UUID, database: DatabaseDep, entity_id: EntityId = ENTITY, as_of: AsOf = None
) -> Response:
    """Why the customer was last contacted, why nothing goes out now, what happens next and when."""
    async with reading(database) as tx:
        view, at, found = await handlers.explain_at(tx, customer_id, entity_id, as_of)
    return respond(
        ExplanationOut(
            customer_id=customer_id,
            entity_id=entity_id,
            as_of=at,
            text=found.text,
            situation=found.situation,
            last_contact=found.last_contact,
            last_suppression=found.last_suppression,
            silence=found.silence,
            reason=found.reason,
            next=found.next,
            not_known=found.not_known,
            facts=tuple(FactOut(fact=each.fact, value=each.value, source=each.source) for each in found.facts),
            strategy=found.strategy,
            strategy_version=found.strategy_version,
            next_at=found.next_at,
            check_at=None if found.not_known else view.case.check_at,
        )
    )
