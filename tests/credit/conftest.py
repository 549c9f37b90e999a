"""A credit service on a database of its own, called over its real HTTP application with real tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from services.credit.app import create_api
from services.credit.settings import Settings
from shared import tokens
from shared.db import Database
from tests.credit.client import Credit


@pytest.fixture(scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    tokens.make_keys(folder)
    return folder


@pytest.fixture(scope="session")
def token(keys_folder: Path) -> Callable[..., str]:
    """`token("customers:read")`: an access token with these scopes; all of them when none are named."""

    def make(scopes: str = "all", subject: str = "anna") -> str:
        return tokens.make_token(keys_folder, subject, scopes)

    return make


@pytest.fixture
async def credit_database(open_database: Callable[[str], Awaitable[Database]]) -> Database:
    return await open_database("credit")


@pytest.fixture
async def credit(credit_database: Database, keys_folder: Path, token: Callable[..., str]) -> AsyncIterator[Credit]:
    """The service's API, called by somebody who may do everything."""
    async with calling(credit_database, keys_folder, token()) as service:
        yield service


@pytest.fixture
async def credit_in_2012(
    open_database: Callable[..., Awaitable[Database]], keys_folder: Path, token: Callable[..., str]
) -> AsyncIterator[Credit]:
    """The same under a simulated clock that stands at 8 o'clock on 3 January 2012."""
    database = await open_database("credit", simulated=True)
    await database.pool.execute("insert into clock (now) values ('2012-01-03 08:00Z')")
    async with calling(database, keys_folder, token()) as service:
        yield service


@asynccontextmanager
async def calling(database: Database, keys_folder: Path, bearer: str) -> AsyncIterator[Credit]:
    settings = Settings(
        database_url="postgresql://unused",
        kafka_bootstrap_servers="unused:9092",
        jwks_file=keys_folder / tokens.KEY_SET_FILE,
    )
    app = create_api(settings, database=database)
    headers = {"authorization": f"Bearer {bearer}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://credit", headers=headers
    ) as client:
        yield Credit(client, database)
