"""An invoice service on a database of its own, called over its real HTTP application with real tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from services.invoice.app import create_api, open_resources
from services.invoice.settings import Settings
from shared.db import Database
from tests.invoice.client import SIMULATED_FROM, CreditNextDoor, Receivables, ReportingNextDoor
from tests.invoice.desk import desk, served, sign_in  # noqa: F401  # Fixtures of the finance desk.
from tests.invoice.notices import house  # noqa: F401  # The fixture.
from tests.invoice.pay_site import debits, site, stripe_url, tab  # noqa: F401  # Fixtures of the customer's page.
from tests.service_client import app_of, calling, settings_of


@pytest.fixture
async def books(
    open_database: Callable[..., Awaitable[Database]], keys_folder: Path, token: Callable[..., str]
) -> AsyncIterator[Receivables]:
    """The service at 8 o'clock on 1 March 2024, called by somebody who may do everything; credit approves."""
    database = await open_database("invoice", simulated=True)
    await database.pool.execute("insert into clock (now) values ($1::text::timestamptz)", SIMULATED_FROM)
    async with serving(database, keys_folder, token()) as service:
        yield service


@asynccontextmanager
async def serving(database: Database, keys_folder: Path, bearer: str) -> AsyncIterator[Receivables]:
    settings = settings_of(Settings, keys_folder, public_url="https://pay.example/")
    credit, reporting = CreditNextDoor(), ReportingNextDoor()
    transports = {
        "credit_transport": httpx.MockTransport(credit.answer),
        "reporting_transport": httpx.MockTransport(reporting.answer),
    }
    async with open_resources(settings, **transports) as resources:
        app = app_of(create_api, settings, database=database, resources=resources)
        async with calling(app, "invoice", bearer) as http:
            yield Receivables(http, database, credit, resources, reporting)
