"""Placements over HTTP: agencies, and what is given to them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from services.reminder.placements import handlers, rules
from services.reminder.placements.handlers import DecidePlacement, EndPlacement, RequestPlacement
from services.reminder.placements.rules import Agency, Placement, Rate
from services.reminder.receivables.rules import ENTITY
from shared.db import reading, transaction
from shared.http.dependencies import DatabaseDep, IfMatch, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.responses import document, respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["placements"])

AgencyId = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
EntityParam = Annotated[str, Query(min_length=1, max_length=40)]
Note = Annotated[str, Field(min_length=1, max_length=2_000)]


class RateIn(Body):
    days_from: int = Field(ge=0, le=3_650, description="From this age on, in days overdue at the hand-over")
    percent: Decimal = Field(ge=0, le=100, max_digits=5, decimal_places=2)


class AgencyIn(Body):
    name: Annotated[str, Field(min_length=1, max_length=200)]
    email: Annotated[str, Field(min_length=3, max_length=254)] | None = None
    commission: Annotated[list[RateIn], Field(min_length=1, max_length=20)]


class RateOut(BaseModel):
    days_from: int
    percent: Decimal


class AgencyOut(BaseModel):
    id: str
    name: str
    email: str | None
    commission: list[RateOut]
    version: int

    @classmethod
    def of(cls, agency: Agency) -> "AgencyOut":
        rates = [RateOut(days_from=rate.days_from, percent=rate.percent) for rate in agency.commission]
        return cls(id=agency.id, name=agency.name, email=agency.email, commission=rates, version=agency.version)


class RequestPlacementIn(Body):
    agency_id: Annotated[str, Field(min_length=1, max_length=40)]
    items: Annotated[list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=500)] = Field(
        default=[], description="Numbers of the invoices; empty for all that may be collected"
    )
    note: Note | None = None


class DecisionIn(Body):
    note: Note | None = None


class EndPlacementIn(Body):
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class ClaimOut(BaseModel):
    """`amount` is what was owed at the hand-over, `owed` what is owed now."""

    invoice: str
    issued_on: date
    due_on: date
    amount: Money
    owed: Money
    collected: Money


class PlacementOut(BaseModel):
    """`requested` until another person approves it; `approved` until its file is made; then `placed`, until it is
    `recalled` by the seller (by itself when paid) or `closed` by the agency. `commission` is what the agency is owed
    for what has come in so far."""

    id: UUID
    customer_id: UUID
    entity_id: str
    case_id: UUID
    agency_id: str
    status: rules.Status
    amount: Money
    collected: Money
    commission: Money
    claims: list[ClaimOut]
    note: str | None
    requested_by: str
    requested_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decision_note: str | None
    placed_on: date | None
    ended_on: date | None
    because: str | None
    version: int

    @classmethod
    def of(cls, placement: Placement) -> "PlacementOut":
        def money(minor: int) -> Money:
            return Money(minor, placement.currency)

        return cls(
            id=placement.id,
            customer_id=placement.customer_id,
            entity_id=placement.entity_id,
            case_id=placement.case_id,
            agency_id=placement.agency_id,
            status=placement.status,
            amount=placement.amount,
            collected=placement.collected,
            commission=placement.commission_due,
            claims=[
                ClaimOut(
                    invoice=claim.number,
                    issued_on=claim.issued_on,
                    due_on=claim.due_on,
                    amount=money(claim.amount_minor),
                    owed=money(claim.owed_minor),
                    collected=money(claim.collected_minor),
                )
                for claim in placement.claims
            ],
            note=placement.note,
            requested_by=placement.requested_by,
            requested_at=placement.requested_at,
            decided_by=placement.decided_by,
            decided_at=placement.decided_at,
            decision_note=placement.decision_note,
            placed_on=placement.placed_on,
            ended_on=placement.ended_on,
            because=placement.because,
            version=placement.version,
        )


@router.get("/agencies", response_model=Page[AgencyOut], dependencies=[scope("reminders:read")])
async def list_agencies(database: DatabaseDep, page: PageParams) -> Response:
    """In the order of their ids."""
    async with reading(database) as tx:
        found = await handlers.list_agencies(tx, str(page.after[0]) if page.after else None, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.id])
    return respond(Page[AgencyOut](items=[AgencyOut.of(each) for each in shown], next_cursor=more))


@router.get("/agencies/{agency_id}", response_model=AgencyOut, dependencies=[scope("reminders:read")])
async def look_at_agency(agency_id: AgencyId, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        agency = await handlers.get_agency(tx, agency_id)
    return respond(AgencyOut.of(agency), etag=agency.version)


@router.put(
    "/agencies/{agency_id}",
    response_model=AgencyOut,
    dependencies=[scope("reminders:write", "reminders:approve")],
)
async def keep_agency(agency_id: AgencyId, body: AgencyIn, database: DatabaseDep, expected: IfMatch) -> Response:
    """A collection agency and its commissions (`If-None-Match: *` for a new one). Running placements keep theirs."""
    rates = tuple(Rate(rate.days_from, rate.percent) for rate in body.commission)
    async with transaction(database) as tx:
        agency = await handlers.keep_agency(tx, Agency(agency_id, expected + 1, body.name, body.email, rates))
    return respond(AgencyOut.of(agency), etag=agency.version)


@router.post(
    "/cases/{customer_id}/placements",
    status_code=201,
    response_model=PlacementOut,
    dependencies=[scope("reminders:write")],
)
async def request_placement(
    customer_id: UUID, body: RequestPlacementIn, once: Once, principal: PrincipalDep, entity_id: EntityParam = ENTITY
) -> Response:
    """Ask that the account goes to an agency. Another person has to approve it."""
    command = RequestPlacement(customer_id, entity_id, body.agency_id, tuple(body.items), body.note, principal.subject)
    async with once as tx:
        placement = await handlers.request_placement(tx, command)
        location = f"/v1/placements/{placement.id}"
        return once.answer(201, PlacementOut.of(placement), etag=placement.version, location=location)


@router.post(
    "/placements/{placement_id}/approval",
    status_code=201,
    response_model=PlacementOut,
    dependencies=[scope("reminders:write", "reminders:approve")],
)
async def approve(placement_id: UUID, body: DecisionIn, once: Once, principal: PrincipalDep) -> Response:
    """As a second person. From now on the customer is not contacted by this service."""
    return await _decide(once, DecidePlacement(placement_id, True, principal.subject, body.note))


@router.post(
    "/placements/{placement_id}/rejection",
    status_code=201,
    response_model=PlacementOut,
    dependencies=[scope("reminders:write")],
)
async def reject(placement_id: UUID, body: DecisionIn, once: Once, principal: PrincipalDep) -> Response:
    """Whoever asked may do so as well, which withdraws it."""
    return await _decide(once, DecidePlacement(placement_id, False, principal.subject, body.note))


async def _decide(once: Once, command: DecidePlacement) -> Response:
    async with once as tx:
        placement = await handlers.decide_placement(tx, command)
        return once.answer(201, PlacementOut.of(placement), etag=placement.version)


@router.post(
    "/placements/{placement_id}/recall",
    status_code=201,
    response_model=PlacementOut,
    dependencies=[scope("reminders:write")],
)
async def recall(placement_id: UUID, body: EndPlacementIn, once: Once) -> Response:
    """Take it back from the agency; the case goes on. One that is paid is recalled by itself."""
    async with once as tx:
        placement = await handlers.end_placement(tx, EndPlacement(placement_id, True, body.reason))
        return once.answer(201, PlacementOut.of(placement), etag=placement.version)


@router.post(
    "/placements/{placement_id}/closure",
    status_code=201,
    response_model=PlacementOut,
    dependencies=[scope("reminders:write")],
)
async def close(placement_id: UUID, body: EndPlacementIn, once: Once) -> Response:
    """The agency gave it back."""
    async with once as tx:
        placement = await handlers.end_placement(tx, EndPlacement(placement_id, False, body.reason))
        return once.answer(201, PlacementOut.of(placement), etag=placement.version)


@router.get(
    "/cases/{customer_id}/placements", response_model=Page[PlacementOut], dependencies=[scope("reminders:read")]
)
async def list_of_case(
    customer_id: UUID, database: DatabaseDep, page: PageParams, entity_id: EntityParam = ENTITY
) -> Response:
    """Newest first."""
    return await _page(database, page, customer_id, entity_id, None, None)


@router.get("/placements", response_model=Page[PlacementOut], dependencies=[scope("reminders:read")])
async def list_placements(
    database: DatabaseDep,
    page: PageParams,
    customer_id: UUID | None = None,
    entity_id: Annotated[str | None, Query(max_length=40)] = None,
    agency_id: Annotated[str | None, Query(max_length=40)] = None,
    status: rules.Status | None = None,
) -> Response:
    """Newest first."""
    return await _page(database, page, customer_id, entity_id, agency_id, status)


@router.get("/placements/{placement_id}", response_model=PlacementOut, dependencies=[scope("reminders:read")])
async def look_at(placement_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        placement = await handlers.get_placement(tx, placement_id)
    return respond(PlacementOut.of(placement), etag=placement.version)


@router.get(
    "/placements/{placement_id}/file",
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}, "description": "The claims and their documents"}},
    dependencies=[scope("reminders:read")],
)
async def download(placement_id: UUID, database: DatabaseDep) -> Response:
    """What the agency is handed: claims as CSV and JSON, and the invoices' documents."""
    async with reading(database) as tx:
        content = await handlers.get_file(tx, placement_id)
    return document(content, "application/zip", f"placement-{placement_id}.zip")


async def _page(
    database: DatabaseDep,
    page: PageParams,
    customer_id: UUID | None,
    entity_id: str | None,
    agency_id: str | None,
    status: rules.Status | None,
) -> Response:
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_placements(tx, customer_id, entity_id, agency_id, status, before, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.id])
    return respond(Page[PlacementOut](items=[PlacementOut.of(each) for each in shown], next_cursor=more))
