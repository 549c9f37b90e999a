"""What reminders do, over HTTP."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.reporting.ageing.rules import ReportDay
from services.reporting.effectiveness import handlers
from services.reporting.effectiveness.handlers import CompareMessages
from services.reporting.effectiveness.rules import By, Effect
from shared.calendar import local_date
from shared.db import reading
from shared.http.dependencies import DatabaseDep
from shared.http.security import scope

router = APIRouter(prefix="/reports", tags=["reports"])


class SharesOut(BaseModel):
    """Percent of the invoices that were paid within so many days."""

    days_3: str
    days_7: str
    days_14: str

    @classmethod
    def of(cls, shares: tuple[float, ...] | None) -> "SharesOut | None":
        if shares is None:
            return None
        days_3, days_7, days_14 = (f"{100 * share:.1f}" for share in shares)
        return cls(days_3=days_3, days_7=days_7, days_14=days_14)


class EffectOut(BaseModel):
    group: str
    invoices: int = Field(description="Open invoices the messages were about; one counts for each message")
    compared: int = Field(description="Those for which there were alike ones without a message")
    with_message: SharesOut | None = Field(description="Of those compared; null without any")
    without_message: SharesOut | None = Field(description="Of the alike ones, composed as the others are")

    @classmethod
    def of(cls, e: Effect) -> "EffectOut":
        return cls(
            group=e.group,
            invoices=e.invoices,
            compared=e.compared,
            with_message=SharesOut.of(e.treated),
            without_message=SharesOut.of(e.untreated),
        )


class EffectivenessOut(BaseModel):
    as_of: date
    window_days: int
    items: list[EffectOut]
    next_cursor: None = None


@router.get("/reminder-effectiveness", dependencies=[scope("reports:read")])
async def reminder_effectiveness(
    database: DatabaseDep,
    as_of: ReportDay | None = None,
    window_days: Annotated[int, Query(ge=14, le=730)] = 180,
    group_by: By = "step",
) -> EffectivenessOut:
    """Which step, channel, tone or strategy gets paid within 3, 7 and 14 days, beside invoices just as old, of
    customers just as slow, that got no message.
    """
    async with reading(database) as tx:
        on = as_of or local_date(tx.now, "UTC")
        found = await handlers.compare_messages(tx, CompareMessages(on, window_days, group_by))
    return EffectivenessOut(as_of=on, window_days=window_days, items=[EffectOut.of(each) for each in found])
