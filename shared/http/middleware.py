"""The outermost layer of every request: correlation, trace, metrics, log line, and the answer to whatever broke.

Pure ASGI, and one layer rather than five, because each layer costs every request.
"""

from __future__ import annotations

import re
import time
from typing import Any
from uuid import uuid4

from prometheus_client import Histogram
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import context, log, telemetry
from shared.http.problems import unexpected_error
from shared.http.security import SAFE_METHODS

logger = log.get("shared.http")

CORRELATION_HEADER = b"x-correlation-id"
_CORRELATION = re.compile(rb"[\w.:/+=-]{1,128}", re.ASCII)
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})


class Observe:
    """Gives the request its ids and measures its answer.

    A path may hold a secret (a pay link, a sign-in link), so logs and metrics name the route, not the path.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._durations: dict[tuple[str, str, int], Histogram] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_at = time.perf_counter()
        sent = _Headers(scope["headers"])
        correlation = sent.correlation or str(uuid4())
        token = context.correlation.set(correlation)
        telemetry.HTTP_IN_FLIGHT.inc()
        answer = _Answer(send, correlation, sent.if_none_match if scope["method"] == "GET" else None)
        try:
            if telemetry.tracing() or sent.traceparent:
                await self._traced(scope, receive, answer, sent.traceparent)
            else:
                await self._answered(scope, receive, answer)
        finally:
            telemetry.HTTP_IN_FLIGHT.dec()
            self._record(scope, answer.status, time.perf_counter() - started_at)
            context.correlation.reset(token)

    async def _traced(self, scope: Scope, receive: Receive, answer: _Answer, traceparent: str | None) -> None:
        method = scope["method"]
        with telemetry.span(method, kind="server", traceparent=traceparent) as span:
            await self._answered(scope, receive, answer)
            if span.is_recording():
                route = _route_of(scope)
                span.update_name(f"{method} {route}")
                span.set_attribute("http.request.method", method)
                span.set_attribute("http.route", route)
                span.set_attribute("http.response.status_code", answer.status)

    async def _answered(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        try:
            await self._app(scope, receive, answer)
        except ClientDisconnect:
            answer.status = answer.status or 499
        except Exception:
            logger.exception("request_failed", method=scope["method"], route=_route_of(scope))
            if answer.status:
                raise  # Half an answer is out: only a broken connection tells the caller.
            await unexpected_error(Request(scope))(scope, receive, answer)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        method, route = scope["method"], _route_of(scope)
        labels = (method if method in _METHODS else "other", route, status)
        duration = self._durations.get(labels)
        if duration is None:
            duration = self._durations[labels] = telemetry.HTTP_REQUEST_SECONDS.labels(*map(str, labels))
        duration.observe(seconds)
        if status < 400 and (method in SAFE_METHODS or route in _QUIET):
            level = "debug"
        else:
            level = "info" if status < 500 else "warning"
        getattr(logger, level)("request", method=method, route=route, status=status, ms=round(seconds * 1000, 2))


def _route_of(scope: Scope) -> str:
    route = scope.get("route")
    return getattr(route, "path_format", "unmatched") if route is not None else "unmatched"


class _Headers:
    """The few request headers this layer needs, found in one pass."""

    __slots__ = ("correlation", "if_none_match", "traceparent")

    def __init__(self, headers: list[tuple[bytes, bytes]]) -> None:
        self.correlation: str | None = None
        self.traceparent: str | None = None
        self.if_none_match: bytes | None = None
        for name, value in headers:
            if name == CORRELATION_HEADER:
                self.correlation = value.decode("ascii") if _CORRELATION.fullmatch(value) else None
            elif name == b"traceparent":
                self.traceparent = value.decode("latin-1")
            elif name == b"if-none-match":
                self.if_none_match = value


class _Answer:
    """`send` that notes the status, adds the headers every answer has, and turns a known ETag into 304."""

    __slots__ = ("_correlation", "_if_none_match", "_muted", "_send", "status")

    def __init__(self, send: Send, correlation: str, if_none_match: bytes | None) -> None:
        self._send = send
        self._correlation = correlation.encode()
        self._if_none_match = if_none_match
        self._muted = False
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            message = self._start(message)
        elif self._muted:
            message = {**message, "body": b""}
        await self._send(message)

    def _start(self, message: Message) -> Message:
        headers: list[tuple[bytes, bytes]] = list(message.get("headers", ()))
        status: int = message["status"]
        if self._if_none_match is not None and status == 200 and self._is_known(headers):
            status, self._muted = 304, True
            headers = [(name, value) for name, value in headers if name not in (b"content-length", b"content-type")]
        self.status = status
        headers.append((CORRELATION_HEADER, self._correlation))
        headers.append((b"x-content-type-options", b"nosniff"))
        if not any(name == b"cache-control" for name, _ in headers):
            headers.append((b"cache-control", b"no-store" if status >= 400 else b"private, no-cache"))
        if any(name == b"content-type" and value.startswith(b"text/html") for name, value in headers):
            # A page's address may hold a secret, which must not travel on in a Referer header.
            headers.append((b"referrer-policy", b"same-origin"))
            headers.append((b"x-frame-options", b"DENY"))
        changed: dict[str, Any] = {**message, "status": status, "headers": headers}
        return changed

    def _is_known(self, headers: list[tuple[bytes, bytes]]) -> bool:
        known = {tag.strip().removeprefix(b"W/") for tag in (self._if_none_match or b"").split(b",")}
        return any(name == b"etag" and value in known for name, value in headers)
