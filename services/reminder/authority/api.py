"""Authority over HTTP: the limits of what may be agreed with customers."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel

from services.reminder.authority import handlers
from services.reminder.authority.handlers import ChangeAuthority
from services.reminder.authority.rules import Authority, Given
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["authority"])

EntityId = Annotated[str, Path(min_length=1, max_length=40)]


class AuthorityOut(BaseModel):
    """Version 0: nobody has changed what this service came with."""

    entity_id: str
    version: int
    authority: Authority

    @classmethod
    def of(cls, given: Given) -> "AuthorityOut":
        return cls(entity_id=given.entity_id, version=given.version, authority=given.authority)


@router.get("/authority/{entity_id}", response_model=AuthorityOut, dependencies=[scope("reminders:read")])
async def look_at(entity_id: EntityId, database: DatabaseDep) -> Response:
    """What may be promised, paused, offered and placed for a selling entity, and by whom."""
    async with reading(database) as tx:
        given = await handlers.get_authority(tx, entity_id)
    return respond(AuthorityOut.of(given), etag=given.version)


@router.put(
    "/authority/{entity_id}",
    response_model=AuthorityOut,
    dependencies=[scope("reminders:write", "reminders:approve")],
)
async def change(entity_id: EntityId, body: Authority, database: DatabaseDep, expected: IfMatch) -> Response:
    """All of it at once; what is left out is as this service came with it. Running promises and pauses stay as they
    are."""
    async with transaction(database) as tx:
        given = await handlers.change_authority(tx, ChangeAuthority(entity_id, body, expected))
    return respond(AuthorityOut.of(given), etag=given.version)
