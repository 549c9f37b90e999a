"""Promises to pay over HTTP: write one down, take it back, see how good a customer's word is."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.reminder.promises import handlers, rules
from services.reminder.promises.handlers import MakePromise, WithdrawPromise
from services.reminder.promises.rules import Figures, Promise, Wanted
from services.reminder.receivables.rules import ENTITY
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["promises"])

Number = Annotated[str, Field(min_length=1, max_length=100)]
EntityParam = Annotated[str, Query(min_length=1, max_length=40)]


class MakePromiseIn(Body):
    amount: Money
    on: date = Field(description="The day by which the customer pays")
    items: Annotated[list[Number], Field(max_length=200)] = Field(
        default=[], description="Numbers of the invoices it is for; empty for the account as a whole"
    )
    note: Annotated[str, Field(min_length=1, max_length=2_000)] | None = None
    replaces: UUID | None = Field(default=None, description="An open promise that this one takes the place of")


class WithdrawPromiseIn(Body):
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class PromiseOut(BaseModel):
    """`paid` is what has come in of it since `made_on`. It is judged after `grace_until`; one that is `broken` though
    something was paid is `part_kept`. `because` says why it ended when it was neither kept nor broken; of a replaced
    one it is the promise that took its place."""

    id: UUID
    customer_id: UUID
    entity_id: str
    case_id: UUID
    status: rules.Status
    part_kept: bool
    origin: rules.Origin
    amount: Money
    paid: Money
    items: tuple[str, ...]
    made_on: date
    promised_on: date
    grace_until: date
    made_by: str
    note: str | None
    ended_on: date | None
    because: str | None
    version: int

    @classmethod
    def of(cls, promise: Promise) -> "PromiseOut":
        return cls(
            id=promise.id,
            customer_id=promise.customer_id,
            entity_id=promise.entity_id,
            case_id=promise.case_id,
            status=promise.status,
            part_kept=promise.is_part_kept,
            origin=promise.origin,
            amount=promise.amount,
            paid=promise.paid,
            items=promise.items,
            made_on=promise.made_on,
            promised_on=promise.promised_on,
            grace_until=promise.grace_until,
            made_by=promise.made_by,
            note=promise.note,
            ended_on=promise.ended_on,
            because=promise.because,
            version=promise.version,
        )


class PromiseFiguresOut(BaseModel):
    """`kept_rate` is in percent of all that were kept, part kept or broken; null while there was none."""

    customer_id: UUID
    entity_id: str
    open: int
    kept: int
    part_kept: int
    broken: int
    ended_otherwise: int
    kept_rate: Decimal | None

    @classmethod
    def of(cls, customer_id: UUID, entity_id: str, figures: Figures) -> "PromiseFiguresOut":
        return cls(
            customer_id=customer_id,
            entity_id=entity_id,
            open=figures.open,
            kept=figures.kept,
            part_kept=figures.part_kept,
            broken=figures.broken,
            ended_otherwise=figures.ended_otherwise,
            kept_rate=figures.kept_rate,
        )


@router.post(
    "/cases/{customer_id}/promises",
    status_code=201,
    response_model=PromiseOut,
    dependencies=[scope("reminders:write")],
)
async def make_promise(
    customer_id: UUID, body: MakePromiseIn, once: Once, principal: PrincipalDep, entity_id: EntityParam = ENTITY
) -> Response:
    """Write down what the customer said it will pay, and by when. Nothing is asked of it until that day and some
    business days of grace have passed. Several promises may run at a time, together for no more than is owed."""
    wanted = Wanted(body.amount, body.on, tuple(body.items))
    command = MakePromise(customer_id, entity_id, wanted, principal.subject, body.note, body.replaces)
    async with once as tx:
        promise = await handlers.make_promise(tx, command)
        return once.answer(201, PromiseOut.of(promise), etag=promise.version, location=f"/v1/promises/{promise.id}")


@router.get("/cases/{customer_id}/promises", response_model=Page[PromiseOut], dependencies=[scope("reminders:read")])
async def list_of_case(
    customer_id: UUID, database: DatabaseDep, page: PageParams, entity_id: EntityParam = ENTITY
) -> Response:
    """What this customer has promised, newest first."""
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_promises(tx, customer_id, entity_id, None, before, page.limit + 1)
    return _page(found, page)


@router.get(
    "/cases/{customer_id}/promise-figures", response_model=PromiseFiguresOut, dependencies=[scope("reminders:read")]
)
async def look_at_figures(customer_id: UUID, database: DatabaseDep, entity_id: EntityParam = ENTITY) -> Response:
    """How many of its promises the customer has kept."""
    async with reading(database) as tx:
        figures = await handlers.figures(tx, customer_id, entity_id)
    return respond(PromiseFiguresOut.of(customer_id, entity_id, figures))


@router.get("/promises", response_model=Page[PromiseOut], dependencies=[scope("reminders:read")])
async def list_promises(
    database: DatabaseDep,
    page: PageParams,
    customer_id: UUID | None = None,
    entity_id: Annotated[str | None, Query(max_length=40)] = None,
    status: rules.Status | None = None,
) -> Response:
    """Newest first."""
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_promises(tx, customer_id, entity_id, status, before, page.limit + 1)
    return _page(found, page)


@router.get("/promises/{promise_id}", response_model=PromiseOut, dependencies=[scope("reminders:read")])
async def look_at(promise_id: UUID, database: DatabaseDep) -> Response:
    async with reading(database) as tx:
        promise = await handlers.get_promise(tx, promise_id)
    return respond(PromiseOut.of(promise), etag=promise.version)


@router.post(
    "/promises/{promise_id}/withdrawal",
    status_code=201,
    response_model=PromiseOut,
    dependencies=[scope("reminders:write")],
)
async def withdraw(promise_id: UUID, body: WithdrawPromiseIn, once: Once) -> Response:
    """It does not stand any more: the case goes on as if it had not been made. It counts neither as kept nor as
    broken."""
    async with once as tx:
        promise = await handlers.withdraw_promise(tx, WithdrawPromise(promise_id, body.reason))
        return once.answer(201, PromiseOut.of(promise), etag=promise.version)


def _page(found: list[Promise], page: PageParams) -> Response:
    shown, more = page.cut(found, lambda last: [last.id])
    return respond(Page[PromiseOut](items=[PromiseOut.of(each) for each in shown], next_cursor=more))
