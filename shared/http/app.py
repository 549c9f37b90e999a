"""The HTTP side of a service, composed: conventions once, features from the service's own routers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from shared import telemetry
from shared.clock import Clock
from shared.db import Database
from shared.http import documents, operations, session
from shared.http.health import health_router
from shared.http.idempotency import StoredAnswer, stored_answer
from shared.http.middleware import Observe
from shared.http.openapi import describe
from shared.http.problems import HANDLERS
from shared.http.routing import IndexedRouter, mount
from shared.http.security import Keys, TokenVerifier, key_source
from shared.http.session import Sessions, SignInNeeded, sign_in_needed
from shared.service import Service
from shared.settings import ServiceSettings
from shared.simulation import simulation_router

Resources = Callable[[Any], AbstractAsyncContextManager[Any]]

OFF: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


def create_app(
    service: Service,
    settings: ServiceSettings,
    resources: Resources | None = None,
    pages: Iterable[APIRouter] = (),
    *,
    database: Database | None = None,
) -> FastAPI:
    """The service's API. `database` is for tests and benches that have one open; it is not closed here."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with AsyncExitStack() as stack:
            if database is None:
                telemetry.set_up(f"{service.name}.api", settings)
                stack.callback(telemetry.shut_down)
                app.state.database = await _open_database(settings)
                stack.push_async_callback(app.state.database.close)
            if resources:
                app.state.resources = await stack.enter_async_context(resources(settings))
            yield

    handlers: dict[int | type[Exception], Any] = {**HANDLERS, StoredAnswer: stored_answer, SignInNeeded: sign_in_needed}
    app = FastAPI(
        title=f"Dueward {service.name}",
        description=service.description,
        version=_release(),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        middleware=[Middleware(Observe)],
        exception_handlers=handlers,
        telemetry=OFF,  # Observe does it, for a fraction of the time.
    )
    router = IndexedRouter(lifespan=lifespan, redirect_slashes=False, dependency_overrides_provider=app)
    app.router = router
    app.openapi = lambda: describe(app)

    sessions = Sessions(settings.session_secret.get_secret_value() if settings.session_secret else None)
    app.state.service = service
    app.state.settings = settings
    app.state.database = database
    app.state.resources = None
    app.state.closing = asyncio.Event()  # Set when the process is told to stop: what streams ends then.
    app.state.verifier = TokenVerifier(Keys(key_source(settings.jwks_file, settings.jwks_url)), settings.token_issuer)
    app.state.sessions = sessions
    app.state.cursor_key = sessions.cursor_key

    limit = settings.http_body_bytes_max
    for routes in (*service.routers, operations.router):
        mount(app, "/v1", routes, body_bytes_max=limit)
    at_root = [*service.pages, *pages, health_router(), documents.router, session.router]
    if settings.simulation:
        at_root.append(simulation_router(service.subscriptions, service.ticks))
    for routes in at_root:
        mount(app, "", routes, body_bytes_max=limit)
    if not any(getattr(route, "path", None) == "/" for route in app.routes):
        router.add_api_route("/", _to_docs, include_in_schema=False, response_model=None)
    router.build_index()
    return app


async def _open_database(settings: ServiceSettings) -> Database:
    return await Database.open(
        settings.database_url,
        clock=Clock(settings.simulation),
        pool_min=settings.database_pool_min,
        pool_max=settings.database_pool_max,
    )


async def _to_docs(_: Request) -> Response:
    """A service without a page of its own shows what it answers."""
    return RedirectResponse("/docs", 307)


def _release() -> str:
    try:
        return version("dueward")
    except PackageNotFoundError:
        return "0"
