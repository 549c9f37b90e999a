"""The invoice service, composed: what it answers, what it listens to, what it publishes."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from fastapi import FastAPI

from services.invoice.balances import api as balances
from services.invoice.consumers import subscriptions
from services.invoice.credit_desk import TIMEOUT, CreditDesk
from services.invoice.disputes import api as disputes
from services.invoice.entities import api as entities
from services.invoice.imports import api as imports
from services.invoice.invoices import api as invoices
from services.invoice.journal import api as journal
from services.invoice.payments import api as payments
from services.invoice.period_lock import api as period_lock
from services.invoice.recurring import api as recurring
from services.invoice.settings import Settings
from services.invoice.ticks import ticks
from shared import process
from shared.db import Database
from shared.http.app import create_app
from shared.http.client import service_client
from shared.service import Service
from shared.settings import ServiceSettings

SERVICE = Service(
    name="invoice",
    description="Invoices, payments and where they were applied, disputes, what is overdue, and the journal of it all.",
    subscriptions=subscriptions,
    ticks=ticks,
    routers=(
        invoices.router,
        recurring.router,
        imports.router,
        payments.router,
        disputes.router,
        balances.router,
        journal.router,
        entities.router,
        period_lock.router,
    ),
    publishes=("ar.invoice", "ar.payment", "ar.overdue"),
)


@dataclass(frozen=True)
class Resources:
    """What the doors work with besides the database."""

    credit: CreditDesk
    public_url: str


@asynccontextmanager
async def open_resources(
    settings: ServiceSettings, *, credit_transport: httpx.AsyncBaseTransport | None = None
) -> AsyncGenerator[Resources]:
    """`credit_transport` is for tests that put a credit service of their own in its place."""
    async with service_client(settings, "credit", timeout=TIMEOUT, transport=credit_transport) as client:
        yield Resources(CreditDesk(client), settings.public_url.rstrip("/"))


def read_settings() -> Settings:
    return Settings()  # pyright: ignore[reportCallIssue]  # The environment gives what has no default.


def create_api(
    settings: Settings | None = None,
    *,
    database: Database | None = None,
    credit_transport: httpx.AsyncBaseTransport | None = None,
) -> FastAPI:
    def resources(settings: ServiceSettings):
        return open_resources(settings, credit_transport=credit_transport)

    return create_app(SERVICE, settings or read_settings(), resources, database=database)


async def run_worker(settings: Settings | None = None) -> None:
    await process.run_worker(SERVICE, settings or read_settings(), open_resources)


def main() -> None:
    process.main(SERVICE, read_settings, create_api, run_worker)
