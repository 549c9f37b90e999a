"""Rebuilds over HTTP, for operators."""

from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.reporting.rebuilds import handlers
from services.reporting.rebuilds.handlers import WantRebuild
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once, PrincipalDep
from shared.http.security import scope

router = APIRouter(prefix="/rebuilds", tags=["operations"])


class RebuildOut(BaseModel):
    """The read models made again from the events; `reached` of `last` is how far it has come in the feed."""

    id: int
    wanted_by: str
    wanted_at: datetime
    events: int = Field(description="Taken so far")
    reached: int
    last: int
    finished_at: datetime | None


class RebuildWanted(BaseModel):
    id: int


@router.post("", status_code=202, response_model=RebuildWanted, dependencies=[scope("operations:write")])
async def want_rebuild(once: Once, principal: PrincipalDep) -> Response:
    """Have the worker make every read model again from the events, while reports go on being answered from the present
    ones; the new ones then take their place at once."""
    async with once as tx:
        rebuild_id = await handlers.want_rebuild(tx, WantRebuild(principal.subject))
        return once.answer(202, RebuildWanted(id=rebuild_id))


@router.get("/latest", response_model=RebuildOut, dependencies=[scope("operations:read")])
async def show_latest_rebuild(database: DatabaseDep) -> RebuildOut:
    """How far the rebuild under way has come, or the last one."""
    async with reading(database) as tx:
        found = await handlers.latest_rebuild(tx)
    return RebuildOut(
        id=found["id"],
        wanted_by=found["wanted_by"],
        wanted_at=found["wanted_at"],
        events=found["events"],
        reached=found["reached_seq"],
        last=found["last_seq"],
        finished_at=found["finished_at"],
    )
