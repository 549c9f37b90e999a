"""The cash forecast over HTTP."""

from datetime import date, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from services.reporting.ageing.rules import ReportCurrency, ReportDay
from services.reporting.forecasts import handlers
from services.reporting.forecasts.handlers import Basis, ForecastReceipts, MeasureForecasts
from services.reporting.forecasts.rules import Accuracy, Receipts
from services.reporting.groups.rules import Group, asked_group
from shared.calendar import local_date
from shared.db import reading
from shared.http.dependencies import DatabaseDep
from shared.http.security import scope
from shared.money import format_minor

router = APIRouter(prefix="/reports", tags=["reports"])

STEPS = {"day": timedelta(days=1), "week": timedelta(days=7)}


class ReceiptsOut(BaseModel):
    """What is expected in a period, of what is open; four times in five it should be between `low` and `high`."""

    currency: str
    first_day: date
    last_day: date
    expected: str
    low: str
    high: str

    @classmethod
    def of(cls, r: Receipts) -> "ReceiptsOut":
        amounts = (format_minor(minor, r.currency) for minor in (r.expected_minor, r.low_minor, r.high_minor))
        expected, low, high = amounts
        return cls(
            currency=r.currency, first_day=r.first_day, last_day=r.last_day, expected=expected, low=low, high=high
        )


class HitOut(ReceiptsOut):
    received: str
    within: bool


class AccuracyOut(BaseModel):
    """How the weeks before went: `error_percent` is what they were missed by, in percent of what came in."""

    currency: str
    weeks: int
    within_range: int = Field(description="Weeks in which what came in lay between low and high")
    error_percent: str | None
    items: list[HitOut]

    @classmethod
    def of(cls, a: Accuracy) -> "AccuracyOut":
        hits = [
            HitOut(
                **ReceiptsOut.of(hit.forecast).model_dump(),
                received=format_minor(hit.received_minor, a.currency),
                within=hit.within,
            )
            for hit in a.hits
        ]
        error = None if a.error_percent is None else f"{a.error_percent:.1f}"
        return cls(currency=a.currency, weeks=len(hits), within_range=a.within_range, error_percent=error, items=hits)


class ForecastOut(BaseModel):
    as_of: date
    open_items: int = Field(description="Of a customer, those due on one day that went alike count as one")
    promises: int
    plans: int
    learned_from: int = Field(description="Invoices paid in the two years before, from which the habits come")
    items: list[ReceiptsOut]
    accuracy: list[AccuracyOut]
    next_cursor: None = None

    @classmethod
    def of(cls, as_of: date, found: list[Receipts], basis: Basis, accuracy: list[Accuracy]) -> "ForecastOut":
        return cls(
            as_of=as_of,
            open_items=basis.open_items,
            promises=basis.promises,
            plans=basis.plans,
            learned_from=basis.learned_from,
            items=[ReceiptsOut.of(each) for each in found],
            accuracy=[AccuracyOut.of(each) for each in accuracy],
        )


@router.get("/cash-forecast", dependencies=[scope("reports:read")])
async def cash_forecast(
    database: DatabaseDep,
    group: Annotated[Group, Depends(asked_group)],
    as_of: ReportDay | None = None,
    by: Literal["day", "week"] = "week",
    weeks: Annotated[int, Query(ge=1, le=26, description="How far to look")] = 13,
    accuracy_weeks: Annotated[int, Query(ge=0, le=26, description="How many past weeks to measure")] = 4,
    currency: ReportCurrency | None = None,
) -> ForecastOut:
    """Receipts to expect of what is open, from each customer's own behaviour, promises and plans; and beside it how the
    forecasts of the weeks before did, each made from what was known then; of one group of customers where it is named.
    """
    async with reading(database) as tx:
        today = local_date(tx.now, "UTC")
        on = as_of or today
        query = ForecastReceipts(on, today, weeks, STEPS[by], currency, group)
        found, basis = await handlers.forecast_receipts(tx, query)
        accuracy = await handlers.measure_forecasts(tx, MeasureForecasts(on, today, accuracy_weeks, currency, group))
    return ForecastOut.of(on, found, basis, accuracy)
