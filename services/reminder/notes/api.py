"""Notes over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.reminder.notes import handlers, rules
from services.reminder.notes.handlers import WriteNote
from services.reminder.notes.rules import Note
from services.reminder.receivables.rules import ENTITY
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope

router = APIRouter(tags=["notes"])

EntityId = Annotated[str, Query(min_length=1, max_length=40)]
Subject = Annotated[str, Field(min_length=1, max_length=200)]


class NoteIn(Body):
    body: str = Field(min_length=1, max_length=rules.BODY_CHARACTERS_MAX)
    mentions: list[Subject] = Field(
        default=[],
        max_length=rules.MENTIONS_MAX,
        description="Whose attention is asked for; an `@subject` in the text counts as well",
    )
    hand_to: Subject | None = Field(
        default=None, description="A colleague who is to act on it, such as the sales person"
    )
    asks_for_pause: bool = Field(default=False, description="A wish that the account be left in peace for a while")
    entity_id: str = Field(default=ENTITY, min_length=1, max_length=40)


class NoteOut(BaseModel):
    """What somebody knows of an account; the customer never sees it."""

    id: UUID
    customer_id: UUID
    entity_id: str
    author: str
    body: str
    mentions: tuple[str, ...]
    written_at: datetime

    @classmethod
    def of(cls, note: Note) -> "NoteOut":
        return cls(
            id=note.id,
            customer_id=note.customer_id,
            entity_id=note.entity_id,
            author=note.author,
            body=note.body,
            mentions=note.mentions,
            written_at=note.written_at,
        )


@router.post(
    "/cases/{customer_id}/notes", status_code=201, response_model=NoteOut, dependencies=[scope("reminders:write")]
)
async def write_note(customer_id: UUID, body: NoteIn, once: Once, principal: PrincipalDep) -> Response:
    """Add what you know. Who is mentioned is asked to read it; whom it is handed to, to act on it."""
    command = WriteNote(
        customer_id, body.entity_id, principal.subject, body.body, body.mentions, body.hand_to, body.asks_for_pause
    )
    async with once as tx:
        note = await handlers.write_note(tx, command)
        return once.answer(201, NoteOut.of(note))


@router.get("/cases/{customer_id}/notes", response_model=Page[NoteOut], dependencies=[scope("reminders:read")])
async def list_notes(
    customer_id: UUID, database: DatabaseDep, page: PageParams, entity_id: EntityId = ENTITY
) -> Response:
    """Newest first."""
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_notes(tx, customer_id, entity_id, before, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.id])
    return respond(Page[NoteOut](items=[NoteOut.of(note) for note in shown], next_cursor=more))
