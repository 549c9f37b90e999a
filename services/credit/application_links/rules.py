"""The signed link with which an applicant fills in its application and accepts its terms.

The token is base64url of a MAC (HMAC-SHA256 cut to 128 bits) and, behind it, version, application, generation and last
day. Nothing of it is stored but the application's generation: raising that recalls every link given out before.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from uuid import UUID

from shared.errors import NotFound

MAC_BYTES = 16
DAYS_VALID = 30
FORM = 1
"""The first form of token; another layout takes another number."""
BODY_BYTES = 1 + 16 + 2 + 3

_EPOCH = date(2000, 1, 1)
_APPLICATION = slice(1, 17)
_GENERATION = slice(17, 19)
_LAST_DAY = slice(19, 22)


class ApplicationLinkUnusable(NotFound):
    """Forged, too old or recalled: one answer for all, which tells a stranger nothing."""

    slug = "application-link-unusable"
    title = "This link does not work any more"


@dataclass(frozen=True, slots=True)
class ApplicationLink:
    application_id: UUID
    generation: int
    last_day: date


def key_of(secret: str) -> bytes:
    """The key for links, from the installation's session secret."""
    return sha256(b"dueward application link\0" + secret.encode()).digest()


def new_link(application_id: UUID, generation: int, today: date) -> ApplicationLink:
    """Valid to the end of the thirtieth day after this one."""
    return ApplicationLink(application_id, generation, today + timedelta(days=DAYS_VALID))


def token_of(key: bytes, link: ApplicationLink) -> str:
    body = (
        bytes((FORM,))
        + link.application_id.bytes
        + link.generation.to_bytes(2, "big")
        + (link.last_day - _EPOCH).days.to_bytes(3, "big")
    )
    return urlsafe_b64encode(_mac(key, body) + body).rstrip(b"=").decode()


def read_token(key: bytes, token: str) -> ApplicationLink:
    """What a token says, whether or not it is still good. Raises ApplicationLinkUnusable for one not made here."""
    try:
        signed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        raise _unusable() from None
    mac, body = signed[:MAC_BYTES], signed[MAC_BYTES:]
    is_ours = len(body) == BODY_BYTES and hmac.compare_digest(mac, _mac(key, body))
    if not is_ours or body[0] != FORM:
        raise _unusable()
    return ApplicationLink(
        UUID(bytes=body[_APPLICATION]),
        int.from_bytes(body[_GENERATION], "big"),
        _EPOCH + timedelta(days=int.from_bytes(body[_LAST_DAY], "big")),
    )


def usable(link: ApplicationLink, generation: int | None, today: date) -> None:
    """Raises ApplicationLinkUnusable; `generation` None: there is no such application, or it has come to nothing."""
    if generation is None or link.generation != generation or today > link.last_day:
        raise _unusable()


def _unusable() -> ApplicationLinkUnusable:
    return ApplicationLinkUnusable("it is not complete, too old, or was recalled; ask for a new one")


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, "sha256")[:MAC_BYTES]
