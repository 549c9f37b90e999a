"""Ageing over HTTP."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.reporting.ageing import handlers, rules
from services.reporting.ageing.handlers import AgeReceivables
from services.reporting.ageing.rules import Buckets, GroupBy, ReportCurrency, ReportDay
from shared.calendar import local_date
from shared.db import reading
from shared.http.cursors import encode_cursor
from shared.http.dependencies import DatabaseDep, PageParams
from shared.http.security import scope
from shared.money import format_minor

router = APIRouter(prefix="/reports", tags=["reports"])


class AgeingItem(BaseModel):
    """Open items of one currency by days overdue: amounts as text with the currency's own decimals."""

    currency: str
    group: str | None = Field(description="The customer's id or the segment; null for the whole")
    label: str | None = Field(description="The group's name")
    current: str
    d1_30: str
    d31_60: str
    d61_90: str
    d91_plus: str
    total: str
    overdue: str
    open_invoices: int

    @classmethod
    def of(cls, b: Buckets) -> "AgeingItem":
        def amount(minor: int) -> str:
            return format_minor(minor, b.currency)

        return cls(
            currency=b.currency,
            group=b.group,
            label=b.label,
            current=amount(b.current),
            d1_30=amount(b.d1_30),
            d31_60=amount(b.d31_60),
            d61_90=amount(b.d61_90),
            d91_plus=amount(b.d91_plus),
            total=amount(b.total),
            overdue=amount(b.overdue),
            open_invoices=b.open_invoices,
        )


class AgeingOut(BaseModel):
    as_of: date
    known_at: date | None
    items: list[AgeingItem]
    next_cursor: str | None


@router.get("/ageing", response_model=AgeingOut, dependencies=[scope("reports:read")])
async def age_receivables(
    database: DatabaseDep,
    page: PageParams,
    as_of: Annotated[ReportDay | None, Query(description="End of this day; today when left out")] = None,
    group_by: Annotated[GroupBy | None, Query(description="One item a group and currency")] = None,
    currency: ReportCurrency | None = None,
    known_at: Annotated[ReportDay | None, Query(description="As the books stood at the end of this day")] = None,
) -> AgeingOut:
    """What was owed at the end of a day by days overdue: the due date itself is still current."""
    async with reading(database) as tx:
        on = as_of or local_date(tx.now, "UTC")
        after: tuple[str, str] = ("", "")
        if page.after:
            # The day travels in the cursor: midnight between two pages must not mix two days' figures.
            on, after = date.fromisoformat(page.after[0]), (page.after[1], page.after[2])
        query = AgeReceivables(on, known_at or rules.ALL_KNOWN, currency, group_by, after, page.limit + 1)
        found = await handlers.age_receivables(tx, query)
    shown = found[: page.limit] if group_by else found
    more = encode_cursor([on, shown[-1].currency, shown[-1].group]) if len(found) > len(shown) else None
    return AgeingOut(as_of=on, known_at=known_at, items=[AgeingItem.of(b) for b in shown], next_cursor=more)
