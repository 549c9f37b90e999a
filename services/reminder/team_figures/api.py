"""The team's figures over HTTP."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from services.reminder.team_figures import handlers, rules
from services.reminder.team_figures.rules import Figures
from shared.db import reading
from shared.http.dependencies import DatabaseDep
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["team"])

DAYS = 30


class FiguresOut(BaseModel):
    """`subject` is null for what belongs to nobody yet. Percents have one decimal and are null where nothing was
    counted: `reached_percent` is conversations in a hundred calls, `kept_percent` promises kept in a hundred judged."""

    subject: str | None
    name: str | None
    accounts: int
    calls: int
    conversations: int
    reached_percent: str | None
    notes: int
    replies_done: int
    tasks_done: int
    tasks_open: int
    tasks_late: int
    promises_made: int
    promises_kept: int
    promises_broken: int
    kept_percent: str | None

    @classmethod
    def of(cls, figures: Figures) -> "FiguresOut":
        return cls(
            subject=figures.subject,
            name=figures.name,
            accounts=figures.accounts,
            calls=figures.calls,
            conversations=figures.conversations,
            reached_percent=None if figures.reached_percent is None else str(figures.reached_percent),
            notes=figures.notes,
            replies_done=figures.replies_done,
            tasks_done=figures.tasks_done,
            tasks_open=figures.tasks_open,
            tasks_late=figures.tasks_late,
            promises_made=figures.promises_made,
            promises_kept=figures.promises_kept,
            promises_broken=figures.promises_broken,
            kept_percent=None if figures.kept_percent is None else str(figures.kept_percent),
        )


class TeamFiguresOut(BaseModel):
    since: date
    until: date
    items: list[FiguresOut]
    team: FiguresOut


@router.get("/team-figures", response_model=TeamFiguresOut, dependencies=[scope("reminders:read")])
async def count(
    database: DatabaseDep,
    since: Annotated[date | None, Query(description=f"Left out: {DAYS} days before `until`")] = None,
    until: Annotated[date | None, Query(description="Left out: today")] = None,
) -> Response:
    """What each colleague and the team have done from a day to another, both included."""
    async with reading(database) as tx:
        last = until or tx.now.date()
        first = since or last - timedelta(days=DAYS)
        found = await handlers.count(tx, first, last)
    items = [FiguresOut.of(each) for each in found]
    return respond(TeamFiguresOut(since=first, until=last, items=items, team=FiguresOut.of(rules.total(found))))
