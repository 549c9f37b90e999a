"""The reporting service, composed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.reporting.ageing import api as ageing
from services.reporting.alerts import api as alerts
from services.reporting.cash_received import api as cash_received
from services.reporting.consumers import subscriptions
from services.reporting.dashboard import api as dashboard
from services.reporting.dashboard_customer import api as dashboard_customer
from services.reporting.dashboard_invoices import api as dashboard_invoices
from services.reporting.dashboard_patterns import api as dashboard_patterns
from services.reporting.dashboard_sales import api as dashboard_sales
from services.reporting.dashboard_team import api as dashboard_team
from services.reporting.debtors import api as debtors
from services.reporting.digests import api as digests
from services.reporting.effectiveness import api as effectiveness
from services.reporting.exports import api as exports
from services.reporting.feed import api as feed
from services.reporting.feed import handlers as feed_handlers
from services.reporting.forecasts import api as forecasts
from services.reporting.indicators import api as indicators
from services.reporting.jobs import Resources, gauge_webhooks, send_notices, send_webhooks
from services.reporting.kpis import api as kpis
from services.reporting.management_report import api as management_report
from services.reporting.patterns import api as patterns
from services.reporting.provisions import api as provisions
from services.reporting.rebuilds import api as rebuilds
from services.reporting.references import api as references
from services.reporting.saved_reports import api as saved_reports
from services.reporting.search import api as search
from services.reporting.segments import api as segments
from services.reporting.settings import Settings, read_settings
from services.reporting.snapshots import api as snapshots
from services.reporting.ticks import ticks
from services.reporting.timeline import api as timeline
from services.reporting.webhook_deliveries import api as webhook_deliveries
from services.reporting.webhooks import api as webhooks
from services.reporting.webhooks.handlers import Outlet
from shared import process
from shared.db import Database
from shared.fanout import Fanout
from shared.http.app import create_app
from shared.mail import MailServer, Postman
from shared.outside import outside_client
from shared.sealing import Seals, read_keys
from shared.service import Service

SERVICE = Service(
    name="reporting",
    description="Receivables as figures and pictures: ageing at any past date, collection ratios, top debtors, "
    "customer timelines and the feed of every event.",
    subscriptions=subscriptions,
    ticks=ticks,
    routers=(
        ageing.router,
        kpis.router,
        segments.router,
        debtors.router,
        forecasts.router,
        cash_received.router,
        effectiveness.router,
        patterns.router,
        feed.router,
        timeline.router,
        snapshots.router,
        webhooks.router,
        webhook_deliveries.router,
        alerts.router,
        digests.router,
        rebuilds.router,
        indicators.router,
        provisions.router,
        references.router,
        search.router,
        management_report.router,
        exports.router,
        saved_reports.router,
    ),
    pages=(
        dashboard.pages,
        dashboard_customer.pages,
        dashboard_invoices.pages,
        dashboard_team.pages,
        dashboard_patterns.pages,
        dashboard_sales.pages,
        search.pages,
    ),
    jobs=(send_webhooks, send_notices, gauge_webhooks),
)


@asynccontextmanager
async def resources(settings: Settings) -> AsyncIterator[Resources]:
    """The ways to the outside, of both processes."""
    server = MailServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        sender=settings.mail_from,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
        tls=settings.smtp_tls,
        timeout_seconds=settings.smtp_timeout_seconds,
    )
    postman = Postman(server)
    async with outside_client(settings.webhook_timeout_seconds) as client:
        try:
            seals = Seals(read_keys(settings.secrets_key.get_secret_value()))
            outlet = Outlet(client, settings.webhooks_private, settings.webhook_timeout_seconds, seals)
            yield Resources(outlet, postman, settings.reporting_url)
        finally:
            await postman.close()


def create_api(settings: Settings | None = None, *, database: Database | None = None) -> FastAPI:
    """`database` is for tests that have one open."""
    chosen = settings or read_settings()
    app = create_app(SERVICE, chosen, lambda _: resources(chosen), database=database)
    app.state.live_feed = Fanout(feed_handlers.look)
    return app


async def run_worker(settings: Settings | None = None) -> None:
    chosen = settings or read_settings()
    await process.run_worker(SERVICE, chosen, lambda _: resources(chosen))


def _own_commands() -> tuple[Callable[[], None], ...]:
    from services.reporting import commands  # Here, so that the two processes start without it.

    def rebuild() -> None:
        """Make the read models again from the events, while the service answers."""
        asyncio.run(commands.rebuild(read_settings().database_url))

    def seal() -> None:
        """Bring every secret in the database under the newest key of SECRETS_KEY."""
        chosen = read_settings()
        asyncio.run(commands.seal(chosen.database_url, Seals(read_keys(chosen.secrets_key.get_secret_value()))))

    return rebuild, seal


def main() -> None:
    process.main(SERVICE, read_settings, create_api, run_worker, _own_commands)
