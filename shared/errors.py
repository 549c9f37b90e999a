"""What a rule or a handler may raise; the HTTP door renders it as a problem detail (RFC 9457).

Pure: nothing here knows HTTP but for the status a caller should see.
"""

from __future__ import annotations

from typing import Any, ClassVar


class DomainError(Exception):
    """A request that cannot be done, said in words for the caller.

    `field` is a JSON pointer into the body (`/lines/0/quantity`) where one field is to blame; `extra` are further
    members of the problem document.
    """

    status: ClassVar[int] = 422
    slug: ClassVar[str] = "refused"
    title: ClassVar[str] = "The request cannot be carried out"

    def __init__(self, detail: str, *, field: str | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        self.extra = extra


class Refused(DomainError):
    """The request is well formed, but a rule forbids it."""


class NotFound(DomainError):
    status = 404
    slug = "not-found"
    title = "There is no such thing here"


class Conflict(DomainError):
    status = 409
    slug = "conflict"
    title = "The request does not fit the present state"


class PreconditionFailed(DomainError):
    status = 412
    slug = "stale-version"
    title = "Somebody else changed it in the meantime"


class Unavailable(DomainError):
    status = 503
    slug = "unavailable"
    title = "A part this request needs is not answering"
