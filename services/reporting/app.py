"""The reporting service, composed."""

from __future__ import annotations

from fastapi import FastAPI

from services.reporting.ageing import api as ageing
from services.reporting.consumers import subscriptions
from services.reporting.dashboard import api as dashboard
from services.reporting.debtors import api as debtors
from services.reporting.feed import api as feed
from services.reporting.feed import handlers as feed_handlers
from services.reporting.kpis import api as kpis
from services.reporting.settings import Settings, read_settings
from services.reporting.ticks import ticks
from services.reporting.timeline import api as timeline
from shared import process
from shared.db import Database
from shared.fanout import Fanout
from shared.http.app import create_app
from shared.service import Service

SERVICE = Service(
    name="reporting",
    description="Receivables as figures and pictures: ageing at any past date, collection ratios, top debtors, "
    "customer timelines and the feed of every event.",
    subscriptions=subscriptions,
    ticks=ticks,
    routers=(ageing.router, kpis.router, debtors.router, feed.router, timeline.router),
    pages=(dashboard.pages,),
)


def create_api(settings: Settings | None = None, *, database: Database | None = None) -> FastAPI:
    """`database` is for tests that have one open."""
    app = create_app(SERVICE, settings or read_settings(), database=database)
    app.state.live_feed = Fanout(feed_handlers.look)
    return app


async def run_worker(settings: Settings | None = None) -> None:
    await process.run_worker(SERVICE, settings or read_settings())


def main() -> None:
    process.main(SERVICE, read_settings, create_api, run_worker)
