"""Collection ratios over HTTP."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from services.reporting.ageing.rules import ALL_KNOWN, ReportCurrency, ReportDay
from services.reporting.groups.rules import Group, asked_group
from services.reporting.kpis import handlers
from services.reporting.kpis.handlers import Kpis, MeasureCollection
from shared.calendar import local_date
from shared.db import reading
from shared.http.dependencies import DatabaseDep
from shared.http.security import scope
from shared.money import format_minor

router = APIRouter(prefix="/reports", tags=["reports"])


class KpisItem(BaseModel):
    """Amounts as text with the currency's own decimals; days and percent as text with two, null when nothing was sold
    in the window. The formulas are in docs/ and in the rules of this feature."""

    currency: str
    receivables: str = Field(description="Open at the end of `as_of`")
    overdue: str = Field(description="Open and past due")
    credit_sales: str = Field(description="Invoiced in the window (as_of - window_days, as_of]")
    dso: str | None = Field(description="Days sales outstanding: receivables / credit sales x days")
    dso_countback: str | None = Field(
        description="Days of the newest months' sales that the receivables stand for; null when history is short"
    )
    best_possible_dso: str | None = Field(description="DSO were nobody late: current receivables / credit sales x days")
    average_days_delinquent: str | None = Field(description="DSO less best possible DSO")
    cei: str | None = Field(description="Collection effectiveness index, percent of the collectable that was collected")

    @classmethod
    def of(cls, kpis: Kpis) -> "KpisItem":
        r = kpis.ratios
        return cls(
            currency=kpis.currency,
            receivables=format_minor(kpis.receivables_minor, kpis.currency),
            overdue=format_minor(kpis.overdue_minor, kpis.currency),
            credit_sales=format_minor(kpis.sales_minor, kpis.currency),
            dso=_text(r.dso),
            dso_countback=_text(r.dso_countback),
            best_possible_dso=_text(r.best_possible_dso),
            average_days_delinquent=_text(r.average_days_delinquent),
            cei=_text(r.cei),
        )


class KpisOut(BaseModel):
    as_of: date
    window_days: int
    known_at: date | None
    items: list[KpisItem]


@router.get("/kpis", response_model=KpisOut, dependencies=[scope("reports:read")])
async def measure_collection(
    database: DatabaseDep,
    group: Annotated[Group, Depends(asked_group)],
    as_of: Annotated[ReportDay | None, Query(description="End of this day; today when left out")] = None,
    window_days: Annotated[int, Query(ge=1, le=3660, description="Days of credit sales to measure against")] = 90,
    currency: ReportCurrency | None = None,
    known_at: Annotated[ReportDay | None, Query(description="As the books stood at the end of this day")] = None,
) -> KpisOut:
    """How well receivables are collected, one item a currency; of one segment, country, entity, collector or customer
    where it is named, and empty for one that is not there."""
    async with reading(database) as tx:
        on = as_of or local_date(tx.now, "UTC")
        query = MeasureCollection(on, window_days, known_at or ALL_KNOWN, currency, group)
        measured = await handlers.measure_collection(tx, query)
    return KpisOut(as_of=on, window_days=window_days, known_at=known_at, items=[KpisItem.of(kpis) for kpis in measured])


def _text(ratio: Decimal | None) -> str | None:
    return None if ratio is None else str(ratio)
