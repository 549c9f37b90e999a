"""An invoice service on a database of its own, called over its real HTTP application with real tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from services.invoice.app import create_api
from services.invoice.settings import Settings
from shared import tokens
from shared.db import Database
from tests.invoice.client import CreditNextDoor, Receivables, ReportingNextDoor

SIMULATED_FROM = "2024-03-01 08:00Z"


@pytest.fixture(scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    tokens.make_keys(folder)
    return folder


@pytest.fixture(scope="session")
def token(keys_folder: Path) -> Callable[..., str]:
    """`token("invoices:read")`: an access token with these scopes; all of them when none are named."""

    def make(scopes: str = "all", subject: str = "anna") -> str:
        return tokens.make_token(keys_folder, subject, scopes)

    return make


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
    settings = Settings(
        database_url="postgresql://unused",
        kafka_bootstrap_servers="unused:9092",
        jwks_file=keys_folder / tokens.KEY_SET_FILE,
        public_url="https://pay.example/",
    )
    credit, reporting = CreditNextDoor(), ReportingNextDoor()
    app = create_api(
        settings,
        database=database,
        credit_transport=httpx.MockTransport(credit.answer),
        reporting_transport=httpx.MockTransport(reporting.answer),
    )
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        headers = {"authorization": f"Bearer {bearer}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://invoice", headers=headers) as client:
            yield Receivables(client, database, credit, app.state.resources, reporting)
