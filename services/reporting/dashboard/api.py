"""The pages: receivables at a glance, and one customer's account."""

from collections.abc import Mapping
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.reporting.dashboard import handlers, rules
from services.reporting.dashboard.handlers import NothingOwed, Overview
from services.reporting.timeline import rules as timeline
from shared.calendar import local_date
from shared.db import reading
from shared.http.dependencies import DatabaseDep
from shared.http.security import Principal
from shared.http.session import SignedIn

pages = APIRouter(include_in_schema=False)

ReaderDep = Annotated[Principal, Depends(SignedIn("reports:read"))]
Text = Annotated[str | None, Query(max_length=64)]

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters.update(
    day=rules.day_words,
    day_near=rules.day_near,
    number=rules.number,
    signed=rules.signed,
    late=rules.days_late,
    words=rules.words,
)
TEMPLATES.globals.update(amount=rules.amount, stacked=rules.stacked, percent=rules.percent)


@pages.get("/")
async def overview(
    request: Request, reader: ReaderDep, database: DatabaseDep, as_of: Text = None, currency: Text = None
) -> HTMLResponse:
    """Receivables at the end of a day. What the address holds that cannot be read counts as left out."""
    async with reading(database) as tx:
        today = local_date(tx.now, "UTC")
        on = rules.read_day(as_of, today)
        shown = await handlers.draw_overview(tx, on, currency)
    page = {**_frame(request, reader, "/", on, today, {"currency": currency} if currency else {}), "on": on}
    if isinstance(shown, NothingOwed):
        settings = request.app.state.settings
        return _html("nothing.html", page, shown=shown, invoice=settings.invoice_url, credit=settings.credit_url)
    return _html("overview.html", page, shown=shown, **_figures(shown))


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
        today = local_date(tx.now, "UTC")
        on = rules.read_day(as_of, today)
        shown = await handlers.draw_account(tx, customer_id, on, place)
    older = {"before": f"{shown.older.on}.{shown.older.seq}"} if shown.older else None
    path = f"/customers/{customer_id}"
    return _html(
        "account.html",
        _frame(request, reader, path, on, today, {}),
        on=on,
        shown=shown,
        days=[(day, list(entries)) for day, entries in groupby(shown.entries, key=lambda entry: entry.on)],
        older=f"{path}?{urlencode({'as_of': on.isoformat(), **older})}#timeline" if older else None,
        starts_later=place is not None,
        steps=timeline.STEPS,
    )


def _figures(shown: Overview) -> dict[str, Any]:
    """What the overview's charts and tiles are drawn from."""
    ratios, earlier = shown.kpis.ratios, shown.trend[-2] if len(shown.trend) > 1 else None

    def moved(now: Any, before: Any) -> rules.Change | None:
        return rules.change(now, before, earlier.on) if earlier else None

    add_before = None
    if earlier and earlier.dso is not None and earlier.best_possible_dso is not None:
        add_before = earlier.dso - earlier.best_possible_dso
    largest = max((debtor.total_minor for debtor in shown.debtors), default=0)
    return {
        "ratios": ratios,
        "whole": rules.shows_whole(shown.buckets.total, shown.buckets.currency),
        "bars": rules.bars(shown.buckets.split),
        "dso_change": moved(ratios.dso, earlier.dso if earlier else None),
        "best_change": moved(ratios.best_possible_dso, earlier.best_possible_dso if earlier else None),
        "add_change": moved(ratios.average_days_delinquent, add_before),
        "largest": largest,
        "most_messages": max((messages for _, _, messages in shown.steps), default=0),
        "messages": sum(messages for _, _, messages in shown.steps),
        "chart": rules.line_chart(
            [point.on for point in shown.trend],
            {
                "dso": [point.dso for point in shown.trend],
                "best": [point.best_possible_dso for point in shown.trend],
            },
        ),
    }


def _frame(
    request: Request, reader: Principal, path: str, on: date, today: date, kept: Mapping[str, str]
) -> dict[str, Any]:
    """What every page has around it: who reads, the day shown, and the way to other days."""

    def link(day: date, **changed: str) -> str:
        return f"{path}?{urlencode({'as_of': day.isoformat(), **kept, **changed})}"

    return {
        "reader": reader,
        "path": path,
        "today": today,
        "kept": kept,
        "link": link,
        "earlier": rules.month_end_before(on),
        "later": min(rules.month_end_after(on), today) if on < today else None,
    }


def _html(template: str, page: Mapping[str, Any], **figures: Any) -> HTMLResponse:
    return HTMLResponse(TEMPLATES.get_template(template).render(**page, **figures))
