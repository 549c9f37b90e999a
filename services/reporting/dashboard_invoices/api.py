"""The page of open invoices by age."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from services.reporting.dashboard_invoices import handlers, rules
from services.reporting.navigation.rules import FILTERS, LINKS, SECTION, TEMPLATES, VALUES, address
from shared.calendar import local_date
from shared.db import reading
from shared.http.dependencies import DatabaseDep
from shared.http.pages import Frame, NavLink
from shared.http.security import Principal
from shared.http.session import SignedIn

pages = APIRouter(include_in_schema=False)

ReaderDep = Annotated[Principal, Depends(SignedIn("reports:read"))]
Text = Annotated[str | None, Query(max_length=64)]

FRAME = Frame(
    Path(__file__).parent / "templates",
    TEMPLATES,
    section=SECTION,
    links=[NavLink(*each) for each in LINKS],
    filters=FILTERS,
    values=VALUES,
)


@pages.get("/invoices")
async def open_invoices(
    request: Request,
    reader: ReaderDep,
    database: DatabaseDep,
    as_of: Text = None,
    currency: Text = None,
    age: Text = None,
    after: Text = None,
) -> HTMLResponse:
    """What was open at the end of a day, the oldest due first. What cannot be read counts as left out."""
    chosen, place = rules.read_age(age), rules.read_place(after)
    async with reading(database) as tx:
        at = address("/invoices", as_of, local_date(tx.now, "UTC"), currency=currency, age=chosen.key)
        shown = await handlers.draw_open_invoices(tx, at.on, currency, chosen, place)
    last = shown.rows[-1] if shown and shown.more else None
    return FRAME.draw(
        request,
        reader,
        "open_invoices.html",
        at=at,
        shown=shown,
        age=chosen,
        older=at.link(after=f"{last['due_on']}.{last['invoice_id']}") if last else None,
        starts_later=place is not None,
    )
