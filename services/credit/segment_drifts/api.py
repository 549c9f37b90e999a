"""How segments pay as a whole, over HTTP."""

from datetime import date

from fastapi import APIRouter, Response
from pydantic import BaseModel

from services.credit.control_charts.rules import DESIGN, Norm
from services.credit.segment_drifts import handlers
from services.credit.segment_drifts.rules import SegmentDrift, Week
from shared.db import reading
from shared.http.dependencies import DatabaseDep, PageParams
from shared.http.models import Page
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["watching"])


class WeekOut(BaseModel):
    """The week before `week_on`, a Monday. `deviation` is how far all payments together were off what was expected of
    these customers, in standard deviations; above zero is later."""

    week_on: date
    payments: int
    deviation: float


class SegmentDriftOut(BaseModel):
    """`smoothed` is the average of the deviations, a drift where it is above `limit`, since `since`. `mean_days` is how
    many days beyond terms is usual in the segment, null while too little is known of it."""

    segment: str
    since: date | None
    smoothed: float
    limit: float
    mean_days: float | None
    weeks: list[WeekOut]

    @classmethod
    def of(cls, drift: SegmentDrift, norm: Norm | None, weeks: list[Week]) -> "SegmentDriftOut":
        return cls(
            segment=drift.segment,
            since=drift.since,
            smoothed=round(drift.smoothed, 2),
            limit=round(DESIGN.limit_smoothed, 2),
            mean_days=round(norm.mean_days, 1) if norm else None,
            weeks=[
                WeekOut(week_on=each.week_on, payments=each.payments, deviation=round(each.deviation, 2))
                for each in weeks
            ],
        )


@router.get("/segment-drifts", response_model=Page[SegmentDriftOut], dependencies=[scope("credit:read")])
async def list_segment_drifts(database: DatabaseDep, page: PageParams) -> Response:
    """Each segment that paid anything, by name, with its last weeks: does all of it pay later than it used to?"""
    after = page.after[0] if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_drifts(tx, after, page.limit + 1)
    shown, more = page.cut(found, lambda each: [each[0].segment])
    items = [SegmentDriftOut.of(drift, norm, list(weeks)) for drift, norm, weeks in shown]
    return respond(Page[SegmentDriftOut](items=items, next_cursor=more))
