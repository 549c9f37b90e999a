"""Doors that need no token: is the process alive, can it work, what does it measure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.routing import Route

from shared.db import INFRASTRUCTURE_ERRORS, Database
from shared.http.problems import problem_response
from shared.http.responses import respond

READY_WITHIN_SECONDS = 2.0


async def healthz(request: Request) -> Response:
    """The process runs its event loop."""
    return respond({"status": "ok"})


async def readyz(request: Request) -> Response:
    """The database answers. Other services and the broker are not asked: their absence is handled, not contagious."""
    database: Database = request.app.state.database
    try:
        async with asyncio.timeout(READY_WITHIN_SECONDS):
            await database.pool.fetchval("select 1")
    except INFRASTRUCTURE_ERRORS:
        return _not_ready(request, "the database does not answer")
    return respond({"status": "ready"})


def _not_ready(request: Request, why: str) -> Response:
    return problem_response(request, 503, "not-ready", "Not ready", why, headers={"retry-after": "1"})


async def metrics(request: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def health_router() -> APIRouter:
    router = APIRouter(include_in_schema=False)
    for path, door in (("/healthz", healthz), ("/readyz", readyz), ("/metrics", metrics)):
        router.add_api_route(path, door, response_model=None)
    return router


def worker_app(ready: Callable[[], Any]) -> Starlette:
    """The worker's own small app; it is ready once it has bound itself to the broker."""

    async def worker_ready(request: Request) -> Response:
        return respond({"status": "ready"}) if ready() else _not_ready(request, "the worker has not started yet")

    return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", worker_ready), Route("/metrics", metrics)])
