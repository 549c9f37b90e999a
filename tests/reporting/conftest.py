"""A reporting service on a database of its own, called over its real HTTP application with real tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from services.reporting.app import create_api
from services.reporting.settings import Settings
from shared import tokens
from shared.db import Database
from tests.reporting.client import TODAY, Reporting


@pytest.fixture(scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    tokens.make_keys(folder)
    return folder


@pytest.fixture
async def reports_database(open_database: Callable[..., Awaitable[Database]]) -> Database:
    """On simulated time, at TODAY."""
    database = await open_database("reporting", simulated=True)
    await database.pool.execute("insert into clock (now) values ($1) on conflict do nothing", TODAY)
    await database.pool.execute("update clock set now = $1", TODAY)
    return database


@pytest.fixture
def settings(keys_folder: Path) -> Settings:
    return Settings(
        database_url="postgresql://unused",
        kafka_bootstrap_servers="unused:9092",
        jwks_file=keys_folder / tokens.KEY_SET_FILE,
        session_secret=SecretStr(tokens.session_secret(keys_folder)),
    )


@pytest.fixture
async def reporting(reports_database: Database, settings: Settings, keys_folder: Path) -> AsyncIterator[Reporting]:
    """The service's API, called by somebody who may read reports."""
    app = create_api(settings, database=reports_database)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://reporting",
        headers={"authorization": f"Bearer {tokens.make_token(keys_folder, 'anna', 'reports:read')}"},
    ) as client:
        yield Reporting(client, reports_database)
