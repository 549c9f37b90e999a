"""Top debtors over HTTP."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.reporting.ageing.rules import ALL_KNOWN, ReportCurrency, ReportDay
from services.reporting.debtors import handlers
from services.reporting.debtors.handlers import RankDebtors
from services.reporting.debtors.rules import Debtor, SortBy
from shared.calendar import local_date
from shared.db import reading
from shared.http.dependencies import DatabaseDep
from shared.http.security import scope
from shared.money import format_minor

router = APIRouter(prefix="/reports", tags=["reports"])


class DebtorItem(BaseModel):
    """A customer with something open in one currency; amounts as text with the currency's own decimals."""

    customer_id: UUID
    name: str
    external_id: str | None
    segment: str | None
    currency: str
    current: str
    d1_30: str
    d31_60: str
    d61_90: str
    d91_plus: str
    total: str
    overdue: str
    share_percent: str = Field(description="Of everything open in this currency")
    oldest_due_on: date
    oldest_days_overdue: int
    open_invoices: int

    @classmethod
    def of(cls, d: Debtor) -> "DebtorItem":
        current, d1_30, d31_60, d61_90, d91_plus = (format_minor(minor, d.currency) for minor in d.split)
        return cls(
            customer_id=d.customer_id,
            name=d.name,
            external_id=d.external_id,
            segment=d.segment,
            currency=d.currency,
            current=current,
            d1_30=d1_30,
            d31_60=d31_60,
            d61_90=d61_90,
            d91_plus=d91_plus,
            total=format_minor(d.total_minor, d.currency),
            overdue=format_minor(d.overdue_minor, d.currency),
            share_percent=str(d.share_percent),
            oldest_due_on=d.oldest_due_on,
            oldest_days_overdue=d.days_overdue,
            open_invoices=d.open_invoices,
        )


class TopDebtorsOut(BaseModel):
    as_of: date
    known_at: date | None
    items: list[DebtorItem]
    next_cursor: None = None


@router.get("/top-debtors", response_model=TopDebtorsOut, dependencies=[scope("reports:read")])
async def rank_debtors(
    database: DatabaseDep,
    as_of: Annotated[ReportDay | None, Query(description="End of this day; today when left out")] = None,
    currency: ReportCurrency | None = None,
    sort_by: Annotated[SortBy, Query(description="Largest first")] = "total",
    limit: Annotated[int, Query(ge=1, le=500, description="Customers of each currency")] = 10,
    known_at: Annotated[ReportDay | None, Query(description="As the books stood at the end of this day")] = None,
) -> TopDebtorsOut:
    """Who owes most: the first `limit` customers of each currency, since two currencies do not compare."""
    async with reading(database) as tx:
        on = as_of or local_date(tx.now, "UTC")
        query = RankDebtors(on, known_at or ALL_KNOWN, currency, sort_by, limit)
        debtors = await handlers.rank_debtors(tx, query)
    return TopDebtorsOut(as_of=on, known_at=known_at, items=[DebtorItem.of(debtor) for debtor in debtors])
