"""One customer's account and its timeline."""

from itertools import groupby
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from services.reporting.dashboard_customer import handlers, rules
from services.reporting.navigation.rules import FILTERS, LINKS, SECTION, TEMPLATES, VALUES, address
from services.reporting.timeline import rules as timeline
from shared.calendar import local_date
from shared.db import reading
from shared.http.dependencies import DatabaseDep
from shared.http.desks import Account
from shared.http.pages import Frame, NavLink
from shared.http.security import Principal
from shared.http.session import SignedIn
from shared.money import Money

pages = APIRouter(include_in_schema=False)

ReaderDep = Annotated[Principal, Depends(SignedIn("reports:read"))]
Text = Annotated[str | None, Query(max_length=64)]


def money_of(told: dict[str, Any]) -> Money:
    """An amount as an event has it."""
    return Money.parse(told["amount"], told["currency"])


FRAME = Frame(
    Path(__file__).parent / "templates",
    TEMPLATES,
    section=SECTION,
    links=[NavLink(*each) for each in LINKS],
    filters=FILTERS,
    values={**VALUES, "money_of": money_of, "steps": timeline.STEPS},
)


@pages.get("/customers/{customer_id}")
async def account(
    request: Request,
    reader: ReaderDep,
    database: DatabaseDep,
    customer_id: UUID,
    as_of: Text = None,
    before: Text = None,
) -> HTMLResponse:
    """One customer's account at the end of a day, and everything that led to it."""
    place = rules.read_place(before)
    async with reading(database) as tx:
        at = address(f"/customers/{customer_id}", as_of, local_date(tx.now, "UTC"))
        shown = await handlers.draw_account(tx, customer_id, at.on, place)
    return FRAME.draw(
        request,
        reader,
        "account.html",
        at=at,
        shown=shown,
        invoices=shown.invoices,
        expected=None,
        days=[(day, list(entries)) for day, entries in groupby(shown.entries, key=lambda entry: entry.on)],
        older=f"{at.link(before=f'{shown.older.on}.{shown.older.seq}')}#timeline" if shown.older else None,
        starts_later=place is not None,
        account_shown=Account(customer_id),
    )


@pages.get("/customers/{customer_id}/expected")
async def expected(
    request: Request, reader: ReaderDep, database: DatabaseDep, customer_id: UUID, as_of: Text = None
) -> HTMLResponse:
    """The open invoices with the days on which they should be paid: apart from the account's page, since habits are
    learned from two years of everybody's payments. That page takes its own part from here."""
    async with reading(database) as tx:
        at = address(f"/customers/{customer_id}", as_of, local_date(tx.now, "UTC"))
        invoices, found = await handlers.expect_payments(tx, customer_id, at.on)
    return FRAME.draw(request, reader, "expected.html", at=at, invoices=invoices, expected=found)
