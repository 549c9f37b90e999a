"""Who pays later than before, and each customer's control chart, over HTTP."""

from datetime import date
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from services.credit.control_charts.rules import Chart, Plotted
from services.credit.drifts import handlers, rules
from services.credit.drifts.rules import Drift
from shared.db import reading
from shared.http.dependencies import DatabaseDep, PageParams
from shared.http.models import Page
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["watching"])


class DriftOut(BaseModel):
    customer_id: UUID
    status: rules.Status
    since: date | None

    @classmethod
    def of(cls, drift: Drift) -> "DriftOut":
        return cls(customer_id=drift.customer_id, status=drift.status, since=drift.since)


class PointOut(BaseModel):
    """An invoice on the chart, in days beyond terms: what it was, what was expected of it give or take `spread_days`,
    the average up to it, and the limit of that. `still_open`: it is not paid, and this late already."""

    invoice_id: UUID
    due_date: date
    seen_on: date
    days: int
    still_open: bool
    expected_days: float
    spread_days: float
    smoothed_days: float
    limit_days: float

    @classmethod
    def of(cls, plotted: Plotted) -> "PointOut":
        point = plotted.point
        return cls(
            invoice_id=point.invoice_id,
            due_date=point.due_date,
            seen_on=point.seen_on,
            days=point.days,
            still_open=point.still_open,
            expected_days=round(plotted.expected_days, 1),
            spread_days=round(plotted.spread_days, 1),
            smoothed_days=round(plotted.smoothed_days, 1),
            limit_days=round(plotted.limit_days, 1),
        )


class ChartOut(DriftOut):
    """`expected_days` and `spread_days` are what the next payment is held against: `own_weight` of it is the
    customer's own mean of `own_payments`, the rest its segment's. `new_level_on`: it has paid so for so long since
    then that this is its usual way now."""

    expected_days: float
    spread_days: float
    own_payments: int
    own_weight: float
    new_level_on: date | None
    points: list[PointOut]

    @classmethod
    def drawn(cls, drift: Drift, chart: Chart) -> "ChartOut":
        baseline = chart.baseline
        return cls(
            customer_id=drift.customer_id,
            status=drift.status,
            since=drift.since,
            expected_days=round(baseline.expected_days, 1),
            spread_days=round(baseline.spread_days, 1),
            own_payments=baseline.own_payments,
            own_weight=round(baseline.own_weight, 3),
            new_level_on=chart.new_level_on,
            points=[PointOut.of(each) for each in chart.plotted],
        )


@router.get("/drifts", response_model=Page[DriftOut], dependencies=[scope("credit:read")])
async def list_drifts(database: DatabaseDep, page: PageParams) -> Response:
    """Customers who pay later than they used to, the newest first."""
    after = (date.fromisoformat(page.after[0]), UUID(page.after[1])) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_drifting(tx, after, page.limit + 1)
    shown, more = page.cut(found, lambda each: [str(each.since), str(each.customer_id)])
    return respond(Page[DriftOut](items=[DriftOut.of(each) for each in shown], next_cursor=more))


@router.get("/customers/{customer_id}/drift", response_model=ChartOut, dependencies=[scope("credit:read")])
async def show_drift(customer_id: UUID, database: DatabaseDep) -> Response:
    """The customer's control chart as it looks today, from the oldest payment of two years to what is open and late."""
    async with reading(database) as tx:
        drift, chart = await handlers.chart(tx, customer_id)
    return respond(ChartOut.drawn(drift, chart))
