"""Champion and challenger over HTTP."""

from datetime import date
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from services.reminder.trials import handlers, rules
from services.reminder.trials.handlers import Compared
from services.reminder.trials.rules import Difference, Share, Side
from shared.db import reading
from shared.http.dependencies import DatabaseDep
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["strategies"])


class ShareOut(BaseModel):
    """`cured` of the `cases` that began more than `days` days ago; the interval is Wilson's, at 95 %."""

    days: int
    cases: int
    cured: int
    share: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, share: Share) -> "ShareOut":
        return cls(
            days=share.days, cases=share.cases, cured=share.cured, share=share.share, low=share.low, high=share.high
        )


class SideOut(BaseModel):
    """`cases` are accounts, each with its first episode in the trial. `collected` is what was overdue at the start of
    those that were cured, `owed` of all of them."""

    arm: Literal["champion", "challenger"]
    cases: int
    open: int
    cured: int
    cured_within: tuple[ShareOut, ...]
    median_days_to_cure: float | None
    contacts_per_case: float | None
    collected: tuple[Money, ...]
    owed: tuple[Money, ...]
    escalations: int

    @classmethod
    def of(cls, side: Side) -> "SideOut":
        return cls(
            arm=side.arm,
            cases=side.cases,
            open=side.open,
            cured=side.cured,
            cured_within=tuple(map(ShareOut.of, side.shares)),
            median_days_to_cure=side.median_days_to_cure,
            contacts_per_case=side.contacts_per_case,
            collected=side.collected,
            owed=side.owed,
            escalations=side.escalations,
        )


class DifferenceOut(BaseModel):
    """The challenger's share less the champion's, with a 95 % interval (Newcombe), and the two-sided p-value of the
    pooled z-test; all null while there are too few cases to say anything."""

    days: int
    verdict: Literal["too_few_cases", "may_be_chance", "challenger_better", "champion_better"]
    difference: float | None
    low: float | None
    high: float | None
    z: float | None
    p_value: float | None

    @classmethod
    def of(cls, told: Difference) -> "DifferenceOut":
        return cls(
            days=told.days,
            verdict=told.verdict,
            difference=told.difference,
            low=told.low,
            high=told.high,
            z=told.z,
            p_value=told.p_value,
        )


class ComparisonOut(BaseModel):
    champion: str
    challenger: str
    share_percent: int
    active: bool
    as_of: date
    counted_min: int
    sides: tuple[SideOut, SideOut]
    differences: tuple[DifferenceOut, ...]

    @classmethod
    def of(cls, compared: Compared, as_of: date) -> "ComparisonOut":
        challenge = compared.challenger.strategy.challenger
        assert challenge is not None
        return cls(
            champion=compared.champion,
            challenger=compared.challenger.name,
            share_percent=challenge.share_percent,
            active=compared.challenger.strategy.active,
            as_of=as_of,
            counted_min=rules.COUNTED_MIN,
            sides=(SideOut.of(compared.comparison.champion), SideOut.of(compared.comparison.challenger)),
            differences=tuple(map(DifferenceOut.of, compared.comparison.differences)),
        )


@router.get("/strategies/{name}/comparison", response_model=ComparisonOut, dependencies=[scope("reminders:read")])
async def compare_strategies(name: str, database: DatabaseDep) -> Response:
    """A champion and its challenger in figures, by the name of either: who pays sooner, at what cost in contacts, and
    whether the difference can be chance."""
    async with reading(database) as tx:
        compared = await handlers.compare(tx, name)
        today = tx.now.date()
    return respond(ComparisonOut.of(compared, today))
