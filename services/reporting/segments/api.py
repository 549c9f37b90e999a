"""Segments of customers beside each other, over HTTP."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.reporting.ageing.rules import ALL_KNOWN, ReportCurrency, ReportDay
from services.reporting.segments import handlers
from services.reporting.segments.handlers import CompareSegments, Segment
from shared.calendar import local_date
from shared.db import reading
from shared.http.dependencies import DatabaseDep, PageParams
from shared.http.security import scope
from shared.money import format_minor

router = APIRouter(prefix="/reports", tags=["reports"])


class SegmentItem(BaseModel):
    """A segment in one currency: amounts and ratios as `/v1/reports/kpis` has them of this segment alone."""

    segment: str = Field(description="As ageing by segment has it; `unknown` for customers without one")
    currency: str
    customers: int = Field(description="With something open at the end of `as_of`")
    receivables: str = Field(description="Open at the end of `as_of`")
    overdue: str = Field(description="Open and past due")
    credit_sales: str = Field(description="Invoiced in the window (as_of - window_days, as_of]")
    share_current: str | None = Field(description="Percent of the receivables that is not yet due; null without any")
    dso: str | None
    dso_countback: str | None
    best_possible_dso: str | None
    average_days_delinquent: str | None
    cei: str | None
    paid_invoices: int = Field(description="Settled by money in the window")
    mean_days_late: str | None = Field(
        description="Mean of paid on - due on of those, early ones below zero; null when there are none"
    )

    @classmethod
    def of(cls, s: Segment) -> "SegmentItem":
        k, r = s.kpis, s.kpis.ratios
        return cls(
            segment=s.segment,
            currency=k.currency,
            customers=s.customers,
            receivables=format_minor(k.receivables_minor, k.currency),
            overdue=format_minor(k.overdue_minor, k.currency),
            credit_sales=format_minor(k.sales_minor, k.currency),
            share_current=_text(s.share_current),
            dso=_text(r.dso),
            dso_countback=_text(r.dso_countback),
            best_possible_dso=_text(r.best_possible_dso),
            average_days_delinquent=_text(r.average_days_delinquent),
            cei=_text(r.cei),
            paid_invoices=s.paid_invoices,
            mean_days_late=_text(s.mean_days_late),
        )


class SegmentsOut(BaseModel):
    as_of: date
    window_days: int
    known_at: date | None
    items: list[SegmentItem]
    next_cursor: str | None


@router.get("/segments", response_model=SegmentsOut, dependencies=[scope("reports:read")])
async def compare_segments(
    database: DatabaseDep,
    page: PageParams,
    as_of: Annotated[ReportDay | None, Query(description="End of this day; today when left out")] = None,
    window_days: Annotated[int, Query(ge=1, le=3660, description="Days of sales and payments to look at")] = 90,
    currency: ReportCurrency | None = None,
    known_at: Annotated[ReportDay | None, Query(description="As the books stood at the end of this day")] = None,
) -> SegmentsOut:
    """How the segments of customers stand beside each other: who owes, what, how well it is collected and how late it
    is paid; one item a segment and currency. Customers are in the segments that they are in now."""
    async with reading(database) as tx:
        on, after = as_of or local_date(tx.now, "UTC"), ("", "")
        if page.after:
            # The day travels in the cursor: midnight between two pages must not mix two days' figures.
            on, after = date.fromisoformat(page.after[0]), (page.after[1], page.after[2])
        query = CompareSegments(on, window_days, known_at or ALL_KNOWN, currency, after, page.limit + 1)
        found = await handlers.compare_segments(tx, query)
    shown, more = page.cut(found, lambda last: [on, *last.place])
    return SegmentsOut(
        as_of=on,
        window_days=window_days,
        known_at=known_at,
        items=[SegmentItem.of(each) for each in shown],
        next_cursor=more,
    )


def _text(ratio: Decimal | None) -> str | None:
    return None if ratio is None else str(ratio)
