"""Search over HTTP, and the page of the search box."""

from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

from services.reporting.navigation.rules import LINKS
from services.reporting.search import handlers
from services.reporting.search.rules import QUERY_MAX, Finding, Kind, NothingAsked
from shared.db import reading
from shared.http.dependencies import DatabaseDep
from shared.http.pages import Frame, NavLink
from shared.http.security import Principal, scope
from shared.http.session import SignedIn

router = APIRouter(tags=["search"])
pages = APIRouter(include_in_schema=False)

FRAME = Frame(
    Path(__file__).parent / "templates",
    section="Search",
    links=[NavLink(*each) for each in LINKS],
)
ON_A_PAGE = 12
HEADINGS = {
    "customer": "Customers",
    "invoice": "Invoices",
    "payment": "Payments",
    "dispute": "Disputes",
    "contact": "Messages",
}


class FindingOut(BaseModel):
    """Something found. `amount` is an invoice's total, what was paid, what is disputed; `on` the day it was issued,
    received, opened or sent."""

    kind: Kind
    id: UUID
    title: str
    customer_id: UUID
    customer_name: str | None
    on: date | None
    currency: str | None
    amount: str | None
    status: str | None

    @classmethod
    def of(cls, f: Finding) -> "FindingOut":
        return cls(
            kind=f.kind,
            id=f.id,
            title=f.title,
            customer_id=f.customer_id,
            customer_name=f.customer,
            on=f.on,
            currency=f.currency,
            amount=f.amount,
            status=f.status,
        )


class FoundOut(BaseModel):
    q: str
    items: list[FindingOut] = Field(description="Customers, invoices, payments, disputes, contacts, in this order")
    more: list[Kind] = Field(description="Kinds of which there are more than `limit`: ask for something narrower")
    next_cursor: None = None


@router.get("/search", dependencies=[scope("reports:read")])
async def search(
    database: DatabaseDep,
    q: Annotated[str, Query(min_length=1, max_length=QUERY_MAX, description="Number, name, reference, amount or id")],
    kind: Annotated[list[Kind] | None, Query(description="Only these; all when left out")] = None,
    limit: Annotated[int, Query(ge=1, le=50, description="At most so many of each kind")] = 10,
) -> FoundOut:
    """Invoices whose number begins or ends with `q`, whatever its hyphens and case; customers with a word of their name
    or external id, and payments with a word of their reference, beginning with each word of `q`; invoices and payments
    of that amount; with customers and invoices their disputes and messages.
    """
    async with reading(database) as tx:
        found = await handlers.search(tx, q, limit, kind or handlers.KINDS)
    return FoundOut(q=q, items=[FindingOut.of(each) for each in found.findings], more=list(found.more))


@pages.get("/search")
async def search_page(
    request: Request,
    reader: Annotated[Principal, Depends(SignedIn("reports:read"))],
    database: DatabaseDep,
    q: Annotated[str, Query(max_length=QUERY_MAX)] = "",
) -> HTMLResponse:
    """The search box, and what was found."""
    found = None
    if q.strip():
        try:
            async with reading(database) as tx:
                found = await handlers.search(tx, q, ON_A_PAGE)
        except NothingAsked:
            found = handlers.Found((), ())
    groups = [(kind, list(of)) for kind, of in groupby(found.findings if found else (), key=lambda each: each.kind)]
    return FRAME.draw(
        request,
        reader,
        "search.html",
        asked=q,
        found=found,
        groups=groups,
        headings=HEADINGS,
        invoice_url=request.app.state.settings.invoice_url,
    )
