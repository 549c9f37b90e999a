"""Moving running cases to another version of their strategy, over HTTP."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.reminder.next_steps.rules import Coming
from services.reminder.strategy_migrations import handlers
from services.reminder.strategy_migrations.handlers import MigrateCases, Migration
from services.reminder.strategy_migrations.rules import Move
from shared.http.cursors import encode_cursor
from shared.http.dependencies import Once, PageParams
from shared.http.models import Body
from shared.http.security import scope

router = APIRouter(tags=["strategies"])

Version = Annotated[int, Field(ge=1, le=2**31)]


class MigrateIn(Body):
    from_version: Version
    to_version: Version
    preview: bool = Field(description="true: only say what would become of each case")


class PlaceOut(BaseModel):
    """A step of a version, by its rung (0: before the first)."""

    level: int
    step: str | None


class MoveOut(BaseModel):
    """`found_by`: the step of that name, else the last one that would have been taken by then (`days`); `start` for a
    case that has climbed nothing. `next_step` may be taken from `next_on`; `waiting_because` says why there is none.
    `stays_because` is null for a case that moves."""

    customer_id: UUID
    entity_id: str
    customer_name: str | None
    stands_on: PlaceOut
    lands_on: PlaceOut
    found_by: Literal["start", "name", "days"]
    stays_because: Literal["message_under_way", "awaits_approval"] | None
    next_step: str | None
    next_on: date | None
    waiting_because: str | None
    check_at: datetime | None

    @classmethod
    def of(cls, move: Move) -> "MoveOut":
        step = move.coming if isinstance(move.coming, Coming) else None
        return cls(
            customer_id=move.before.customer_id,
            entity_id=move.before.entity_id,
            customer_name=move.account.name,
            stands_on=PlaceOut(level=move.before.level, step=move.before.step),
            lands_on=PlaceOut(level=move.landing.level, step=move.landing.step),
            found_by=move.landing.by,
            stays_because=move.stays,
            next_step=step.step.name if step else None,
            next_on=move.next_on,
            waiting_because=None if step else str(move.coming),
            check_at=move.outcome.case.check_at,
        )


class MigrationOut(BaseModel):
    """`still_running` are the cases on the earlier version after this; those that stay can be moved later."""

    strategy: str
    from_version: int
    to_version: int
    preview: bool
    moving: int
    staying: int
    still_running: int
    cases: tuple[MoveOut, ...]
    next_cursor: str | None

    @classmethod
    def of(cls, name: str, body: MigrateIn, migration: Migration) -> "MigrationOut":
        staying = sum(move.stays is not None for move in migration.moves)
        more = migration.more
        return cls(
            strategy=name,
            from_version=body.from_version,
            to_version=body.to_version,
            preview=body.preview,
            moving=len(migration.moves) - staying,
            staying=staying,
            still_running=migration.running,
            cases=tuple(map(MoveOut.of, migration.moves)),
            next_cursor=encode_cursor([more[0], more[1]]) if more else None,
        )


@router.post("/strategies/{name}/migrations", response_model=MigrationOut, dependencies=[scope("reminders:write")])
async def migrate_cases(name: str, body: MigrateIn, once: Once, page: PageParams) -> Response:
    """Move the cases that run on one version of a strategy to another one. With `preview` nothing moves: each case is
    listed with where it stands, where it would land, and what would come next and when. Cases are taken a page at a
    time (`limit`, `cursor`), a preview as well as a move."""
    async with once as tx:
        migration = await handlers.migrate_cases(
            tx,
            MigrateCases(
                strategy=name,
                from_version=body.from_version,
                to_version=body.to_version,
                preview=body.preview,
                after=(UUID(page.after[0]), page.after[1]) if page.after else None,
                limit=page.limit,
            ),
        )
        return once.answer(200, MigrationOut.of(name, body, migration))
