"""Reasons of late payment over HTTP."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from services.reminder.late_payment_reasons import handlers
from services.reminder.late_payment_reasons.rules import Counted
from shared.db import reading
from shared.events.reminder import LatePaymentReason
from shared.http.dependencies import DatabaseDep
from shared.http.models import Page
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["reasons"])


class CountedOut(BaseModel):
    """`segment` is null where the customers had none; in a reply's case it is that of when it was dealt with."""

    segment: str | None
    reason: LatePaymentReason
    replies: int
    calls: int
    customers: int

    @classmethod
    def of(cls, counted: Counted) -> "CountedOut":
        return cls(**{name: getattr(counted, name) for name in cls.model_fields})


@router.get("/late-payment-reasons", response_model=Page[CountedOut], dependencies=[scope("reminders:read")])
async def count(
    database: DatabaseDep,
    first: Annotated[date, Query(alias="from")],
    last: Annotated[date, Query(alias="to")],
    entity_id: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """Why customers pay late, counted by segment over the days on which people found out, both included."""
    async with reading(database) as tx:
        found = await handlers.count(tx, first, last, entity_id)
    return respond(Page[CountedOut](items=[CountedOut.of(each) for each in found], next_cursor=None))
