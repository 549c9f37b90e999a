"""Real parts for the tests: one PostgreSQL and one broker a run, a fresh database, topics and mailbox for each test.

`BROKER=kafka` takes Apache Kafka for the embedded broker; `DATABASE_URL` and `KAFKA_BOOTSTRAP_SERVERS`, where set,
replace the embedded parts.
"""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import hypothesis
import pytest
import structlog
from aiosmtpd.controller import Controller
from playwright.async_api import Browser, async_playwright

from deploy.local import embedded
from deploy.local.apache_kafka import ApacheKafka
from shared import tokens
from shared.clock import Clock
from shared.db import Database
from shared.migrate import migrate
from tests.browser import ARGUMENTS, CHROMIUM
from tests.mailbox import Mailbox

structlog.configure(processors=[structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)])

# It repeats itself hundreds of times a second while it waits for a topic.
logging.getLogger("aiokafka.cluster").setLevel(logging.CRITICAL)

# How long an example takes says how busy the machine is, not whether the code is right.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")

PLUMBING = "plumbing"
"""The name of a database that has only the shared tables."""


@pytest.fixture(scope="session")
def parts_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="dueward-tests-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres_url(parts_folder: Path) -> Iterator[str]:
    """The server's own database, from which tests make theirs."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    # Little log kept: it would fill the memory that the data are in.
    settings = {"shared_buffers": "64MB", "max_wal_size": "256MB"}
    server = embedded.Postgres(parts_folder / "postgres", embedded.free_port(), settings, in_memory=True)
    with embedded.running(server, parts_folder / "postgres.log"):
        yield server.url()


@pytest.fixture(scope="session")
def broker(parts_folder: Path) -> Iterator[str]:
    """The bootstrap address of the run's broker; tests tell their topics apart by `topic_prefix`."""
    if address := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        yield address
        return
    if os.environ.get("BROKER") == "kafka":
        part = ApacheKafka(parts_folder / "kafka", embedded.free_port(), embedded.free_port())
    else:
        part = embedded.Broker(embedded.free_port())
    with embedded.running(part, parts_folder / "broker.log"):
        yield part.address


@pytest.fixture
def topic_prefix() -> str:
    """A prefix that no other test's topics have, as in `TOPIC_PREFIX`."""
    return f"t{uuid.uuid4().hex[:10]}."


@pytest.fixture(scope="session")
def template_of(postgres_url: str) -> Iterator[Callable[[str], str]]:
    """Names the migrated database of a service that fresh ones are copied from; made once a run."""
    made: dict[str, str] = {}

    def template(service: str) -> str:
        if service not in made:
            name = f"template_{service}_{uuid.uuid4().hex[:8]}"
            migrate(with_database(postgres_url, name), None if service == PLUMBING else service)
            made[service] = name
        return made[service]

    yield template
    for name in made.values():
        _run_sql(postgres_url, f'drop database if exists "{name}" with (force)')


@pytest.fixture
def database_url(postgres_url: str, template_of: Callable[[str], str]) -> Iterator[Callable[[str], str]]:
    """`database_url("invoice")`: the URL of a migrated database that is this test's own."""
    made: dict[str, str] = {}

    def fresh(service: str = PLUMBING) -> str:
        if service not in made:
            name = f"{service}_{uuid.uuid4().hex[:12]}"
            # Copied as files: half the work of copying through the write-ahead log.
            _run_sql(postgres_url, f'create database "{name}" template "{template_of(service)}" strategy file_copy')
            made[service] = name
        return with_database(postgres_url, made[service])

    yield fresh
    for name in made.values():
        _run_sql(postgres_url, f'drop database if exists "{name}" with (force)')


@pytest.fixture
async def open_database(database_url: Callable[[str], str]) -> AsyncIterator[Callable[[str], Awaitable[Database]]]:
    """`await open_database("invoice")`: the test's own migrated database of a service, open until the test ends."""
    opened: list[Database] = []

    async def open_one(service: str, *, simulated: bool = False) -> Database:
        opened.append(await Database.open(database_url(service), clock=Clock(simulated)))
        return opened[-1]

    yield open_one
    for database in opened:
        await database.close()


@pytest.fixture
async def database(open_database: Callable[[str], Awaitable[Database]]) -> Database:
    """An open database that has the shared tables and no service's."""
    return await open_database(PLUMBING)


@pytest.fixture(scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with signing keys and a session secret, as `.local` of a stack has them."""
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
def smtp() -> Iterator[Mailbox]:
    """A mail server of this test's own: `smtp.host`, `smtp.port`, and `smtp.messages` that it took."""
    mailbox = Mailbox(port=embedded.free_port())
    controller = Controller(mailbox, hostname=mailbox.host, port=mailbox.port)
    controller.start()
    yield mailbox
    controller.stop()


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One browser a run; every test opens windows of its own, which share nothing."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


def with_database(url: str, name: str) -> str:
    """The URL of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _run_sql(url: str, statement: str) -> None:
    """Run one statement, also from within a test whose event loop is running."""

    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, run()).result()
