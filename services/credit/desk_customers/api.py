"""Customers for credit controllers: the list, and each one's credit file with what can be done about it."""

from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from services.credit.assessments import handlers as assessments
from services.credit.assessments.handlers import AssessCustomer
from services.credit.customers import handlers as customers
from services.credit.customers.rules import NET_DAYS_MAX
from services.credit.decisions.rules import explain
from services.credit.desk_customers import handlers
from services.credit.desk_customers.rules import Search
from services.credit.desk_words import rules as words
from services.credit.desk_words.rules import money_said, said
from services.credit.holds import handlers as holds
from services.credit.holds.handlers import PlaceHold, ReleaseHold
from services.credit.holds.rules import ByHand
from services.credit.limit_requests import handlers as limit_requests
from services.credit.limit_requests.handlers import RequestLimit
from services.credit.limit_requests.rules import Kind, Wanted
from services.credit.policy_rules.rules import CLASSES, HELD, Held
from services.credit.reviews import handlers as reviews
from services.credit.reviews.handlers import OpenReview
from services.credit.sellers import handlers as sellers
from services.credit.sellers.handlers import AssignSeller
from services.credit.sellers.rules import DEFAULT
from services.credit.term_requests import handlers as term_requests
from services.credit.term_requests.handlers import RequestTerms
from services.credit.terms.rules import Terms
from shared.db import Database, Tx, reading
from shared.errors import DomainError
from shared.http.dependencies import DatabaseDep, ResourcesDep
from shared.http.desks import Account
from shared.http.idempotency import OnceOnly
from shared.http.pages import AttemptDep, Frame, NavLink, act, link
from shared.http.security import Principal
from shared.http.session import SignedIn

pages = APIRouter(include_in_schema=False)
frame = Frame(
    Path(__file__).parent / "templates",
    section=words.SECTION,
    links=tuple(NavLink(*each) for each in words.LINKS),
    said=words.SAID,
    filters={"percent": words.percent, "explain": explain, "particulars": words.particulars, "terms": words.terms},
    values={"classes": CLASSES, "things": HELD, "kinds": words.KINDS, "share": words.share},
)

ReaderDep = Annotated[Principal, Depends(SignedIn("customers:read", "credit:read"))]
WriterDep = Annotated[Principal, Depends(SignedIn("customers:read", "credit:read", "credit:write"))]
Text = Annotated[str, Query(max_length=200)]
Written = Annotated[str, Form(max_length=400)]


@pages.get("/customers")
async def list_customers(
    request: Request,
    reader: ReaderDep,
    database: DatabaseDep,
    search: Text = "",
    risk_class: Text = "",
    segment: Text = "",
    currency: Text = "",
    held: bool = False,
    after_name: Annotated[str | None, Query(max_length=400)] = None,
    after: Annotated[UUID | None, Query()] = None,
) -> Response:
    """By name, with what each may owe, owes, and has left."""
    wanted = Search(search.strip(), risk_class, segment, currency, held)
    place = (after_name, after) if after_name is not None and after else None
    async with reading(database) as tx:
        shown = await handlers.list_customers(tx, wanted, place)
    query = {
        "search": wanted.text,
        "risk_class": risk_class,
        "segment": segment,
        "currency": currency,
        "held": "true" if held else "",
    }
    first = link("/customers", **query)
    more = link("/customers", **query, after_name=shown.more[0], after=shown.more[1]) if shown.more else None
    return frame.draw(
        request, reader, "customers.html", shown=shown, wanted=wanted, first=first if place else None, more=more
    )


@pages.get("/customers/{customer_id}")
async def look_at_customer(request: Request, reader: ReaderDep, database: DatabaseDep, customer_id: UUID) -> Response:
    """Limit, exposure, risk and everything that was decided."""
    return await _draw(request, reader, database, customer_id)


async def _draw(
    request: Request, reader: Principal, database: Database, customer_id: UUID, refused: DomainError | None = None
) -> Response:
    async with reading(database) as tx:
        shown = await handlers.draw_file(tx, customer_id)
    may_write = "credit:write" in reader.scopes and shown.customer.status == "active"
    return frame.draw(
        request,
        reader,
        "file.html",
        shown=shown,
        refused=refused,
        may_write=may_write,
        account_shown=Account(customer_id),
    )


class _Acting:
    """What every form of a credit file is sent with; `do` does it and goes back to the file."""

    def __init__(
        self, request: Request, reader: WriterDep, database: DatabaseDep, once: AttemptDep, customer_id: UUID
    ) -> None:
        self.request, self.database, self.customer_id = request, database, customer_id
        self.reader: Principal = reader
        self.once: OnceOnly = once

    async def do(self, work: Callable[[Tx], Awaitable[Any]], then: str) -> Response:
        async def again(refused: DomainError) -> Response:
            return await _draw(self.request, self.reader, self.database, self.customer_id, refused)

        return await act(self.once, work, f"/customers/{self.customer_id}?said={then}", again)


