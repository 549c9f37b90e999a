"""A reporting service on a database of its own, called over its real HTTP application with real tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from services.reporting.app import create_api
from services.reporting.settings import Settings
from shared.db import Database
from shared.sealing import Seals, read_keys
from tests.reporting.client import TODAY, Reporting
from tests.service_client import app_of, calling, settings_of


@pytest.fixture
async def reports_database(open_database: Callable[..., Awaitable[Database]]) -> Database:
    """On simulated time, at TODAY."""
    database = await open_database("reporting", simulated=True)
    await database.pool.execute("insert into clock (now) values ($1) on conflict do nothing", TODAY)
    await database.pool.execute("update clock set now = $1", TODAY)
    return database


@pytest.fixture
def settings(keys_folder: Path) -> Settings:
    return settings_of(Settings, keys_folder)


@pytest.fixture
def seals(settings: Settings) -> Seals:
    return Seals(read_keys(settings.secrets_key.get_secret_value()))


@pytest.fixture
async def reporting(
    reports_database: Database, settings: Settings, token: Callable[..., str]
) -> AsyncIterator[Reporting]:
    """The service's API, called by somebody who may read reports."""
    app = app_of(create_api, settings, database=reports_database)
    async with calling(app, "reporting", token("reports:read")) as http:
        yield Reporting(http, reports_database)
