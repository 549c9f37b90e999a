"""The worklist over HTTP."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.reminder.receivables.rules import ENTITY
from services.reminder.worklist import handlers, rules
from services.reminder.worklist.handlers import AssignAccounts, FindWork, SnoozeAccounts
from services.reminder.worklist.rules import Action, Entry
from shared.db import reading
from shared.http.cursors import encode_cursor
from shared.http.dependencies import DatabaseDep, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["worklist"])

ACCOUNTS_MAX = 500
EntityId = Annotated[str, Field(min_length=1, max_length=40)]


class AccountIn(Body):
    customer_id: UUID
    entity_id: EntityId = ENTITY


class AssignIn(Body):
    accounts: Annotated[list[AccountIn], Field(min_length=1, max_length=ACCOUNTS_MAX)]
    owner: str | None = Field(default=None, max_length=200, description="A colleague's subject; left out: nobody's")


class SnoozeIn(Body):
    accounts: Annotated[list[AccountIn], Field(min_length=1, max_length=ACCOUNTS_MAX)]
    until: date | None = Field(default=None, description="The first day on which they are seen again; left out: now")
    because: str | None = Field(default=None, max_length=500)


class PartOut(BaseModel):
    """One part of an account's points, and what it rests on."""

    part: str
    points: float
    because: str


class NextActionOut(BaseModel):
    """What to do next and why; for a talk, what to say and what may be offered."""

    action: Action
    because: str
    say: tuple[str, ...]
    offer: tuple[str, ...]


class EntryOut(BaseModel):
    """An account that owes something overdue, or for which somebody has something to do."""

    customer_id: UUID
    entity_id: str
    external_id: str | None
    name: str | None
    segment: str | None
    risk_class: str | None
    points: float
    parts: list[PartOut]
    next: NextActionOut
    overdue: tuple[Money, ...]
    invoices: int
    disputed_invoices: int
    oldest_due_on: date | None
    days_overdue: int
    broken_promises: int
    spoken_at: datetime | None
    step: str | None
    check_at: datetime | None
    tasks: tuple[str, ...]
    owner: str | None
    snoozed_until: date | None

    @classmethod
    def of(cls, entry: Entry, now: datetime) -> "EntryOut":
        advice = rules.next_action(entry, now)
        return cls(
            customer_id=entry.customer_id,
            entity_id=entry.entity_id,
            external_id=entry.external_id,
            name=entry.name,
            segment=entry.segment,
            risk_class=entry.risk_class,
            points=round(entry.points, 1),
            parts=[PartOut(part=p.part, points=p.points, because=p.because) for p in rules.parts(entry, now)],
            next=NextActionOut(action=advice.action, because=advice.because, say=advice.say, offer=advice.offer),
            overdue=entry.owed,
            invoices=entry.invoices,
            disputed_invoices=entry.disputed,
            oldest_due_on=entry.oldest_due_on,
            days_overdue=entry.days_overdue(now.date()),
            broken_promises=entry.broken_promises,
            spoken_at=entry.spoken_at,
            step=entry.step,
            check_at=entry.check_at,
            tasks=entry.tasks,
            owner=entry.owner,
            snoozed_until=entry.snoozed_until,
        )


class DoneOut(BaseModel):
    accounts: int


@router.get("/worklist", response_model=Page[EntryOut], dependencies=[scope("reminders:read")])
async def list_work(
    database: DatabaseDep,
    page: PageParams,
    owner: Annotated[str | None, Query(max_length=200, description="Theirs, and whom they stand in for")] = None,
    nobodys: Annotated[bool, Query(description="Also those that nobody looks after")] = False,
    snoozed: Annotated[bool, Query(description="Also those that were put off")] = False,
    entity_id: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:
    """Accounts, the most important first, with why they stand there and what to do next."""
    after = (float(page.after[0]), UUID(page.after[1]), str(page.after[2])) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_work(tx, FindWork(entity_id, owner, nobodys, snoozed, after, limit=page.limit + 1))
        shown = found[: page.limit]
        items = [EntryOut.of(entry, tx.now) for entry in shown]
    last = shown[-1] if len(found) > page.limit else None
    more = encode_cursor([last.points, last.customer_id, last.entity_id]) if last else None
    return respond(Page[EntryOut](items=items, next_cursor=more))


@router.post("/worklist/assignments", response_model=DoneOut, dependencies=[scope("reminders:write")])
async def assign(body: AssignIn, once: Once) -> Response:
    """Say whose accounts these are to look after, many at once."""
    accounts = [(each.customer_id, each.entity_id) for each in body.accounts]
    async with once as tx:
        await handlers.assign_accounts(tx, AssignAccounts(accounts, body.owner))
        return once.answer(200, DoneOut(accounts=len(accounts)))


@router.post("/worklist/snoozes", response_model=DoneOut, dependencies=[scope("reminders:write")])
async def snooze(body: SnoozeIn, once: Once, principal: PrincipalDep) -> Response:
    """Put accounts off, many at once. Their reminders go on: only the worklist is without them."""
    accounts = [(each.customer_id, each.entity_id) for each in body.accounts]
    async with once as tx:
        await handlers.snooze_accounts(tx, SnoozeAccounts(accounts, body.until, principal.subject, body.because))
        return once.answer(200, DoneOut(accounts=len(accounts)))
