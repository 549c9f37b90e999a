"""A reminder service on a database of its own, with a real mail server and a real HTTP server that owes balances."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn

from deploy.local import embedded
from services.reminder.app import create_api, resources
from services.reminder.settings import Settings
from services.reminder.simulator import Simulator
from shared.db import Database
from tests.mailbox import Mailbox
from tests.reminder.desk import Desk, InvoiceService, wait_until
from tests.reminder.gateways import ACCOUNT, SENDER, SMS_CALLBACK_URL, TOKEN, WEBHOOK_SECRET
from tests.service_client import app_of, calling, settings_of


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
def bert(token: Callable[..., str]) -> dict[str, str]:
    """The headers of a second person."""
    return {"authorization": f"Bearer {token(subject='bert')}"}


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
    settings = settings_of(
        Settings,
        keys_folder,
        simulation=True,
        invoice_url=url,
        smtp_host=smtp.host,
        smtp_port=smtp.port,
        mail_from="receivables@northwind.example",
        callback_secrets=WEBHOOK_SECRET,
        sms_account=ACCOUNT,
        sms_token=TOKEN,
        sms_sender=SENDER,
        sms_url="http://127.0.0.1:9",  # Nobody listens there: tests that send texts put a gateway in its place.
        sms_callback_url=SMS_CALLBACK_URL,
    )
    app = app_of(create_api, settings, database=database, simulator=Simulator())
    async with (
        calling(app, "reminder", token()) as http,
        resources(settings) as opened,
    ):
        app.state.resources = opened
        made = Desk(http, database, opened, book, smtp, app)
        await made.set_clock(datetime(2026, 1, 1, tzinfo=UTC))
        await made.tick()  # The first look for a mailbox is due from the start, in real time.
        yield made