ActingDep = Annotated[_Acting, Depends()]


@pages.post("/customers/{customer_id}/holds")
async def place_hold(
    acting: ActingDep,
    held: Annotated[tuple[Held, ...], Form()] = (),
    cause: Annotated[ByHand, Form()] = "by_hand",
    reason: Written = "",
    until: Annotated[date | None, Form()] = None,
) -> Response:
    async def work(tx: Tx) -> None:
        why = said(reason, "Reason")
        await holds.place_hold(tx, PlaceHold(acting.customer_id, cause, held, why, acting.reader.subject, until))

    return await acting.do(work, "held")


@pages.post("/customers/{customer_id}/holds/{hold_id}/release")
async def release_hold(
    acting: ActingDep, hold_id: UUID, version: Annotated[int, Form()], reason: Written = ""
) -> Response:
    async def work(tx: Tx) -> None:
        why = said(reason, "Reason")
        await holds.release_hold(tx, ReleaseHold(acting.customer_id, hold_id, version, why, acting.reader.subject))

    return await acting.do(work, "released")


@pages.post("/customers/{customer_id}/limit-requests")
async def request_limit(
    acting: ActingDep,
    kind: Annotated[Kind, Form()],
    amount: Written = "",
    until: Annotated[date | None, Form()] = None,
    season_from: Written = "",
    season_to: Written = "",
    evidence: Written = "",
    reason: Written = "",
) -> Response:
    """Ask for a limit, a raise or the counting of a security; others approve it where the policy wants that."""

    async def work(tx: Tx) -> None:
        currency = (await customers.get_customer(tx, acting.customer_id)).particulars.currency
        season = (season_from.strip(), season_to.strip()) if season_from.strip() or season_to.strip() else None
        wanted = Wanted(kind, money_said(amount, currency, "Amount"), None, until, season, evidence.strip() or None)
        why = said(reason, "Reason")
        await limit_requests.request_limit(tx, RequestLimit(acting.customer_id, wanted, why, acting.reader.subject))

    return await acting.do(work, "asked")


@pages.post("/customers/{customer_id}/term-requests")
async def request_terms(
    acting: ActingDep,
    net_days: Annotated[int, Form(ge=0, le=NET_DAYS_MAX)],
    prepaid_percent: Annotated[int, Form(ge=0, le=100)],
    deposit: Written = "",
    reason: Written = "",
) -> Response:
    """Ask for days, prepayment and deposit; others approve them where the policy wants that."""

    async def work(tx: Tx) -> None:
        currency = (await customers.get_customer(tx, acting.customer_id)).particulars.currency
        asked = money_said(deposit, currency, "Deposit") if deposit.strip() else None
        wanted = Terms(net_days, prepaid_percent, asked if asked and asked.minor else None)
        why = said(reason, "Reason")
        await term_requests.request_terms(tx, RequestTerms(acting.customer_id, wanted, why, acting.reader.subject))

    return await acting.do(work, "asked")


@pages.post("/customers/{customer_id}/assessments")
async def assess(acting: ActingDep) -> Response:
    async def work(tx: Tx) -> None:
        await assessments.assess_customer(tx, AssessCustomer(acting.customer_id, None, acting.reader.subject))

    return await acting.do(work, "assessed")


@pages.post("/customers/{customer_id}/seller")
async def assign_seller(
    acting: ActingDep,
    _: Annotated[Principal, Depends(SignedIn("customers:write"))],
    resources: ResourcesDep,
    version: Annotated[int, Form(ge=0, le=2**31)],
    entity: Annotated[str, Form(max_length=64, pattern="^[A-Za-z0-9_-]+$")] = DEFAULT,
) -> Response:
    """Have another selling entity look after the customer; whether there is such a one, the invoice service says."""
    try:
        await resources.sellers.find_seller(entity)
    except DomainError as refused:
        return await _draw(acting.request, acting.reader, acting.database, acting.customer_id, refused)

    async def work(tx: Tx) -> None:
        await sellers.assign_seller(tx, AssignSeller(acting.customer_id, entity, version, acting.reader.subject))

    return await acting.do(work, "seller")


@pages.post("/customers/{customer_id}/reviews")
async def open_review(
    acting: ActingDep, reason: Written = "", due_on: Annotated[date | None, Form()] = None
) -> Response:
    async def work(tx: Tx) -> None:
        why = said(reason, "Reason")
        await reviews.open_review(tx, OpenReview(acting.customer_id, why, acting.reader.subject, due_on))

    return await acting.do(work, "review")
