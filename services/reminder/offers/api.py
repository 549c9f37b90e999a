"""Offers over HTTP: make them, approve them, record the customer's answer."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from services.reminder.offers import handlers, rules
from services.reminder.offers.handlers import AnswerOffer, DecideOffer, MakeOffer, OfferLinks
from services.reminder.offers.rules import Answer, Offer, Terms
from services.reminder.receivables.rules import ENTITY
from shared.db import reading
from shared.http.dependencies import DatabaseDep, Once, PageParams, PrincipalDep
from shared.http.models import Body, Page
from shared.http.responses import respond
from shared.http.security import scope
from shared.money import Money

router = APIRouter(tags=["offers"])

Number = Annotated[str, Field(min_length=1, max_length=100)]
Person = Annotated[str, Field(min_length=1, max_length=200)]
Note = Annotated[str, Field(min_length=1, max_length=2_000)]
EntityParam = Annotated[str, Query(min_length=1, max_length=40)]


class InstalmentIn(Body):
    due_date: date
    amount: Money


class MakeOfferIn(Body):
    """An extension takes `pay_by`, a settlement `pay` and `pay_by`, a plan its `instalments`."""

    kind: rules.Kind
    expires_on: date = Field(description="The last day to accept it")
    items: Annotated[list[Number], Field(max_length=100)] = Field(
        default=[], description="Numbers of the invoices; empty for all that is overdue"
    )
    pay: Money | None = None
    pay_by: date | None = None
    instalments: Annotated[list[InstalmentIn], Field(max_length=60)] = Field(default=[])
    note: Note | None = None

    def terms(self) -> Terms:
        parts = tuple((each.due_date, each.amount) for each in self.instalments)
        return Terms(self.kind, self.expires_on, tuple(self.items), self.pay, self.pay_by, parts, self.note)


class DecisionIn(Body):
    note: Note | None = None


class WithdrawOfferIn(Body):
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class AnswerIn(Body):
    by: Person = Field(description="Who at the customer said so")
    how: Literal["phone", "email", "letter", "meeting"]
    reason: Annotated[str, Field(min_length=1, max_length=500)] | None = None


class InstalmentOut(BaseModel):
    due_date: date
    amount: Money


class OfferOut(BaseModel):
    """`effect` is what acceptance set off: a promise (`promised`), or what the invoice service is asked for (`pending`,
    then `done` or `failed`). `lapsed`: accepted, and not paid as agreed, so that all is owed again. `url` is the
    customer's page, to be given to the customer alone."""

    id: UUID
    customer_id: UUID
    entity_id: str
    case_id: UUID
    kind: rules.Kind
    status: rules.Status
    amount: Money
    to_pay: Money
    pay_by: date | None
    instalments: list[InstalmentOut]
    invoices: tuple[str, ...]
    expires_on: date
    note: str | None
    made_by: str
    made_at: datetime
    needs_approval: bool
    approved_by: str | None
    approved_at: datetime | None
    answered_by: str | None
    answered_at: datetime | None
    answered_how: rules.How | None
    recorded_by: str | None
    because: str | None
    ended_on: date | None
    effect: rules.Effect
    effect_detail: str | None
    url: str | None
    version: int

    @classmethod
    def of(cls, offer: Offer, links: OfferLinks) -> "OfferOut":
        return cls(
            id=offer.id,
            customer_id=offer.customer_id,
            entity_id=offer.entity_id,
            case_id=offer.case_id,
            kind=offer.kind,
            status=offer.status,
            amount=offer.amount,
            to_pay=offer.to_pay,
            pay_by=offer.pay_by,
            instalments=[
                InstalmentOut(due_date=each.due_date, amount=offer.money(each.minor)) for each in offer.instalments
            ],
            invoices=offer.numbers,
            expires_on=offer.expires_on,
            note=offer.note,
            made_by=offer.made_by,
            made_at=offer.made_at,
            needs_approval=offer.needs_approval,
            approved_by=offer.approved_by,
            approved_at=offer.approved_at,
            answered_by=offer.answered_by,
            answered_at=offer.answered_at,
            answered_how=offer.answered_how,
            recorded_by=offer.recorded_by,
            because=offer.because,
            ended_on=offer.ended_on,
            effect=offer.effect,
            effect_detail=offer.effect_detail,
            url=links.url(offer.id) if offer.status == "open" else None,
            version=offer.version,
        )


def _links(request: Request) -> OfferLinks:
    return request.app.state.offer_links


LinksDep = Annotated[OfferLinks, Depends(_links)]
Writing = [scope("reminders:write")]


