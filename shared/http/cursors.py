"""Opaque list cursors: the sort values of the last row, signed, and bound to the list and filters they came from.

A cursor that was altered, invented, or taken from another list is a 400 and never reaches a query.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import blake2b
from hmac import compare_digest
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl
from uuid import UUID

import orjson
from fastapi import Query, Request

from shared.http.problems import Malformed

T = TypeVar("T")

LIMIT_MAX = 500
LIMIT_DEFAULT = 100
_SIGNATURE_BYTES = 12
_NOT_FILTERS = {"cursor", "limit"}

_list_at_hand: ContextVar[tuple[bytes, bytes]] = ContextVar("list_at_hand")


class BadCursor(Malformed):
    slug = "bad-cursor"
    title = "The cursor does not belong to this list"


@dataclass(frozen=True, slots=True)
class PageRequest:
    """At most `limit` rows, those after the row whose sort values are `after` (JSON values, as encoded)."""

    limit: int
    after: list[Any] | None

    @property
    def after_id(self) -> UUID | None:
        """Of a list in the order of its ids."""
        return UUID(self.after[0]) if self.after else None

    def cut(self, found: Sequence[T], key: Callable[[T], Sequence[Any]]) -> tuple[Sequence[T], str | None]:
        """Rows fetched with `limit + 1`: those of the page, and the cursor behind the last, None where no more come."""
        shown = found[: self.limit]
        return shown, encode_cursor(key(shown[-1])) if len(found) > self.limit else None


async def page_params(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX, description="Rows a page")] = LIMIT_DEFAULT,
    cursor: Annotated[str | None, Query(max_length=2_000, description="`next_cursor` of the page before")] = None,
) -> PageRequest:
    key: bytes = request.app.state.cursor_key
    _list_at_hand.set((key, _name_of_list(request)))
    return PageRequest(limit, decode_cursor(cursor) if cursor else None)


def encode_cursor(values: Sequence[Any]) -> str:
    """The cursor to the rows after the one with these sort values (UUIDs and dates come back as text)."""
    payload = orjson.dumps(list(values), default=str)  # asyncpg's UUID is a subclass, which orjson does not know.
    return urlsafe_b64encode(_signature(payload) + payload).rstrip(b"=").decode()


def next_cursor(rows: Sequence[Any], page: PageRequest, *names: str) -> str | None:
    """For rows fetched with `limit + 1`: the cursor after the last row of the page, None when there are no more."""
    if len(rows) <= page.limit:
        return None
    last = rows[page.limit - 1]
    return encode_cursor([last[name] for name in names])


def decode_cursor(cursor: str) -> list[Any]:
    """Raises BadCursor."""
    try:
        raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
    except (Base64Error, ValueError):
        raw = b""
    signature, payload = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    if not payload or not compare_digest(signature, _signature(payload)):
        raise BadCursor(
            "the cursor was altered, or comes from another list or other filters; start again without one",
            field="query.cursor",
        )
    return orjson.loads(payload)


def _signature(payload: bytes) -> bytes:
    key, name = _list_at_hand.get()
    return blake2b(name + b"\0" + payload, key=key, digest_size=_SIGNATURE_BYTES).digest()


def _name_of_list(request: Request) -> bytes:
    filters = sorted(
        (name, value)
        for name, value in parse_qsl(request.scope["query_string"].decode("latin-1"))
        if name not in _NOT_FILTERS
    )
    return orjson.dumps([request.scope["path"], filters])
