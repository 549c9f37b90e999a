"""Optimistic locking: who changes a thing names the version seen (428 without); a handler refuses a stale one (412)."""

from __future__ import annotations

import re

from starlette.requests import Request

from shared.errors import PreconditionFailed
from shared.http.problems import HttpFault, Malformed

CREATE = 0
"""The version of what must not exist yet: `If-None-Match: *`."""

_ETAG = re.compile(r'(?:W/)?"(\d{1,18})"')


class PreconditionRequired(HttpFault):
    status = 428
    slug = "precondition-required"
    title = "The version to be changed must be named"


async def if_match(request: Request) -> int:
    """The version in If-Match; a weak tag counts too, since some proxies weaken tags when they compress."""
    value = request.headers.get("if-match")
    if value is None:
        if request.headers.get("if-none-match") == "*":
            return CREATE
        raise PreconditionRequired(
            "send If-Match with the ETag of the version you saw, so that nobody's change is lost",
            field="header.If-Match",
        )
    match = _ETAG.fullmatch(value.strip())
    if match is None:
        raise Malformed('If-Match takes one ETag as it was answered, such as "3"', field="header.If-Match")
    return int(match[1])


def check_version(expected: int, actual: int) -> None:
    """Raises PreconditionFailed (412) when somebody changed it since the caller looked."""
    if expected != actual:
        raise PreconditionFailed(
            f"you saw version {expected}, it is at version {actual} now: look again, then decide",
            current_version=actual,
        )