@router.post("/cases/{customer_id}/offers", status_code=201, response_model=OfferOut, dependencies=Writing)
async def make_offer(
    customer_id: UUID,
    body: MakeOfferIn,
    once: Once,
    principal: PrincipalDep,
    links: LinksDep,
    entity_id: EntityParam = ENTITY,
) -> Response:
    """One offer is open at a time. Beyond what a collector may offer alone, a second person approves it first; while
    it is open nothing else is asked of the customer."""
    async with once as tx:
        offer = await handlers.make_offer(tx, MakeOffer(customer_id, entity_id, body.terms(), principal.subject))
        location = f"/v1/offers/{offer.id}"
        return once.answer(201, OfferOut.of(offer, links), etag=offer.version, location=location)


@router.post(
    "/offers/{offer_id}/approval",
    status_code=201,
    response_model=OfferOut,
    dependencies=[scope("reminders:write", "reminders:approve")],
)
async def approve(offer_id: UUID, body: DecisionIn, once: Once, principal: PrincipalDep, links: LinksDep) -> Response:
    """As a second person: now the customer may accept it."""
    return await _decide(once, DecideOffer(offer_id, True, principal.subject, body.note), links)


@router.post("/offers/{offer_id}/rejection", status_code=201, response_model=OfferOut, dependencies=Writing)
async def reject(offer_id: UUID, body: DecisionIn, once: Once, principal: PrincipalDep, links: LinksDep) -> Response:
    """It is not approved; whoever made it withdraws it so."""
    return await _decide(once, DecideOffer(offer_id, False, principal.subject, body.note), links)


async def _decide(once: Once, command: DecideOffer, links: OfferLinks) -> Response:
    async with once as tx:
        offer = await handlers.decide_offer(tx, command)
        return once.answer(201, OfferOut.of(offer, links), etag=offer.version)


@router.post("/offers/{offer_id}/acceptance", status_code=201, response_model=OfferOut, dependencies=Writing)
async def accept(offer_id: UUID, body: AnswerIn, once: Once, principal: PrincipalDep, links: LinksDep) -> Response:
    """The customer has accepted: recorded by whom, when and how, and carried out."""
    answer = Answer(True, body.by, body.how, principal.subject, body.reason)
    return await _answer(once, AnswerOffer(offer_id, answer), links)


@router.post("/offers/{offer_id}/refusal", status_code=201, response_model=OfferOut, dependencies=Writing)
async def refuse(offer_id: UUID, body: AnswerIn, once: Once, principal: PrincipalDep, links: LinksDep) -> Response:
    """The customer does not want it: the case goes on."""
    answer = Answer(False, body.by, body.how, principal.subject, body.reason)
    return await _answer(once, AnswerOffer(offer_id, answer), links)


async def _answer(once: Once, command: AnswerOffer, links: OfferLinks) -> Response:
    async with once as tx:
        offer = await handlers.answer_offer(tx, command)
        return once.answer(201, OfferOut.of(offer, links), etag=offer.version)


@router.post("/offers/{offer_id}/withdrawal", status_code=201, response_model=OfferOut, dependencies=Writing)
async def withdraw(offer_id: UUID, body: WithdrawOfferIn, once: Once, links: LinksDep) -> Response:
    """Taken back before it was answered."""
    async with once as tx:
        offer = await handlers.withdraw_offer(tx, offer_id, body.reason)
        return once.answer(201, OfferOut.of(offer, links), etag=offer.version)


@router.get("/offers", response_model=Page[OfferOut], dependencies=[scope("reminders:read")])
async def list_offers(
    database: DatabaseDep,
    page: PageParams,
    links: LinksDep,
    customer_id: UUID | None = None,
    entity_id: Annotated[str | None, Query(max_length=40)] = None,
    status: rules.Status | None = None,
) -> Response:
    """Newest first."""
    before = UUID(page.after[0]) if page.after else None
    async with reading(database) as tx:
        found = await handlers.list_offers(tx, customer_id, entity_id, status, before, page.limit + 1)
    shown, more = page.cut(found, lambda last: [last.id])
    return respond(Page[OfferOut](items=[OfferOut.of(each, links) for each in shown], next_cursor=more))


@router.get("/offers/{offer_id}", response_model=OfferOut, dependencies=[scope("reminders:read")])
async def look_at(offer_id: UUID, database: DatabaseDep, links: LinksDep) -> Response:
    async with reading(database) as tx:
        offer = await handlers.get_offer(tx, offer_id)
    return respond(OfferOut.of(offer, links), etag=offer.version)
