"""The service's OpenAPI 3.1 document: what FastAPI derives, and this house's conventions written into it."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from shared.http.idempotency import once_only
from shared.http.models import FieldProblem, ProblemDocument
from shared.http.preconditions import if_match
from shared.http.problems import MEDIA_TYPE
from shared.http.routing import depends_on, scopes_of
from shared.http.security import SCOPES

CONVENTIONS = """
Errors are problem details (RFC 9457) with a stable `type`. Every POST takes an `Idempotency-Key`; PUT, PATCH and DELETE
take `If-Match` with the ETag that was answered. Lists take `limit` and `cursor` and answer `items` and `next_cursor`.
Money is `{"amount": "125.00", "currency": "EUR"}`. Send `X-Correlation-Id` to find your request in our logs and events.
"""

_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "Of your choice, such as a UUID: the same key and body have one effect and get the same answer",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The ETag of the version you saw; where a thing is created by PUT, `If-None-Match: *` instead",
    "schema": {"type": "string", "examples": ['"3"']},
}
_PROBLEM = {
    "description": "A problem, in words",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
}


def describe(app: FastAPI) -> dict[str, Any]:
    """The document; made once."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=f"{app.description}\n{CONVENTIONS}",
        routes=app.routes,
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for model in (ProblemDocument, FieldProblem):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schema.pop("$defs", None)
        schemas[model.__name__] = schema
    document["components"]["securitySchemes"] = {
        "token": {
            "type": "oauth2",
            "description": "A JWT access token (RFC 9068) for the audience `dueward`",
            "flows": {"clientCredentials": {"tokenUrl": "/token", "scopes": SCOPES}},
        },
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    }
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                _write_conventions(document["paths"][route.path_format][method.lower()], route)
    return document


def _write_conventions(operation: dict[str, Any], route: APIRoute) -> None:
    operation["operationId"] = route.operation_id or f"{route.tags[0]}_{route.name}".replace("-", "_").replace(" ", "_")
    responses = operation.setdefault("responses", {})
    responses.pop("422", None)
    responses["default"] = _PROBLEM
    parameters = operation.setdefault("parameters", [])
    if depends_on(route.dependant, once_only):
        parameters.append(_IDEMPOTENCY_KEY)
    if depends_on(route.dependant, if_match):
        parameters.append(_IF_MATCH)
    if not parameters:
        del operation["parameters"]
    if needed := scopes_of(route):
        operation["security"] = [{"bearer": needed}]
