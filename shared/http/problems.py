"""Problem details (RFC 9457) for every error, so that a caller reads one shape and a stable `type`.

Rules and handlers raise `shared.errors.DomainError`; this package raises the HTTP faults defined here, which are
domain errors with headers. Whatever nobody foresaw is logged with its traceback and answered with a bare 500.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import asyncpg
import httpx
import orjson
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ExceptionHandler

from shared import context, log
from shared.clock import ClockNotSet
from shared.db import INFRASTRUCTURE_ERRORS
from shared.errors import DomainError
from shared.http.models import FieldProblem, ProblemDocument

logger = log.get(__name__)

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "https://dueward.dev/problems/"
RETRY_AFTER_SECONDS = 1
FIELD_ERRORS_MAX = 50


class HttpFault(DomainError):
    """A fault of the request as HTTP, with the headers its answer needs."""

    def __init__(self, detail: str, *, headers: Mapping[str, str] | None = None, **rest: Any) -> None:
        super().__init__(detail, **rest)
        self.headers = dict(headers or {})


class Malformed(HttpFault):
    status = 400
    slug = "malformed-request"
    title = "The request cannot be read"


class BodyTooLarge(HttpFault):
    status = 413
    slug = "body-too-large"
    title = "The body is too large"


class UnsupportedMediaType(HttpFault):
    status = 415
    slug = "unsupported-media-type"
    title = "The body has a media type that is not taken here"


def problem_response(
    request: Request,
    status: int,
    slug: str,
    title: str,
    detail: str,
    *,
    errors: Sequence[Mapping[str, str]] = (),
    extra: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document, or a small page with the same words for a browser outside `/v1`."""
    if _wants_page(request):
        return Response(error_page(title, detail), status, dict(headers or {}), "text/html")
    document: dict[str, Any] = {
        "type": TYPE_PREFIX + slug,
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.scope["path"],
    }
    if errors:
        document["errors"] = errors
    if correlation := context.correlation.get():
        document["correlation_id"] = correlation
    if extra:
        document.update({name: value for name, value in extra.items() if name not in document})
    return Response(orjson.dumps(document, default=str), status, dict(headers or {}), MEDIA_TYPE)


def problem_of(error: DomainError, instance: str, place: str) -> ProblemDocument:
    """The problem of one item of a batch, which stands at `place` in the body: `/questions/3`."""
    errors = [FieldProblem(pointer=f"#{place}{error.field}", detail=error.detail)] if error.field else None
    return ProblemDocument(
        type=TYPE_PREFIX + error.slug,
        title=error.title,
        status=error.status,
        detail=error.detail,
        instance=instance,
        errors=errors,
    )


def _wants_page(request: Request) -> bool:
    if request.scope["path"].startswith("/v1/"):
        return False
    accept = request.headers.get("accept", "")
    return "text/html" in accept and not accept.startswith("application/")


