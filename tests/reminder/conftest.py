"""A reminder service on a database of its own, with a real mail server and a real HTTP server that owes balances."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import uvicorn

from deploy.local import embedded
from services.reminder.app import create_api, resources
from services.reminder.settings import Settings
from shared import tokens
from shared.db import Database
from tests.mailbox import Mailbox
from tests.reminder.desk import Desk, InvoiceService, wait_until


@pytest.fixture(scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    tokens.make_keys(folder)
    return folder


@pytest.fixture(scope="session")
def token(keys_folder: Path) -> Callable[..., str]:
    """`token("reminders:read")`: an access token with these scopes; all of them when none are named."""

    def make(scopes: str = "all", subject: str = "anna") -> str:
        return tokens.make_token(keys_folder, subject, scopes)

    return make


@pytest.fixture
async def invoice_service() -> AsyncIterator[tuple[InvoiceService, str]]:
    """The book's HTTP server, and where it is."""
    book, port = InvoiceService(), embedded.free_port()
    server = uvicorn.Server(uvicorn.Config(book, port=port, log_config=None, access_log=False, lifespan="off"))
    serving = asyncio.create_task(server._serve())
    await wait_until(lambda: server.started)
    yield book, f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


@pytest.fixture
async def desk(
    open_database: Callable[..., Awaitable[Database]],
    invoice_service: tuple[InvoiceService, str],
    smtp: Mailbox,
    keys_folder: Path,
    token: Callable[..., str],
) -> AsyncIterator[Desk]:
    database = await open_database("reminder", simulated=True)
    book, url = invoice_service
    settings = Settings(
        database_url="postgresql://unused",
        kafka_bootstrap_servers="unused:9092",
        jwks_file=keys_folder / tokens.KEY_SET_FILE,
        simulation=True,
        invoice_url=url,
        smtp_host=smtp.host,
        smtp_port=smtp.port,
        smtp_timeout_seconds=2,
        mail_from="receivables@northwind.example",
    )
    app = create_api(settings, database=database)
    async with (
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://reminder",
            headers={"authorization": f"Bearer {token()}"},
        ) as http,
        resources(settings) as opened,
    ):
        made = Desk(http, database, opened, book, smtp)
        await made.set_clock(datetime(2026, 1, 1, tzinfo=UTC))
        yield made
