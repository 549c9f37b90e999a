"""Credit, composed: what it answers, what it listens to, what it publishes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.credit.applications import api as applications
from services.credit.assessments import api as assessments
from services.credit.blocked_orders import api as blocked_orders
from services.credit.bureau import bureau_at
from services.credit.consumers import subscriptions
from services.credit.customers import api as customers
from services.credit.decisions import api as decisions
from services.credit.drifts import api as drifts
from services.credit.duplicates import api as duplicates
from services.credit.groups import api as groups
from services.credit.holds import api as holds
from services.credit.intake import api as intake
from services.credit.limit_requests import api as limit_requests
from services.credit.limits import api as limits
from services.credit.policies import api as policies
from services.credit.rates import api as rates
from services.credit.recommendations import api as recommendations
from services.credit.reservations import api as reservations
from services.credit.reviews import api as reviews
from services.credit.scorecards import api as scorecards
from services.credit.segment_drifts import api as segment_drifts
from services.credit.settings import Settings
from services.credit.ticks import Resources, ticks
from services.credit.vetting_imports import api as vetting_imports
from services.credit.what_ifs import api as what_ifs
from shared import process
from shared.db import Database
from shared.http.app import create_app
from shared.service import Service

SERVICE = Service(
    name="credit",
    description="Who the customers are, what each may owe, and whether they may owe more.",
    subscriptions=subscriptions,
    ticks=ticks,
    routers=(
        customers.router,
        limits.router,
        policies.router,
        what_ifs.router,
        decisions.router,
        rates.router,
        reservations.router,
        blocked_orders.router,
        limit_requests.router,
        groups.router,
        holds.router,
        recommendations.router,
        intake.router,
        vetting_imports.router,
        scorecards.router,
        assessments.router,
        applications.router,
        duplicates.router,
        drifts.router,
        segment_drifts.router,
        reviews.router,
    ),
    publishes=("ar.customer", "ar.credit"),
)


def read_settings() -> Settings:
    return Settings()  # pyright: ignore[reportCallIssue]  # The environment gives what has no default.


@asynccontextmanager
async def resources(settings: Settings) -> AsyncIterator[Resources]:
    """The credit bureau, where there is one."""
    if settings.bureau_url is None:
        yield Resources()
        return
    token = settings.bureau_token.get_secret_value() if settings.bureau_token else None
    async with bureau_at(settings.bureau_url, settings.bureau_name, settings.bureau_timeout_seconds, token) as bureau:
        yield Resources(bureau)


def create_api(settings: Settings | None = None, *, database: Database | None = None) -> FastAPI:
    chosen = settings or read_settings()
    app = create_app(SERVICE, chosen, database=database)
    app.state.has_bureau = chosen.bureau_url is not None
    return app


async def run_worker(settings: Settings | None = None) -> None:
    chosen = settings or read_settings()
    await process.run_worker(SERVICE, chosen, lambda _: resources(chosen))


def main() -> None:
    process.main(SERVICE, read_settings, create_api, run_worker)
