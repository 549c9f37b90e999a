"""Senders over HTTP: from whom the messages of a selling entity come."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import Field

from services.reminder.mails.rules import House
from services.reminder.signatures import handlers, rules
from services.reminder.signatures.handlers import ChangeSender
from services.reminder.signatures.rules import Given
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch
from shared.http.models import Body
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["senders"])

EntityId = Annotated[str, Path(min_length=1, max_length=40)]
Line = Annotated[str, Field(min_length=1, max_length=rules.LINE_MAX, pattern=r"^[^\r\n]+$")]


class SenderIn(Body):
    """What is left out is the seller's name, and the installation's addresses."""

    from_name: Line | None = Field(default=None, description="In place of the seller's name, after a colleague's")
    from_address: Annotated[str, Field(max_length=254)] | None = Field(
        default=None,
        description="The address in From. The mail server must be allowed to send for its domain (SPF, DKIM, DMARC);"
        " bounces still come to the installation's own",
    )
    reply_to: Annotated[str, Field(max_length=254)] | None = Field(
        default=None, description="Where answers go; not used where answers come in to the case itself (`REPLIES_TO`)"
    )
    signature: Annotated[list[Line], Field(max_length=rules.LINES_MAX)] = Field(
        default=[], description="Lines below whoever signs, or in place of the seller's department where nobody does"
    )


class SenderOut(SenderIn):
    entity_id: str
    version: int

    @classmethod
    def of(cls, given: Given) -> "SenderOut":
        house = given.house
        return cls(
            entity_id=given.entity_id,
            version=given.version,
            from_name=house.name,
            from_address=house.address,
            reply_to=house.reply_to,
            signature=list(house.lines),
        )


@router.get("/senders/{entity_id}", response_model=SenderOut, dependencies=[scope("reminders:read")])
async def look_at(entity_id: EntityId, database: DatabaseDep) -> Response:
    """Version 0 where the entity has said nothing."""
    async with reading(database) as tx:
        given = await handlers.get_sender(tx, entity_id)
    return respond(SenderOut.of(given), etag=given.version)


@router.put("/senders/{entity_id}", response_model=SenderOut, dependencies=[scope("reminders:write")])
async def change(entity_id: EntityId, body: SenderIn, database: DatabaseDep, expected: IfMatch) -> Response:
    """All of it at once, for mails and letters that go out from now on."""
    house = House(body.from_name, body.from_address, body.reply_to, tuple(body.signature))
    async with transaction(database) as tx:
        given = await handlers.change_sender(tx, ChangeSender(entity_id, house, expected))
    return respond(SenderOut.of(given), etag=given.version)
