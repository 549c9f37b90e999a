"""Whatever arrives at a door, the answer is one that the service's document names: no stumble, no undeclared shape.

`EXAMPLES=100 pytest tests/system/test_any_request.py` asks more of each operation.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import httpx
import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok

from tests.service_client import settings_of

EXAMPLES = int(os.environ.get("EXAMPLES") or 3)
ENDLESS = {"/v1/events/stream"}
"""Answers that go on for as long as somebody listens."""
NEIGHBOUR_AWAY = 503
"""Asked of a service that needs another, which does not run here: the document names it."""

few = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[*HealthCheck],  # pyright: ignore[reportArgumentType]  # A metaclass of its own.
)


@contextmanager
def asking(app: FastAPI, bearer: str) -> Iterator[Callable[[Case], httpx.Response]]:
    """Starts the application as its process does, and sends it cases as somebody who may do everything."""
    with asyncio.Runner() as runner:
        lifespan = app.router.lifespan_context(app)
        runner.run(lifespan.__aenter__())
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://service")

        def ask(case: Case) -> httpx.Response:
            parts = case.as_transport_kwargs(base_url="http://service")
            headers = {name: str(value).encode() for name, value in parts["headers"].items()}
            headers["Authorization"] = f"Bearer {bearer}".encode()
            body = {name: parts[name] for name in ("json", "data") if name in parts}
            if isinstance(body.get("data"), bytes | str):
                body = {"content": body["data"]}
            return runner.run(
                client.request(parts["method"], parts["url"], headers=headers, params=parts.get("params"), **body)
            )

        yield ask
        runner.run(client.aclose())
        runner.run(lifespan.__aexit__(None, None, None))


@pytest.mark.parametrize("service", ["credit", "invoice", "reminder", "reporting"])
def test_no_request_makes_a_service_stumble(
    service: str, database_url: Callable[[str], str], keys_folder: Path, token: Callable[..., str]
) -> None:
    kind = import_module(f"services.{service}.settings").Settings
    known = settings_of(kind, keys_folder).model_copy(update={"database_url": database_url(service)})
    app: FastAPI = import_module(f"services.{service}.app").create_api(known)
    faults: list[str] = []
    with asking(app, token()) as ask:
        for found in schemathesis.openapi.from_dict(app.openapi()).get_all_operations():
            assert isinstance(found, Ok), found
            operation = found.ok()
            if operation.path in ENDLESS:
                continue

            @few
            @given(case=operation.as_strategy())
            def try_it(case: Case) -> None:
                answer = ask(case)
                asked = f"{answer.request.method} {answer.request.url} {answer.request.content[:200]!r}"
                if answer.status_code >= 500 and answer.status_code != NEIGHBOUR_AWAY:
                    faults.append(f"{asked}: {answer.status_code} {answer.text[:300]}")
                elif answer.status_code >= 400 and answer.headers["content-type"] != "application/problem+json":
                    faults.append(f"{asked}: {answer.status_code} as {answer.headers['content-type']}")
                else:
                    faults.extend(f"{asked}: {answer.status_code}, but {fault}" for fault in undeclared(case, answer))

            try_it()
    assert not faults, "\n".join(dict.fromkeys(faults))


def undeclared(case: Case, answer: httpx.Response) -> Iterator[str]:
    """How an answer differs from what the document says of it."""
    try:
        case.operation.validate_response(answer)
    except FailureGroup as faults:
        yield from map(str, faults.exceptions)
    except Failure as fault:
        yield str(fault)
