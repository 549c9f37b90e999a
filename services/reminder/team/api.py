"""The team over HTTP."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from services.reminder.team import handlers
from services.reminder.team.handlers import KeepColleague
from services.reminder.team.rules import Colleague, Role
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["team"])

Subject = Annotated[str, Path(min_length=1, max_length=200)]


class ColleagueOut(BaseModel):
    """Somebody who looks after accounts. `subject` is whom their token or session names."""

    subject: str
    name: str
    role: Role
    email: str | None
    phone: str | None
    absent_from: date | None
    absent_until: date | None
    cover: str | None
    version: int

    @classmethod
    def of(cls, colleague: Colleague) -> "ColleagueOut":
        return cls(
            subject=colleague.subject,
            name=colleague.name,
            role=colleague.role,
            email=colleague.email,
            phone=colleague.phone,
            absent_from=colleague.absent_from,
            absent_until=colleague.absent_until,
            cover=colleague.cover,
            version=colleague.version,
        )


class ColleagueIn(Body):
    name: str = Field(min_length=1, max_length=200)
    role: Role = "collections"
    email: str | None = Field(default=None, max_length=254)
    phone: str | None = Field(default=None, max_length=40, pattern=r"^\+?[0-9 ()/.-]{4,40}$")
    absent_from: date | None = None
    absent_until: date | None = Field(default=None, description="The last day away; left out: until further notice")
    cover: str | None = Field(default=None, max_length=200, description="Whose accounts they also are meanwhile")


@router.get("/team", response_model=Page[ColleagueOut], dependencies=[scope("reminders:read")])
async def list_team(database: DatabaseDep) -> Response:
    """Everybody, by name."""
    async with reading(database) as tx:
        found = await handlers.list_team(tx)
    return respond(Page[ColleagueOut](items=[ColleagueOut.of(colleague) for colleague in found]))


@router.get("/team/{subject}", response_model=ColleagueOut, dependencies=[scope("reminders:read")])
async def find_colleague(subject: Subject, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        found = await handlers.find_colleague(tx, subject)
    return respond(ColleagueOut.of(found), etag=found.version)


@router.put("/team/{subject}", response_model=ColleagueOut, dependencies=[scope("reminders:write")])
async def keep_colleague(subject: Subject, body: ColleagueIn, version: IfMatch, database: DatabaseDep) -> Response:
    """Add (`If-None-Match: *`) or replace (`If-Match`) somebody: name, role, how to be reached, absence and cover."""
    async with transaction(database) as tx:
        colleague = Colleague(
            subject=subject,
            version=version,
            name=body.name,
            role=body.role,
            email=body.email,
            phone=body.phone,
            absent_from=body.absent_from,
            absent_until=body.absent_until,
            cover=body.cover,
        )
        kept = await handlers.keep_colleague(tx, KeepColleague(colleague, version))
    return respond(ColleagueOut.of(kept), status=201 if kept.version == 1 else 200, etag=kept.version)
