"""The page of the head of collections."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from services.reporting.charts.rules import column_chart, month_words
from services.reporting.dashboard_team import handlers, rules
from services.reporting.dashboard_team.handlers import Collections
from services.reporting.navigation.rules import FILTERS, LINKS, SECTION, TEMPLATES, VALUES, address, read_window
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
    filters={**FILTERS, "month": month_words},
    values={**VALUES, "ages": rules.DISPUTE_AGES, "nobody": rules.NOBODY, "reasons_max": rules.REASONS_MAX},
)


@pages.get("/collections")
async def collections(
    request: Request,
    reader: ReaderDep,
    database: DatabaseDep,
    as_of: Text = None,
    currency: Text = None,
    days: Text = None,
) -> HTMLResponse:
    """How collection went in the days up to one. What the address holds that cannot be read counts as left out."""
    window_days = read_window(days)
    async with reading(database) as tx:
        at = address("/collections", as_of, local_date(tx.now, "UTC"), currency=currency, days=days)
        shown = await handlers.draw_collections(tx, at.on, currency, window_days)
    drawn = _drawn(shown) if shown else {}
    return FRAME.draw(request, reader, "collections.html", at=at, shown=shown, window_days=window_days, **drawn)


@pages.get("/collections/effectiveness")
async def effectiveness(
    request: Request, reader: ReaderDep, database: DatabaseDep, as_of: Text = None, days: Text = None
) -> HTMLResponse:
    """What reminders do: apart from the page that shows it, since it watches every invoice that was written about."""
    window_days = read_window(days)
    async with reading(database) as tx:
        at = address("/collections/effectiveness", as_of, local_date(tx.now, "UTC"), days=days)
        effects = await handlers.compare_messages(tx, at.on, window_days, "step")
    return FRAME.draw(request, reader, "effectiveness.html", at=at, effects=effects, window_days=window_days)


def _drawn(shown: Collections) -> dict[str, Any]:
    kept = [promises.kept_minor for _, promises in shown.months]
    both = [promises.kept_minor + promises.broken_minor for _, promises in shown.months]
    return {
        "channels": rules.channels(shown.steps),
        "messages": sum(step.messages for step in shown.steps),
        "most_messages": max((step.messages for step in shown.steps), default=0),
        "most_contested": max((reason.minor for reason in shown.reasons), default=0),
        "contested": sum(reason.minor for reason in shown.reasons),
        "disputes": sum(reason.disputes for reason in shown.reasons),
        # Kept stands in front of both together, from zero upwards on one scale.
        "both_chart": column_chart(both, shown.buckets.currency),
        "kept_shares": [one / all if all else 0 for one, all in zip(kept, both, strict=True)],
    }
