"""Calls between services: the service's own token, the work's correlation id and trace, bounded in time."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx

from shared import context, telemetry
from shared.settings import ServiceSettings

TIMEOUT = httpx.Timeout(5.0, connect=1.0)
CONNECT_RETRIES = 2
IDLE_SECONDS = 60.0
"""Below the 75 s after which our servers close an idle connection, so that no call meets one just closed."""


class ServiceToken(httpx.Auth):
    """The bearer token from a file; after a 401 the file is read again, since tokens are renewed in place."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._token: str | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        token = self._token or self._read()
        request.headers["authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == 401 and (renewed := self._read()) != token:
            request.headers["authorization"] = f"Bearer {renewed}"
            yield request

    def _read(self) -> str:
        self._token = self._path.read_text().strip()
        return self._token


class ObservedTransport(httpx.AsyncBaseTransport):
    """Hands on correlation and trace, and measures how long the other side took."""

    def __init__(self, target: str, inner: httpx.AsyncBaseTransport) -> None:
        self._target = target
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if correlation := context.correlation.get():
            request.headers["x-correlation-id"] = correlation
        status, started_at = "none", time.perf_counter()
        try:
            with telemetry.span(f"{request.method} {self._target}", kind="client") as span:
                if traceparent := telemetry.current_traceparent():
                    request.headers["traceparent"] = traceparent
                response = await self._inner.handle_async_request(request)
                status = str(response.status_code)
                if span.is_recording():
                    span.set_attribute("http.request.method", request.method)
                    span.set_attribute("server.address", self._target)
                    span.set_attribute("http.response.status_code", response.status_code)
        finally:
            seconds = time.perf_counter() - started_at
            telemetry.CLIENT_REQUEST_SECONDS.labels(self._target, status).observe(seconds)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


def service_client(
    settings: ServiceSettings,
    target: str,
    *,
    timeout: httpx.Timeout = TIMEOUT,
    transport: httpx.AsyncBaseTransport | None = None,
) -> httpx.AsyncClient:
    """A client of another service: `service_client(settings, "credit")`, closed by `async with`.

    Only a connection that could not be opened is tried again; a call that may have arrived is the caller's to repeat,
    with the same Idempotency-Key. Raises httpx.TransportError, which the HTTP door answers with 503.
    """
    base_url: Any = getattr(settings, f"{target}_url")
    connection = transport or httpx.AsyncHTTPTransport(
        retries=CONNECT_RETRIES,
        limits=httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=IDLE_SECONDS),
        trust_env=False,
    )
    return httpx.AsyncClient(
        base_url=base_url,
        auth=ServiceToken(settings.service_token_file) if settings.service_token_file else None,
        timeout=timeout,
        transport=ObservedTransport(target, connection),
        trust_env=False,
        headers={"accept": "application/json"},
    )
