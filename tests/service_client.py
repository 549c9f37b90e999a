"""What the tests of every service begin with: its settings, a caller of its application, and what it published."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from copy import copy
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.datastructures import State

from shared import tokens
from shared.db import Database
from shared.http.security import Keys, TokenVerifier, key_source
from shared.settings import ServiceSettings

S = TypeVar("S", bound=ServiceSettings)


def settings_of(kind: type[S], keys_folder: Path, **more: Any) -> S:
    """A service's settings for a test, which hands over its database and has no broker."""
    return kind(
        database_url="postgresql://unused",
        kafka_bootstrap_servers="unused:9092",
        jwks_file=keys_folder / tokens.KEY_SET_FILE,
        session_secret=SecretStr(tokens.session_secret(keys_folder)),
        **{"secrets_key": SecretStr(tokens.secrets_key(keys_folder)), **more},
    )


_BUILT: dict[tuple[Callable[..., FastAPI], bool], FastAPI] = {}


def app_of(create_api: Callable[..., FastAPI], settings: ServiceSettings, **state: Any) -> FastAPI:
    """A service's application with a state of its own, such as its `database`; what it would open when it starts is the
    caller's to open. The routes are built once a run: it takes a fifth of a second, often more than the test.
    """
    key = (create_api, settings.simulation)
    if key not in _BUILT:
        _BUILT[key] = create_api(settings)
    app = copy(_BUILT[key])
    verifier = TokenVerifier(Keys(key_source(settings.jwks_file, settings.jwks_url)), settings.token_issuer)
    app.state = State({**_BUILT[key].state._state, "settings": settings, "verifier": verifier, **state})
    return app


@asynccontextmanager
async def calling(app: FastAPI, name: str, bearer: str) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of an application in this process, at `http://<name>`, with an access token."""
    headers = {"authorization": f"Bearer {bearer}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=f"http://{name}", headers=headers
    ) as http:
        yield http


async def get(http: httpx.AsyncClient, path: str, **query: Any) -> Any:
    """The JSON of an answer that has to be 200; None in a query counts as left out."""
    answer = await http.get(path, params={name: value for name, value in query.items() if value is not None})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def post(http: httpx.AsyncClient, path: str, body: Any, key: str | None = None) -> httpx.Response:
    """With an Idempotency-Key of its own, unless one is given."""
    return await http.post(path, json=body, headers={"idempotency-key": key or str(uuid4())})


def problem(answer: httpx.Response, status: int) -> str:
    """The kind of problem that an answer is, such as `duplicate-external-id`."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()["type"].rpartition("/")[2]


async def published(database: Database, *, customer: str | None = None, subject: str | None = None) -> list[Any]:
    """The events of a service's log in the order they were decided, each with its type's short name."""
    rows = await database.pool.fetch(
        """
        select type, topic, subject, version, data, key, causation, correlation from event_log
        where ($1::uuid is null or key = $1) and ($2::uuid is null or subject = $2) order by seq
        """,
        UUID(customer) if customer else None,
        UUID(subject) if subject else None,
    )
    return [{**row, "type": row["type"].removeprefix("dueward.").removesuffix(".v1")} for row in rows]
