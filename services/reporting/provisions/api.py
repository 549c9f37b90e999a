"""The provision matrix over HTTP."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.reporting.ageing import rules as ageing
from services.reporting.ageing.rules import ReportCurrency, ReportDay
from services.reporting.provisions import handlers
from services.reporting.provisions.handlers import ProvideFor, Provision
from services.reporting.provisions.rules import SEEN_MIN, GroupBy, RateFrom
from shared.calendar import local_date
from shared.db import reading
from shared.http.dependencies import DatabaseDep
from shared.http.security import scope
from shared.money import format_minor

router = APIRouter(prefix="/reports", tags=["reports"])


class ProvisionLine(BaseModel):
    """A bucket of days past due; `rate_percent` and `provision` are null where nothing was seen in it in the past."""

    days_from: int | None
    days_to: int | None
    amount: str = Field(description="Open at the end of `as_of`")
    seen: str = Field(description="Open in this bucket at the months' ends looked at, added up")
    lost: str = Field(description="What of that was written off within the horizon")
    rate_percent: str | None = Field(description="Lost of seen, with the adjustment")
    provision: str | None
    rate_from: RateFrom | None = Field(
        description="Of a group: whether what was seen and lost is its own, or the book's where it was seen too little"
    )
    invoices_seen: int | None = Field(description="Of a group: open invoices of its own at the months' ends, added up")


class ProvisionItem(BaseModel):
    currency: str
    group: str | None = Field(description="The segment, country or entity; null for the whole")
    lines: list[ProvisionLine]
    total: str
    provision: str | None

    @classmethod
    def of(cls, p: Provision) -> "ProvisionItem":
        def amount(minor: int) -> str:
            return format_minor(minor, p.currency)

        def known(minor: int | None) -> str | None:
            return None if minor is None else amount(minor)

        return cls(
            currency=p.currency,
            group=p.group,
            lines=[
                ProvisionLine(
                    days_from=line.days_from,
                    days_to=line.days_to,
                    amount=amount(line.open_minor),
                    seen=amount(line.seen_minor),
                    lost=amount(line.lost_minor),
                    rate_percent=None if line.rate_percent is None else str(line.rate_percent),
                    provision=known(line.provision_minor),
                    rate_from=line.rate_from,
                    invoices_seen=line.invoices_seen if line.rate_from else None,
                )
                for line in p.lines
            ],
            total=amount(p.total_minor),
            provision=known(p.provision_minor),
        )


class ProvisionOut(BaseModel):
    as_of: date
    months: int
    horizon_months: int
    adjustment_percent: str
    group_by: GroupBy | None
    seen_min: int | None = Field(description="Of groups: from how many invoices seen in a bucket its own losses count")
    looked_at: list[date] = Field(description="The months' ends that the rates are from")
    items: list[ProvisionItem]


@router.get("/provision", response_model=ProvisionOut, dependencies=[scope("reports:read")])
async def provide_for(
    database: DatabaseDep,
    as_of: Annotated[ReportDay | None, Query(description="End of this day; today when left out")] = None,
    months: Annotated[int, Query(ge=1, le=120, description="Months' ends to take experience from")] = 24,
    horizon_months: Annotated[int, Query(ge=1, le=60, description="Losses so many months behind each count")] = 12,
    adjustment_percent: Annotated[
        Decimal, Query(ge=-100, le=1000, description="Current and forward-looking information, in percent of the rate")
    ] = Decimal(0),
    buckets: Annotated[str, Query(max_length=80, description="Last days of the buckets")] = "30,60,90",
    currency: ReportCurrency | None = None,
    group_by: Annotated[
        GroupBy | None, Query(description="A matrix for each group, as customers are in it now")
    ] = None,
    seen_min: Annotated[
        int,
        Query(ge=1, le=1_000_000, description="Invoices a group was seen with in a bucket before its own losses count"),
    ] = SEEN_MIN,
) -> ProvisionOut:
    """Lifetime expected credit losses of trade receivables by a provision matrix (IFRS 9, 5.5.15 and B5.5.35), with
    loss rates from the company's own write-offs; grouped where losses differ between groups of customers (B5.5.35)."""
    days = ageing.read_days(buckets)
    async with reading(database) as tx:
        on = as_of or local_date(tx.now, "UTC")
        query = ProvideFor(on, days, months, horizon_months, adjustment_percent, currency, group_by, seen_min)
        looked_at, found = await handlers.provide_for(tx, query)
    return ProvisionOut(
        as_of=on,
        months=months,
        horizon_months=horizon_months,
        adjustment_percent=str(adjustment_percent),
        group_by=group_by,
        seen_min=seen_min if group_by else None,
        looked_at=looked_at,
        items=[ProvisionItem.of(each) for each in found],
    )
