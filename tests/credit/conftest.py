"""A credit service on a database of its own, called over its real HTTP application with real tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser

from services.credit.app import create_api
from services.credit.settings import Settings
from shared.db import Database
from tests import service_client
from tests.credit.client import Credit
from tests.credit.desk import Desk, desk_at
from tests.service_client import app_of, settings_of


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
    app = app_of(create_api, settings_of(Settings, keys_folder), database=database)
    async with service_client.calling(app, "credit", bearer) as http:
        yield Credit(http, database)


@pytest.fixture
async def desk(
    open_database: Callable[..., Awaitable[Database]],
    keys_folder: Path,
    token: Callable[..., str],
    chromium: Browser,
) -> AsyncIterator[Desk]:
    """The service's pages, on a database of their own under a simulated clock."""
    database = await open_database("credit", simulated=True)
    async with desk_at(database, keys_folder, token(), chromium) as desk:
        yield desk
