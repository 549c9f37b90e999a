"""Money that came in, over HTTP."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from services.reporting.ageing.rules import ReportCurrency, ReportDay
from services.reporting.cash_received import handlers
from services.reporting.cash_received.handlers import CashMonth, ReceiveCash
from services.reporting.groups.rules import Group, asked_group
from shared.calendar import local_date, month_end
from shared.db import reading
from shared.http.dependencies import DatabaseDep
from shared.http.security import scope
from shared.money import format_minor

router = APIRouter(prefix="/reports", tags=["reports"])


class CashItem(BaseModel):
    currency: str
    first_day: date
    last_day: date = Field(description="Of the month, or `as_of`")
    received: str = Field(description="Applied to invoices, less what was taken back")

    @classmethod
    def of(cls, found: CashMonth, as_of: date) -> "CashItem":
        return cls(
            currency=found.currency,
            first_day=found.month,
            last_day=min(month_end(found.month), as_of),
            received=format_minor(found.received_minor, found.currency),
        )


class CashOut(BaseModel):
    as_of: date
    items: list[CashItem] = Field(description="Currency by currency, oldest first")
    next_cursor: None = None


@router.get("/cash-received", dependencies=[scope("reports:read")])
async def cash_received(
    database: DatabaseDep,
    group: Annotated[Group, Depends(asked_group)],
    as_of: Annotated[ReportDay | None, Query(description="End of this day; today when left out")] = None,
    months: Annotated[int, Query(ge=0, le=120, description="Whole months before that of `as_of`")] = 12,
    currency: ReportCurrency | None = None,
) -> CashOut:
    """Money that was applied to invoices, by the month it counts for; of one group of customers where it is named."""
    async with reading(database) as tx:
        on = as_of or local_date(tx.now, "UTC")
        found = await handlers.received_by_month(tx, ReceiveCash(on, months, currency, group))
    return CashOut(as_of=on, items=[CashItem.of(each, on) for each in found])
