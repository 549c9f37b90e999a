"""Routes as this house wants them: found by index, guarded before anything is parsed, read with orjson.

`mount` takes a feature's ordinary FastAPI router apart into one flat list. A request looks among the routes of its
method and first two path segments only; FastAPI itself would match every route of every included router, twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.params import Form
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from shared.http.problems import BodyTooLarge, HttpFault, Malformed, UnsupportedMediaType
from shared.http.security import PUBLIC, ScopeCheck

DRAIN_BYTES_MAX = 32 * 1024 * 1024
"""An oversized body up to this size is read to its end and dropped, so that the caller gets to read the answer."""


class UnknownParameter(HttpFault):
    status = 422
    slug = "unknown-parameter"
    title = "The address has a parameter that is not taken here"


class LimitedRequest(Request):
    """A request whose body is limited in size, and read as JSON by orjson."""

    def __init__(self, request: Request, bytes_max: int) -> None:
        super().__init__(request.scope, request._receive, request._send)
        self._bytes_max = bytes_max

    async def stream(self) -> AsyncGenerator[bytes]:
        declared = self.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._bytes_max:
            await self._refuse()
        size = 0
        async for chunk in super().stream():
            size += len(chunk)
            if size > self._bytes_max:
                await self._refuse()
            yield chunk

    async def _refuse(self) -> None:
        dropped = 0
        async for chunk in super().stream():
            dropped += len(chunk)
            if dropped > DRAIN_BYTES_MAX:
                break
        raise BodyTooLarge(f"the body may have {self._bytes_max:,} bytes at most", bytes_max=self._bytes_max)

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = orjson.loads(await self.body())
        return self._json


class Route(APIRoute):
    """A route of ours. Scopes are checked before the body is read; then size, media type and parameter names."""

    body_bytes_max: int = 1024 * 1024
    strict: bool = False
    """Under `/v1`: unknown query parameters are refused, since a misspelt filter would show too much."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        guards = [each.dependency for each in self.dependencies if isinstance(each.dependency, ScopeCheck)]
        takes_body = self.body_field is not None
        takes_json = self.body_field is not None and not isinstance(self.body_field.field_info, Form)
        parameters = frozenset(query_parameters(self.dependant))

        async def guarded(plain: Request) -> Response:
            request = LimitedRequest(plain, self.body_bytes_max)
            for guard in guards:
                await guard(request)
            query: bytes = request.scope["query_string"]
            if b"%00" in query or "\0" in request.scope["path"]:
                raise Malformed("the address holds the character U+0000")
            if query and self.strict:
                for name in request.query_params.keys() - parameters:
                    raise UnknownParameter(f"there is no parameter {name} here", field=f"query.{name}")
            if takes_json and not _is_json(request.headers.get("content-type", "")):
                raise UnsupportedMediaType("send the body as JSON, with Content-Type: application/json")
            # Read here, since the framework calls every fault of its own reading a plain 400.
            if takes_body and b"\\u0000" in await request.body():
                raise Malformed("text with the character U+0000 cannot be kept")
            return await handle(request)

        return guarded


def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or (media_type.startswith("application/") and media_type.endswith("+json"))


def query_parameters(dependant: Dependant) -> Iterable[str]:
    for field in dependant.query_params:
        annotation = field.field_info.annotation
        members = getattr(annotation, "model_fields", None)
        if members is None:
            yield field.alias
        else:  # A whole model of parameters: Annotated[Filters, Query()].
            yield from (member.alias or name for name, member in members.items())
    for inner in dependant.dependencies:
        yield from query_parameters(inner)


def depends_on(dependant: Dependant, function: Callable[..., Awaitable[Any]]) -> bool:
    return any(inner.call is function or depends_on(inner, function) for inner in dependant.dependencies)


def scopes_of(route: APIRoute) -> list[str]:
    checks = [each.dependency for each in route.dependencies if isinstance(each.dependency, ScopeCheck)]
    return sorted({name for check in checks for name in check.needed})


class IndexedRouter(APIRouter):
    """Tries the few routes that can match first; anything else (404, 405, mounts) goes the framework's way."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._index: dict[tuple[str, ...], list[APIRoute]] = {}

    def build_index(self) -> None:
        index: defaultdict[tuple[str, ...], list[APIRoute]] = defaultdict(list)
        for route in self.routes:
            if isinstance(route, APIRoute) and "{" not in "/".join(route.path.split("/", 3)[:3]):
                for method in route.methods or ():
                    index[_place(method, route.path)].append(route)
        self._index = dict(index)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope.get("root_path"):
            scope.setdefault("router", self)
            for route in self._index.get(_place(scope["method"], scope["path"]), ()):
                match, child_scope = route.matches(scope)
                if match is Match.FULL:
                    scope.update(child_scope)
                    await route.handle(scope, receive, send)
                    return
        await super().app(scope, receive, send)


def _place(method: str, path: str) -> tuple[str, ...]:
    return (method, *path.split("/", 3)[1:3])


def mount(app: FastAPI, prefix: str, router: APIRouter, *, body_bytes_max: int) -> None:
    """Add a router's routes to the app. Under `/v1` each must name a scope or be PUBLIC, else RuntimeError."""
    for route in router.routes:
        if isinstance(route, APIRoute):
            _add(app, prefix, route, body_bytes_max)
        elif prefix:
            raise RuntimeError(f"{prefix} takes plain routes only, no {type(route).__name__}: {route}")
        elif isinstance(route, BaseRoute) and hasattr(route, "path"):
            app.router.routes.append(route)  # Static files and the like.
        else:
            raise RuntimeError("name the router itself among the service's routers; nested ones are not taken")


def _add(app: FastAPI, prefix: str, route: APIRoute, body_bytes_max: int) -> None:
    path = prefix + route.path
    if prefix and not scopes_of(route) and PUBLIC not in route.dependencies:
        raise RuntimeError(f"{path}: name a scope, dependencies=[scope(...)], or mark the route PUBLIC")

    class Mounted(Route):
        strict = bool(prefix)

    Mounted.body_bytes_max = route.max_body_size or body_bytes_max
    app.router.add_api_route(
        path,
        route.endpoint,
        response_model=route.response_model,
        status_code=route.status_code,
        tags=route.tags or [_feature_of(route.endpoint)],
        dependencies=route.dependencies,
        summary=route.summary,
        description=route.description,
        response_description=route.response_description,
        responses=route.responses,
        deprecated=route.deprecated,
        methods=route.methods,
        operation_id=route.operation_id,
        response_model_include=route.response_model_include,
        response_model_exclude=route.response_model_exclude,
        response_model_by_alias=route.response_model_by_alias,
        response_model_exclude_unset=route.response_model_exclude_unset,
        response_model_exclude_defaults=route.response_model_exclude_defaults,
        response_model_exclude_none=route.response_model_exclude_none,
        include_in_schema=route.include_in_schema,
        response_class=route.response_class,
        name=route.name,
        route_class_override=Mounted,
        callbacks=route.callbacks,
        openapi_extra=route.openapi_extra,
    )


def _feature_of(endpoint: Callable[..., Any]) -> str:
    """`services.credit.customers.api` is the feature customers."""
    parts = endpoint.__module__.split(".")
    return parts[2] if parts[0] == "services" and len(parts) > 3 else parts[-1]
