"""Write notes down, hand an account to a colleague with one, and list them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from services.reminder.cases import handlers as cases
from services.reminder.notes import rules, store
from services.reminder.notes.rules import Note
from services.reminder.receivables import handlers as receivables
from services.reminder.tasks import handlers as tasks
from services.reminder.tasks.rules import AssignTask, Kind
from services.reminder.team import handlers as team
from shared.db import Tx
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class WriteNote:
    """`hand_to` is a colleague who is to do something about it; `asks_for_pause` makes it the wish that the account be
    left in peace, which its owner decides."""

    customer_id: UUID
    entity_id: str
    author: str
    body: str
    mentions: Collection[str] = ()
    hand_to: str | None = None
    asks_for_pause: bool = False


async def write_note(tx: Tx, command: WriteNote) -> Note:
    """Everybody who is mentioned gets a task to read it, whoever it is handed to one to act on it. Raises CaseNotFound,
    ColleagueNotFound, MentionRefused."""
    await receivables.lock(tx, [command.customer_id])
    view = await cases.find_case(tx, command.customer_id, command.entity_id)
    if command.hand_to:
        await team.find_colleague(tx, command.hand_to)
    note = Note(
        id=new_id(),
        customer_id=command.customer_id,
        entity_id=command.entity_id,
        author=command.author,
        body=command.body,
        mentions=rules.mentioned(command.body, command.mentions, await team.known(tx)),
        written_at=tx.now,
    )
    await store.add(tx, note)
    name = view.account.name or view.account.external_id or "this account"
    wanted: list[tuple[Kind, str | None, str]] = [
        ("mentioned", subject, f"{note.author} mentions you at {name}") for subject in note.mentions
    ]
    if command.hand_to:
        wanted = [each for each in wanted if each[1] != command.hand_to]
        wanted.append(("handed_over", command.hand_to, f"{note.author} asks for your help with {name}"))
    if command.asks_for_pause:
        wanted.append(("pause_asked", None, f"{note.author} asks to leave {name} in peace"))
    await tasks.assign_tasks(
        tx,
        [
            AssignTask(
                customer_id=note.customer_id,
                case_id=view.case.id,
                entity_id=note.entity_id,
                kind=kind,
                occasion=f"{note.id}/{assignee or ''}",
                title=title,
                detail=note.body,
                due_on=tx.now.date(),
                assignee=assignee,
            )
            for kind, assignee, title in wanted
        ],
    )
    return note


async def list_notes(tx: Tx, customer_id: UUID, entity_id: str, before: UUID | None, limit: int) -> list[Note]:
    """Newest first, those before a given one."""
    return await store.page(tx, customer_id, entity_id, before, limit)
