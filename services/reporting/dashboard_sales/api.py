"""The page of sales: my accounts."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from services.reporting.dashboard_sales import handlers
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
Name = Annotated[str | None, Query(max_length=200)]

FRAME = Frame(
    Path(__file__).parent / "templates",
    TEMPLATES,
    section=SECTION,
    links=[NavLink(*each) for each in LINKS],
    filters=FILTERS,
    values=VALUES,
)


@pages.get("/accounts")
async def accounts(
    request: Request,
    reader: ReaderDep,
    database: DatabaseDep,
    as_of: Text = None,
    currency: Text = None,
    owner: Name = None,
) -> HTMLResponse:
    """The accounts somebody looks after: the reader's own where nobody is named and the reader has some, else those
    most overdue of all."""
    async with reading(database) as tx:
        at = address("/accounts", as_of, local_date(tx.now, "UTC"), currency=currency, owner=owner)
        called = [name for name in (reader.name, reader.subject) if name]
        shown = await handlers.draw_accounts(tx, at.on, currency, owner, called)
    return FRAME.draw(request, reader, "accounts.html", at=at, shown=shown)
