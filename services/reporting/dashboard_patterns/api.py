"""The page of payment patterns."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from services.reporting.dashboard_patterns import rules
from services.reporting.navigation.rules import FILTERS, LINKS, SECTION, TEMPLATES, VALUES, address, read_window
from services.reporting.patterns import handlers as patterns
from services.reporting.patterns.handlers import FindPatterns
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
    values={**VALUES, "groupings": rules.GROUPINGS, "named_in_full": rules.NAMED_IN_FULL},
)


@pages.get("/patterns")
async def payment_patterns(
    request: Request,
    reader: ReaderDep,
    database: DatabaseDep,
    as_of: Text = None,
    by: Text = None,
    days: Text = None,
) -> HTMLResponse:
    """How late what was paid in some days was, beside as many days before. What cannot be read counts as left out."""
    window_days, group_by = read_window(days), rules.read_grouping(by)
    async with reading(database) as tx:
        at = address("/patterns", as_of, local_date(tx.now, "UTC"), by=by, days=days)
        found = await patterns.find_patterns(tx, FindPatterns(at.on, window_days, group_by))
    return FRAME.draw(
        request,
        reader,
        "patterns.html",
        at=at,
        group_by=group_by,
        window_days=window_days,
        rows=rules.drawn(found),
        in_all=len(found),
    )
