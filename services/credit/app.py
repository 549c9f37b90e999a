"""Credit, composed: what it answers, what it listens to, what it publishes."""

from __future__ import annotations

from fastapi import FastAPI

from services.credit.consumers import subscriptions
from services.credit.customers import api as customers
from services.credit.decisions import api as decisions
from services.credit.limits import api as limits
from services.credit.rates import api as rates
from services.credit.settings import Settings
from services.credit.ticks import ticks
from shared import process
from shared.db import Database
from shared.http.app import create_app
from shared.service import Service

SERVICE = Service(
    name="credit",
    description="Who the customers are, what each may owe, and whether they may owe more.",
    subscriptions=subscriptions,
    ticks=ticks,
    routers=(customers.router, limits.router, decisions.router, rates.router),
    publishes=("ar.customer", "ar.credit"),
)


def read_settings() -> Settings:
    return Settings()  # pyright: ignore[reportCallIssue]  # The environment gives what has no default.


def create_api(settings: Settings | None = None, *, database: Database | None = None) -> FastAPI:
    return create_app(SERVICE, settings or read_settings(), database=database)


async def run_worker(settings: Settings | None = None) -> None:
    await process.run_worker(SERVICE, settings or read_settings())


def main() -> None:
    process.main(SERVICE, read_settings, create_api, run_worker)
