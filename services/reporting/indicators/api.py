"""Indicators of collection over HTTP."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from services.reporting.ageing.rules import ReportCurrency, ReportDay
from services.reporting.groups.rules import Group, asked_group
from services.reporting.indicators import handlers
from services.reporting.indicators.handlers import Indicators, ReadIndicators, ReadTrend, TrendPoint
from services.reporting.indicators.rules import Unit
from shared.calendar import local_date
from shared.db import reading
from shared.http.dependencies import DatabaseDep
from shared.http.security import scope
from shared.money import format_minor

router = APIRouter(prefix="/reports", tags=["reports"])

GroupDep = Annotated[Group, Depends(asked_group)]


class BenchmarkOut(BaseModel):
    value: str
    industry: str
    segment: str | None = Field(default=None, description="Whose it is alone; null for every segment")
    as_of: date
    source: str
    url: str | None


class IndicatorOut(BaseModel):
    """A figure by its name; docs/figures.md has its formula and source. Null where there is nothing to divide by."""

    name: str
    unit: Unit
    value: str | None
    benchmarks: list[BenchmarkOut]


class IndicatorsItem(BaseModel):
    currency: str
    indicators: list[IndicatorOut]

    @classmethod
    def of(cls, found: Indicators) -> "IndicatorsItem":
        return cls(
            currency=found.currency,
            indicators=[
                IndicatorOut(
                    name=each.name,
                    unit=each.unit,
                    value=_text(each.value),
                    benchmarks=[BenchmarkOut.model_validate(entry) for entry in found.benchmarks.get(each.name, ())],
                )
                for each in found.indicators
            ],
        )


class IndicatorsOut(BaseModel):
    as_of: date
    window_days: int
    items: list[IndicatorsItem]


class TrendItem(BaseModel):
    """The end of a month, or the day asked for."""

    currency: str
    on: date
    receivables: str
    overdue: str
    credit_sales: str
    dso: str | None
    best_possible_dso: str | None
    average_days_delinquent: str | None
    cei: str | None
    share_current: str | None

    @classmethod
    def of(cls, point: TrendPoint) -> "TrendItem":
        return cls(
            currency=point.currency,
            on=point.on,
            receivables=format_minor(point.receivables_minor, point.currency),
            overdue=format_minor(point.overdue_minor, point.currency),
            credit_sales=format_minor(point.sales_minor, point.currency),
            dso=_text(point.ratios.dso),
            best_possible_dso=_text(point.ratios.best_possible_dso),
            average_days_delinquent=_text(point.ratios.average_days_delinquent),
            cei=_text(point.ratios.cei),
            share_current=_text(point.share_current),
        )


class TrendOut(BaseModel):
    as_of: date
    window_days: int
    items: list[TrendItem] = Field(description="Currency by currency, oldest first")


@router.get("/indicators", response_model=IndicatorsOut, dependencies=[scope("reports:read")])
async def read_indicators(
    database: DatabaseDep,
    group: GroupDep,
    as_of: Annotated[ReportDay | None, Query(description="End of this day; today when left out")] = None,
    window_days: Annotated[int, Query(ge=1, le=3660, description="The days up to `as_of` that are looked at")] = 90,
    currency: ReportCurrency | None = None,
) -> IndicatorsOut:
    """Every indicator and variant by its name, each beside the benchmarks there are for it; of one group of customers
    where it is named, beside the benchmarks of that segment too."""
    async with reading(database) as tx:
        on = as_of or local_date(tx.now, "UTC")
        found = await handlers.read_indicators(tx, ReadIndicators(on, window_days, currency, group))
    return IndicatorsOut(as_of=on, window_days=window_days, items=[IndicatorsItem.of(each) for each in found])


@router.get("/indicators/trend", response_model=TrendOut, dependencies=[scope("reports:read")])
async def read_trend(
    database: DatabaseDep,
    group: GroupDep,
    as_of: Annotated[ReportDay | None, Query(description="End of this day; today when left out")] = None,
    months: Annotated[int, Query(ge=1, le=120, description="Month ends before it")] = 12,
    window_days: Annotated[int, Query(ge=1, le=3660, description="Days of credit sales to measure against")] = 90,
    currency: ReportCurrency | None = None,
) -> TrendOut:
    """The course of the main indicators, month by month; of one group of customers where it is named."""
    async with reading(database) as tx:
        on = as_of or local_date(tx.now, "UTC")
        points = await handlers.read_trend(tx, ReadTrend(on, months, window_days, currency, group))
    return TrendOut(as_of=on, window_days=window_days, items=[TrendItem.of(point) for point in points])


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
