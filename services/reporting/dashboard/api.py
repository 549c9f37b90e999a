"""The first page: receivables at a glance, and beside it what takes longer to work out."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from services.reporting.ageing.rules import ReportCurrency
from services.reporting.charts.rules import bars, column_chart, line_chart, month_words
from services.reporting.dashboard import handlers, rules
from services.reporting.dashboard.handlers import Forecast, NothingOwed, Overview
from services.reporting.groups.rules import Group
from services.reporting.navigation.rules import FILTERS, LINKS, SECTION, TEMPLATES, VALUES, address
from shared.calendar import local_date
from shared.db import Database, reading
from shared.fanout import Fanout, Listener
from shared.http import event_stream
from shared.http.dependencies import DatabaseDep
from shared.http.event_stream import EventStream
from shared.http.pages import Frame, NavLink
from shared.http.security import Principal
from shared.http.session import SignedIn
from shared.waiting import wait_for_either, wait_until_set

pages = APIRouter(include_in_schema=False)

ReaderDep = Annotated[Principal, Depends(SignedIn("reports:read"))]
Text = Annotated[str | None, Query(max_length=64)]


def _group(segment: Text = None, country: Text = None, entity: Text = None, collector: Text = None) -> Group:
    """Of whom a page is. What is named beside the first counts as left out."""
    return rules.read_group(segment=segment, country=country, entity=entity, collector=collector)


GroupDep = Annotated[Group, Depends(_group)]

FRAME = Frame(
    Path(__file__).parent / "templates",
    TEMPLATES,
    section=SECTION,
    links=[NavLink(*each) for each in LINKS],
    filters={**FILTERS, "day_near": rules.day_near, "month": month_words},
    values={**VALUES, "groupings": rules.GROUPINGS},
)
TELL_EVERY_SECONDS = 1.0
"""However much happens, a page hears of it so often at most."""


@pages.get("/")
async def overview(
    request: Request,
    reader: ReaderDep,
    database: DatabaseDep,
    group: GroupDep,
    as_of: Text = None,
    currency: Text = None,
    by: Text = None,
) -> HTMLResponse:
    """Receivables at the end of a day. What the address holds that cannot be read counts as left out."""
    async with reading(database) as tx:
        at = address("/", as_of, local_date(tx.now, "UTC"), currency=currency, by=by, **_filter(group))
        group_by = rules.read_grouping(by)
        shown = await handlers.draw_overview(tx, at.on, currency, group_by, group)
    settings = request.app.state.settings
    if isinstance(shown, NothingOwed):
        urls = {"invoice": settings.invoice_url, "credit": settings.credit_url}
        return FRAME.draw(request, reader, "nothing.html", at=at, shown=shown, group=group, **urls)
    figures = _figures(shown, settings.dso_target_days)
    of = {"group": group, "filter": _filter(group)}
    return FRAME.draw(request, reader, "overview.html", at=at, shown=shown, group_by=group_by, **of, **figures)


@pages.get("/cash-forecast")
async def cash_forecast(
    request: Request,
    reader: ReaderDep,
    database: DatabaseDep,
    group: GroupDep,
    currency: ReportCurrency,
    as_of: Text = None,
) -> HTMLResponse:
    """What should come in, and how the forecasts before did: apart from the first page, since it learns from two years
    of payments. That page takes its own part from here."""
    async with reading(database) as tx:
        at = address("/cash-forecast", as_of, local_date(tx.now, "UTC"), currency=currency, **_filter(group))
        shown = await handlers.draw_forecast(tx, at.on, at.today, currency, group)
    of = {"currency": currency, "group": group, "filter": _filter(group)}
    return FRAME.draw(request, reader, "forecast.html", at=at, shown=shown, **of, **_weeks(shown, currency))


@pages.get("/provision")
async def provision(
    request: Request,
    reader: ReaderDep,
    database: DatabaseDep,
    group: GroupDep,
    currency: ReportCurrency,
    as_of: Text = None,
) -> HTMLResponse:
    """What would have to be provided for, by the losses of the past."""
    async with reading(database) as tx:
        at = address("/provision", as_of, local_date(tx.now, "UTC"), currency=currency, **_filter(group))
        shown = await handlers.draw_provision(tx, at.on, currency, group)
    of = {"currency": currency, "group": group, "filter": _filter(group)}
    return FRAME.draw(request, reader, "provision.html", at=at, shown=shown, **of)


def _filter(group: Group) -> dict[str, str]:
    """The group as the address has it."""
    return {} if group.is_everybody else {group.kind: group.key}


@pages.get("/live")
async def live(request: Request, reader: ReaderDep, database: DatabaseDep) -> Response:
    """Server-sent events that say no more than that figures have changed; a page then looks anew."""
    return EventStream(_changes(request.app.state.closing, request.app.state.live_feed, database))


async def _changes(closing: asyncio.Event, feed: Fanout[asyncpg.Record], database: Database) -> AsyncIterator[bytes]:
    ends_at = monotonic() + event_stream.STREAM_SECONDS_MAX
    yield event_stream.HELLO
    async with feed.listen(database, lambda _: True) as listener:
        while not closing.is_set() and not listener.cut_off and monotonic() < ends_at:
            await wait_for_either(closing, listener.news, event_stream.KEEP_ALIVE_SECONDS)
            if said := _said(listener):
                yield said
                await wait_until_set(closing, TELL_EVERY_SECONDS)
            else:
                yield event_stream.STILL_HERE


def _said(listener: Listener[asyncpg.Record]) -> bytes | None:
    rows = listener.take()
    return event_stream.event(str(rows[-1]["id"]), b'"changed"') if rows else None


def _figures(shown: Overview, target_days: Decimal | None) -> dict[str, Any]:
    """What the overview's charts and tiles are drawn from."""
    ratios, earlier = shown.kpis.ratios, shown.trend[-2] if len(shown.trend) > 1 else None

    def moved(now: Any, before: Any) -> rules.Change | None:
        return rules.change(now, before, earlier.on) if earlier else None

    add_before = None
    if earlier and earlier.dso is not None and earlier.best_possible_dso is not None:
        add_before = earlier.dso - earlier.best_possible_dso
    b = shown.buckets
    return {
        "ratios": ratios,
        "target": target_days,
        "over_target": rules.change(ratios.dso, target_days, shown.trend[-1].on) if target_days else None,
        "bars": bars(b.split, b.disputed, b.on_plan),
        "dso_change": moved(ratios.dso, earlier.dso if earlier else None),
        "best_change": moved(ratios.best_possible_dso, earlier.best_possible_dso if earlier else None),
        "add_change": moved(ratios.average_days_delinquent, add_before),
        "largest": max((debtor.total_minor for debtor in shown.debtors), default=0),
        "largest_group": max((group.total for group in shown.groups), default=0),
        "cash_chart": column_chart([minor for _, minor in shown.cash.months], b.currency),
        "chart": line_chart(
            [point.on for point in shown.trend],
            {
                "dso": [point.dso for point in shown.trend],
                "best": [point.best_possible_dso for point in shown.trend],
                "target": [target_days if point.dso is not None else None for point in shown.trend],
            },
        ),
    }


def _weeks(shown: Forecast, currency: str) -> dict[str, Any]:
    """Past weeks as they came in, then weeks to come as they are expected, all with the range that was forecast."""
    hits = shown.accuracy.hits if shown.accuracy else ()
    drawn = [*(hit.forecast for hit in hits), *shown.weeks]
    values = [*(hit.received_minor for hit in hits), *(week.expected_minor for week in shown.weeks)]
    return {
        "hits": hits,
        "drawn": drawn,
        "expected_minor": sum(week.expected_minor for week in shown.weeks),
        "chart": column_chart(values, currency, [(week.low_minor, week.high_minor) for week in drawn]),
    }