def error_page(title: str, detail: str) -> str:
    return PAGE.format(title=html.escape(title), body=f"<p>{html.escape(detail)}</p>")


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title} · Dueward</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #1d2733; background: #f5f6f8; margin: 0 }}
main {{ max-width: 34rem; margin: 12vh auto; padding: 2rem 2.5rem; background: #fff; border-radius: 10px;
  box-shadow: 0 1px 4px #0002 }}
h1 {{ font-size: 1.3rem; margin: 0 0 .75rem }}
code {{ background: #eef1f5; padding: .1em .35em; border-radius: 4px; overflow-wrap: anywhere }}
button {{ font: inherit; padding: .4rem 1rem; border: 0; border-radius: 6px; background: #1f5fbf; color: #fff }}
@media (prefers-color-scheme: dark) {{
  body {{ background: #14181d; color: #dfe5ec }} main {{ background: #1d232b }} code {{ background: #2a323c }}
}}
</style></head><body><main><h1>{title}</h1>{body}</main></body></html>
"""
"""Every page of this package: no script, nothing loaded from elsewhere."""


# Handlers, by what is raised. All are async: Starlette would run a plain function in a thread.


async def domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    errors = [{"pointer": _pointer_of_field(error.field), "detail": error.detail}] if error.field else []
    headers = error.headers if isinstance(error, HttpFault) else {}
    if error.status == 503:
        headers = {"retry-after": str(RETRY_AFTER_SECONDS), **headers}
    return problem_response(
        request, error.status, error.slug, error.title, error.detail, errors=errors, extra=error.extra, headers=headers
    )


def _pointer_of_field(field: str) -> str:
    return f"#{field}" if field.startswith("/") else field


_BY_STATUS = {
    404: ("no-such-resource", "There is nothing at this address"),
    405: ("method-not-allowed", "This address does not take that method"),
}


async def http_error(request: Request, error: Exception) -> Response:
    """What the framework itself refuses: above all unknown routes and methods."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    slug, title = _BY_STATUS.get(error.status_code, ("http-error", str(error.detail)))
    detail = str(error.detail)
    if error.status_code == 404:
        detail = f"nothing answers {request.scope['path']} here; /docs lists what this service answers"
    elif error.status_code == 405:
        detail = f"{request.method} is not answered here"
        if allowed := headers.get("Allow"):
            detail += f", only {allowed}"
    return problem_response(request, error.status_code, slug, title, detail, headers=headers)


async def invalid_request(request: Request, error: Exception) -> Response:
    """Fields that do not fit: each is named by a JSON pointer into the body, or as `query.limit`."""
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if found and found[0]["type"] == "json_invalid":
        why = found[0].get("ctx", {}).get("error", "it ends too early")
        return problem_response(
            request, 400, "malformed-json", "The body is not JSON", f"the body is not JSON: {_lower_first(str(why))}"
        )
    errors = field_errors(found, error.body)
    first = errors[0]
    detail = f"{first['pointer']} {first['detail']}" if len(errors) == 1 else f"{len(errors)} fields do not fit"
    return problem_response(
        request, 422, "invalid-request", "The request does not fit its schema", detail, errors=errors
    )


def field_errors(found: Iterable[Mapping[str, Any]], body: Any) -> list[dict[str, str]]:
    """Pydantic's findings as pointers and sentences; of the branches of a union, the one that went deepest."""
    deepest: dict[str, dict[str, str]] = {}
    for each in found:
        if str(each["type"]).startswith("is_instance_of"):
            continue  # A branch for values made in Python; no caller can take it.
        pointer = _pointer(each["loc"], body)
        deepest.setdefault(pointer, {"pointer": pointer, "detail": _sentence(each)})
    if not deepest:
        return [{"pointer": _pointer(each["loc"], body), "detail": _sentence(each)} for each in found]
    return list(deepest.values())[:FIELD_ERRORS_MAX]


def _pointer(loc: Sequence[int | str], body: Any) -> str:
    """Follow the location through the body: what is neither there nor missing is a tag of pydantic's own."""
    place, parts = loc[0], loc[1:]
    if place != "body":
        name = ".".join(map(str, parts))
        return f"{place}.{_header_case(name) if place == 'header' else name}"
    steps: list[str] = []
    here = body
    for position, part in enumerate(parts):
        found, there = _descend(here, part)
        if found:
            here = there
        elif position < len(parts) - 1 or not isinstance(part, str) or _TAG.search(part):
            continue
        steps.append(str(part).replace("~", "~0").replace("/", "~1"))
    return "#" + "".join(f"/{step}" for step in steps)


def _descend(here: Any, part: int | str) -> tuple[bool, Any]:
    if isinstance(here, dict) and part in here:
        return True, here[part]
    if isinstance(here, list) and isinstance(part, int) and part < len(here):
        return True, here[part]
    return False, here


_TAG = re.compile(r"[\[\](]|^(str|int|float|date|datetime|typed-dict|dict|list)$")


def _header_case(name: str) -> str:
    return "-".join(word.capitalize() for word in re.split("[-_]", name))


def _sentence(found: Mapping[str, Any]) -> str:
    kind = found["type"]
    if kind == "missing":
        return "is required"
    if kind == "extra_forbidden":
        return "is not a field of this request"
    if kind == "string_pattern_mismatch":
        return f"does not match {found['ctx']['pattern']}"
    message = str(found["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    message = message.removeprefix("Input should be ")
    return message if message != found["msg"] and kind in ("value_error", "assertion_error") else _must(message, found)


def _must(message: str, found: Mapping[str, Any]) -> str:
    return f"must be {message}" if str(found["msg"]).startswith("Input should be ") else _lower_first(message)


def _lower_first(message: str) -> str:
    return message[:1].lower() + message[1:]


async def unavailable(request: Request, error: Exception) -> Response:
    """The database is not there, is overloaded, or set two transactions against each other: worth trying again."""
    logger.warning("infrastructure_error", path=request.scope["path"], error=repr(error))
    return problem_response(
        request,
        503,
        "unavailable",
        "The service cannot answer just now",
        "a part this service needs is not answering; nothing was changed, try again with the same Idempotency-Key",
        headers={"retry-after": str(RETRY_AFTER_SECONDS)},
    )


async def upstream_unavailable(request: Request, error: Exception) -> Response:
    logger.warning("upstream_unavailable", path=request.scope["path"], error=repr(error))
    return problem_response(
        request,
        503,
        "upstream-unavailable",
        "Another service is not answering",
        "a service whose answer this request needs is not answering; nothing was changed, try again",
        headers={"retry-after": str(RETRY_AFTER_SECONDS)},
    )


async def clock_not_set(request: Request, error: Exception) -> Response:
    return problem_response(request, 503, "clock-not-set", "Nobody has said what time it is", str(error))


async def value_out_of_range(request: Request, error: Exception) -> Response:
    """The database refused a value that the schema let through."""
    logger.warning("value_out_of_range", path=request.scope["path"], error=repr(error))
    return problem_response(
        request,
        422,
        "value-out-of-range",
        "A value is out of range",
        "a value is too large, or text that cannot be kept",
    )


def unexpected_error(request: Request) -> Response:
    """Nothing of the fault itself is told: the correlation id finds it in the log."""
    return problem_response(
        request,
        500,
        "internal-error",
        "Something went wrong here",
        "the fault is logged under the correlation_id of this answer; nothing was changed",
    )


HANDLERS: dict[type[Exception], ExceptionHandler] = {
    DomainError: domain_error,
    HTTPException: http_error,
    RequestValidationError: invalid_request,
    asyncpg.DataError: value_out_of_range,
    **dict.fromkeys(INFRASTRUCTURE_ERRORS, unavailable),
    httpx.TransportError: upstream_unavailable,
    ClockNotSet: clock_not_set,
}
