"""Answers, written straight to JSON by pydantic's or orjson's own serializer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel
from starlette.responses import Response

JSON_MEDIA_TYPE = "application/json"
_NOT_IN_A_FILE_NAME = re.compile(r"[^A-Za-z0-9._-]+")


def to_json(value: Any) -> bytes:
    """A model, or anything orjson knows: dicts, lists, dates, UUIDs, dataclasses."""
    if isinstance(value, BaseModel):
        return value.__pydantic_serializer__.to_json(value, by_alias=True)
    return orjson.dumps(value, default=_unknown_to_orjson)


def _unknown_to_orjson(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, UUID):
        return str(value)  # asyncpg's own subclass of UUID.
    raise TypeError(f"{type(value).__name__} is not JSON")


def etag_of(version: int) -> str:
    return f'"{version}"'


def respond(
    value: Any = None,
    *,
    status: int = 200,
    etag: int | None = None,
    location: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with a model or plain value; `etag` is the version that a later If-Match names."""
    sent = dict(headers or {})
    if etag is not None:
        sent["etag"] = etag_of(etag)
    if location is not None:
        sent["location"] = location
    if value is None:
        return Response(b"", status, sent)
    return Response(to_json(value), status, sent, JSON_MEDIA_TYPE)


def document(content: bytes, media_type: str, name: str) -> Response:
    """A file that the browser shows, and saves under a name that any file system takes."""
    file_name = _NOT_IN_A_FILE_NAME.sub("-", name)
    return Response(content, media_type=media_type, headers={"content-disposition": f'inline; filename="{file_name}"'})
