"""Proceedings and limitations over HTTP: customers before a court, and claims that lapse."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.reminder.legal import handlers, rules
from services.reminder.legal.handlers import ChangeProceeding, InterruptLimitation, OpenProceeding
from services.reminder.legal.rules import Limitation, Proceeding
from services.reminder.receivables.rules import ENTITY
from shared.db import reading, transaction
from shared.http.cursors import encode_cursor
from shared.http.dependencies import DatabaseDep, IfMatch, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["legal"])

Name = Annotated[str, Field(min_length=1, max_length=200)]
Note = Annotated[str, Field(min_length=1, max_length=2_000)]
EntityParam = Annotated[str, Query(min_length=1, max_length=40)]


class ChangeProceedingIn(Body):
    """What is left out stays as it is."""

    court: Name | None = None
    file_number: Name | None = None
    file_claim_by: date | None = Field(default=None, description="The last day to file the claim; there is a task")
    claim_filed_on: date | None = None
    note: Note | None = None


class OpenProceedingIn(ChangeProceedingIn):
    kind: rules.Kind
    opened_on: date
    claim: Money | None = Field(default=None, description="What is sought")


class CloseProceedingIn(Body):
    outcome: Annotated[str, Field(min_length=1, max_length=500)]


class ProceedingOut(BaseModel):
    id: UUID
    customer_id: UUID
    entity_id: str
    case_id: UUID
    kind: rules.Kind
    status: rules.Status
    opened_on: date
    court: str | None
    file_number: str | None
    claim: Money | None
    file_claim_by: date | None
    claim_filed_on: date | None
    note: str | None
    made_by: str
    closed_on: date | None
    outcome: str | None
    version: int

    @classmethod
    def of(cls, proceeding: Proceeding) -> "ProceedingOut":
        return cls(
            id=proceeding.id,
            customer_id=proceeding.customer_id,
            entity_id=proceeding.entity_id,
            case_id=proceeding.case_id,
            kind=proceeding.kind,
            status=proceeding.status,
            opened_on=proceeding.opened_on,
            court=proceeding.court,
            file_number=proceeding.file_number,
            claim=proceeding.claim,
            file_claim_by=proceeding.file_claim_by,
            claim_filed_on=proceeding.claim_filed_on,
            note=proceeding.note,
            made_by=proceeding.made_by,
            closed_on=proceeding.closed_on,
            outcome=proceeding.outcome,
            version=proceeding.version,
        )


class InterruptionIn(Body):
    kind: rules.Interruption
    on: date
    note: Note | None = None
    lapses_on: date | None = Field(
        default=None,
        description="When it lapses now, where counsel has reckoned that; else it begins anew",
    )


class LimitationOut(BaseModel):
    """`lapses_on` is the last day on which the claim can be sued for, by the law of `country`; `owed` is left out of
    the answer to an interruption."""

    invoice_id: UUID
    invoice: str
    customer_id: UUID
    entity_id: str
    owed: Money | None
    due_on: date
    country: str
    lapses_on: date
    source: str
    interrupted_by_law: str
    interrupted_on: date | None
    interrupted_by: rules.Interruption | None
    note: str | None
    warned_on: date | None
    version: int

    @classmethod
    def of(cls, limitation: Limitation, owed: Money | None) -> "LimitationOut":
        return cls(
            invoice_id=limitation.invoice_id,
            invoice=limitation.number,
            customer_id=limitation.customer_id,
            entity_id=limitation.entity_id,
            owed=owed,
            due_on=limitation.due_on,
            country=limitation.country,
            lapses_on=limitation.lapses_on,
            source=limitation.period.source,
            interrupted_by_law=limitation.period.interrupted_by,
            interrupted_on=limitation.interrupted_on,
            interrupted_by=limitation.interrupted_by,
            note=limitation.note,
            warned_on=limitation.warned_on,
            version=limitation.version,
        )


class PeriodOut(BaseModel):
    """`to_year_end`: the period ends with its last calendar year."""

    country: str
    since: date
    years: int
    to_year_end: bool
    source: str
    interrupted_by: str


class PeriodsOut(BaseModel):
    items: list[PeriodOut]


@router.post(
    "/cases/{customer_id}/proceedings",
    status_code=201,
    response_model=ProceedingOut,
    dependencies=[scope("reminders:write")],
)
async def open_proceeding(
    customer_id: UUID, body: OpenProceedingIn, once: Once, principal: PrincipalDep, entity_id: EntityParam = ENTITY
) -> Response:
    """A legal action against the customer, or its insolvency: nothing is sent to it until this is closed."""
    command = OpenProceeding(
        customer_id=customer_id,
        entity_id=entity_id,
        kind=body.kind,
        opened_on=body.opened_on,
        court=body.court,
        file_number=body.file_number,
        claim=body.claim,
        file_claim_by=body.file_claim_by,
        claim_filed_on=body.claim_filed_on,
        note=body.note,
        by=principal.subject,
    )
    async with once as tx:
        proceeding = await handlers.open_proceeding(tx, command)
        location = f"/v1/proceedings/{proceeding.id}"
        return once.answer(201, ProceedingOut.of(proceeding), etag=proceeding.version, location=location)


@router.patch("/proceedings/{proceeding_id}", response_model=ProceedingOut, dependencies=[scope("reminders:write")])
async def change_proceeding(
    proceeding_id: UUID, body: ChangeProceedingIn, database: DatabaseDep, expected: IfMatch
) -> Response:
    """File number, court, dates and note; what is left out stays as it is."""
    changes = body.model_dump(exclude_unset=True)
    async with transaction(database) as tx:
        proceeding = await handlers.change_proceeding(tx, ChangeProceeding(proceeding_id, changes, expected))
    return respond(ProceedingOut.of(proceeding), etag=proceeding.version)


@router.post(
    "/proceedings/{proceeding_id}/closure",
    status_code=201,
    response_model=ProceedingOut,
    dependencies=[scope("reminders:write")],
)
async def close_proceeding(proceeding_id: UUID, body: CloseProceedingIn, once: Once) -> Response:
    """It is over, with an outcome: the case goes on."""
    async with once as tx:
        proceeding = await handlers.close_proceeding(tx, proceeding_id, body.outcome)
        return once.answer(201, ProceedingOut.of(proceeding), etag=proceeding.version)


@router.get("/proceedings", response_model=Page[ProceedingOut], dependencies=[scope("reminders:read")])
async def list_proceedings(
    database: DatabaseDep,
    page: PageParams,
    customer_id: UUID | None = None,
    entity_id: Annotated[str | None, Query(max_length=40)] = None,
    kind: rules.Kind | None = None,
    status: rules.Status | None = None,
) -> Response:
    """Newest first."""
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_proceedings(tx, customer_id, entity_id, kind, status, before, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.id])
    return respond(Page[ProceedingOut](items=[ProceedingOut.of(each) for each in shown], next_cursor=more))


@router.get("/proceedings/{proceeding_id}", response_model=ProceedingOut, dependencies=[scope("reminders:read")])
async def look_at(proceeding_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        proceeding = await handlers.get_proceeding(tx, proceeding_id)
    return respond(ProceedingOut.of(proceeding), etag=proceeding.version)


@router.get("/limitations", response_model=Page[LimitationOut], dependencies=[scope("reminders:read")])
async def list_limitations(
    database: DatabaseDep,
    page: PageParams,
    customer_id: UUID | None = None,
    entity_id: Annotated[str | None, Query(max_length=40)] = None,
    until: date | None = None,
) -> Response:
    """When the claims of invoices that have been overdue for 91 days lapse, those that lapse first at the top."""
    after = (date.fromisoformat(page.after[0]), UUID(page.after[1])) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_limitations(tx, customer_id, entity_id, until, after, page.limit + 1)
    shown = found[: page.limit]
    last = shown[-1][0] if shown else None
    more = encode_cursor([last.lapses_on.isoformat(), last.invoice_id]) if last and len(found) > page.limit else None
    return respond(Page[LimitationOut](items=[LimitationOut.of(*each) for each in shown], next_cursor=more))


@router.post(
    "/limitations/{invoice_id}/interruptions",
    status_code=201,
    response_model=LimitationOut,
    dependencies=[scope("reminders:write")],
)
async def interrupt(invoice_id: UUID, body: InterruptionIn, once: Once) -> Response:
    """Something let the period begin anew, or stand still: what that takes differs by law, and the list says what."""
    command = InterruptLimitation(invoice_id, body.kind, body.on, body.note, body.lapses_on)
    async with once as tx:
        limitation = await handlers.interrupt_limitation(tx, command)
        return once.answer(201, LimitationOut.of(limitation, None), etag=limitation.version)


@router.get("/limitation-periods", response_model=PeriodsOut, dependencies=[scope("reminders:read")])
async def list_periods() -> Response:
    """The limitation periods that are known here, each with its source in the law."""
    known = [
        PeriodOut(
            country=period.country,
            since=period.since,
            years=period.years,
            to_year_end=period.to_year_end,
            source=period.source,
            interrupted_by=period.interrupted_by,
        )
        for period in rules.PERIODS
    ]
    return respond(PeriodsOut(items=known))
