"""Pages of courts and limitation: what is before a court, what lapses soon, and an account's own."""

from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from services.reminder.desk_legal import handlers, rules
from services.reminder.desk_legal.rules import FieldUnreadable
from services.reminder.legal import handlers as legal
from services.reminder.legal.handlers import ChangeProceeding, InterruptLimitation, OpenProceeding
from services.reminder.legal.rules import Interruption, Kind
from services.reminder.navigation.rules import LINKS
from services.reminder.receivables.rules import ENTITY
from shared.db import Database, Tx, reading
from shared.errors import DomainError
from shared.http.dependencies import DatabaseDep
from shared.http.pages import AttemptDep, Frame, NavLink, act, link
from shared.http.security import Principal
from shared.http.session import SignedIn

pages = APIRouter(include_in_schema=False)

ReaderDep = Annotated[Principal, Depends(SignedIn("reminders:read"))]
WriterDep = Annotated[Principal, Depends(SignedIn("reminders:read", "reminders:write"))]
EntityId = Annotated[str, Query(min_length=1, max_length=40)]
Line = Annotated[str, Form(max_length=200)]
Text = Annotated[str, Form(max_length=2_000)]
Day = Annotated[date, Form()]
MaybeDay = Annotated[date | None, Form()]

FRAME = Frame(
    Path(__file__).parent / "templates",
    section="Collections",
    links=[NavLink(*each) for each in LINKS],
    said=rules.SAID,
    filters={"left": rules.left},
    values={"kinds": rules.KINDS, "interruptions": rules.INTERRUPTIONS},
)


@pages.get("/legal")
async def overview(request: Request, reader: ReaderDep, database: DatabaseDep) -> Response:
    """What is before a court, and which claims lapse within a year."""
    async with reading(database) as tx:
        shown = await handlers.draw_legal(tx)
    return FRAME.draw(request, reader, "legal.html", shown=shown)


@pages.get("/accounts/{customer_id}/legal")
async def of_account(
    request: Request, reader: ReaderDep, database: DatabaseDep, customer_id: UUID, entity_id: EntityId = ENTITY
) -> Response:
    """An account's proceedings, and when its claims lapse."""
    return await _draw(request, reader, database, customer_id, entity_id)


async def _draw(
    request: Request,
    reader: Principal,
    database: Database,
    customer_id: UUID,
    entity_id: str,
    refused: DomainError | None = None,
) -> Response:
    async with reading(database) as tx:
        shown = await handlers.draw_account(tx, customer_id, entity_id)
    may_write = "reminders:write" in reader.scopes
    return FRAME.draw(request, reader, "account_legal.html", shown=shown, refused=refused, may_write=may_write)


class Visit:
    """A form sent from an account's page: `await visit.do(work, "opened")` acts and shows the page again."""

    def __init__(
        self,
        request: Request,
        reader: WriterDep,
        database: DatabaseDep,
        once: AttemptDep,
        customer_id: UUID,
        entity_id: EntityId = ENTITY,
    ) -> None:
        self.request, self.reader, self.database, self.once = request, reader, database, once
        self.customer_id, self.entity_id = customer_id, entity_id

    async def do(self, work: Callable[[Tx], Awaitable[Any]], word: str) -> Response:
        async def again(refused: DomainError) -> Response:
            return await _draw(self.request, self.reader, self.database, self.customer_id, self.entity_id, refused)

        entity = self.entity_id if self.entity_id != ENTITY else ""
        then = link(f"/accounts/{self.customer_id}/legal", entity_id=entity, said=word)
        return await act(self.once, work, then, again)


VisitDep = Annotated[Visit, Depends(Visit)]


@pages.post("/accounts/{customer_id}/legal")
async def open_proceeding(
    visit: VisitDep,
    kind: Annotated[Kind, Form()],
    opened_on: Day,
    court: Line = "",
    file_number: Line = "",
    claim: Line = "",
    currency: Annotated[str, Form(max_length=3)] = "EUR",
    file_claim_by: MaybeDay = None,
    note: Text = "",
) -> Response:
    async def work(tx: Tx) -> None:
        command = OpenProceeding(
            customer_id=visit.customer_id,
            entity_id=visit.entity_id,
            kind=kind,
            opened_on=opened_on,
            court=court.strip() or None,
            file_number=file_number.strip() or None,
            claim=rules.read_claim(claim, currency),
            file_claim_by=file_claim_by,
            claim_filed_on=None,
            note=note.strip() or None,
            by=visit.reader.subject,
        )
        await legal.open_proceeding(tx, command)

    return await visit.do(work, "opened")


@pages.post("/accounts/{customer_id}/legal/{proceeding_id}")
async def change_proceeding(
    visit: VisitDep,
    proceeding_id: UUID,
    version: Annotated[int, Form()],
    file_number: Line = "",
    claim_filed_on: MaybeDay = None,
    file_claim_by: MaybeDay = None,
) -> Response:
    async def work(tx: Tx) -> None:
        changes = rules.changes(file_number, claim_filed_on, file_claim_by)
        await legal.change_proceeding(tx, ChangeProceeding(proceeding_id, changes, version))

    return await visit.do(work, "changed")


@pages.post("/accounts/{customer_id}/legal/{proceeding_id}/closure")
async def close_proceeding(visit: VisitDep, proceeding_id: UUID, outcome: Line = "") -> Response:
    async def work(tx: Tx) -> None:
        if not outcome.strip():
            raise FieldUnreadable("write how it ended first")
        await legal.close_proceeding(tx, proceeding_id, outcome.strip())

    return await visit.do(work, "closed")


@pages.post("/accounts/{customer_id}/limitations/{invoice_id}")
async def interrupt(
    visit: VisitDep,
    invoice_id: UUID,
    by: Annotated[Interruption, Form()],
    on: Day,
    lapses_on: MaybeDay = None,
    note: Text = "",
) -> Response:
    """Something let the period begin anew, or stand still."""

    async def work(tx: Tx) -> None:
        await legal.interrupt_limitation(tx, InterruptLimitation(invoice_id, by, on, note.strip() or None, lapses_on))

    return await visit.do(work, "interrupted")
