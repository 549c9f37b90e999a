"""The queue of drafts that wait too long. Drafts themselves are invoices of status `draft`: see invoices."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from services.invoice.drafts import handlers
from services.invoice.drafts.rules import Draft
from shared.db import reading
from shared.http.dependencies import DatabaseDep, PageParams
from shared.http.models import Page
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["drafts"])


class LateDraftOut(BaseModel):
    """A draft that is older than its entity allows, and who has to finish it."""

    id: UUID
    entity_id: str
    customer_id: UUID
    owner: str
    reference: str | None
    created_at: datetime
    changed_at: datetime
    days: int

    @classmethod
    def of(cls, draft: Draft, now: datetime) -> "LateDraftOut":
        return cls(
            id=draft.id,
            entity_id=draft.entity_id,
            customer_id=draft.customer_id,
            owner=draft.owner,
            reference=draft.body.get("reference"),
            created_at=draft.created_at,
            changed_at=draft.changed_at,
            days=(now - draft.created_at).days,
        )


@router.get("/draft-queue", response_model=Page[LateDraftOut], dependencies=[scope("invoices:read")])
async def find(
    database: DatabaseDep, page: PageParams, owner: Annotated[str | None, Query(min_length=1, max_length=200)] = None
) -> Response:
    """Drafts older than the entity's `draft_days_max`, the oldest first."""
    after = (datetime.fromisoformat(page.after[0]), UUID(page.after[1])) if page.after else None
    async with reading(database) as tx:
        found = await handlers.late_drafts(tx, after, owner, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.created_at.isoformat(), last.id])
    return respond(Page[LateDraftOut](items=[LateDraftOut.of(each, tx.now) for each in shown], next_cursor=more))
