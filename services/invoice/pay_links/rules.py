"""The signed link to a customer's page: whose it is, for which entity, until when, and whether it was called back.

The token is base64url of a MAC (HMAC-SHA256 cut to 128 bits) and, behind it, version, customer, generation, last day
and entity. Nothing about it is stored but the customer's generation: raising that calls back every link given out
before. Links made within one month are the same text, so that a mail sent again carries the same link.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from uuid import UUID

from shared.calendar import add_months, month_end
from shared.errors import NotFound

MAC_BYTES = 16
MONTHS_VALID = 6
FORM = 1
"""The first form of token; another layout takes another number, and both are read for a while."""

_EPOCH = date(2000, 1, 1)
_CUSTOMER = slice(1, 17)
_GENERATION = slice(17, 19)
_LAST_DAY = slice(19, 22)
_ENTITY = slice(22, None)


class PayLinkUnusable(NotFound):
    """Forged, too old or called back: one answer for all, which tells a stranger nothing."""

    slug = "pay-link-unusable"
    title = "This link does not work any more"


@dataclass(frozen=True, slots=True)
class PayLink:
    customer_id: UUID
    entity_id: str
    generation: int
    last_day: date


def key_of(secret: str) -> bytes:
    """The key for links, from the installation's session secret."""
    return sha256(b"dueward pay link\0" + secret.encode()).digest()


def new_link(customer_id: UUID, entity_id: str, generation: int, today: date) -> PayLink:
    """Valid to the end of the sixth month after this one."""
    return PayLink(customer_id, entity_id, generation, month_end(add_months(today.replace(day=1), MONTHS_VALID)))


def token_of(key: bytes, link: PayLink) -> str:
    body = (
        bytes((FORM,))
        + link.customer_id.bytes
        + link.generation.to_bytes(2, "big")
        + (link.last_day - _EPOCH).days.to_bytes(3, "big")
        + link.entity_id.encode()
    )
    return urlsafe_b64encode(_mac(key, body) + body).rstrip(b"=").decode()


def read_token(key: bytes, token: str) -> PayLink:
    """What a token says, whether or not it is still good. Raises PayLinkUnusable for one that was not made here."""
    try:
        signed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        raise _unusable() from None
    mac, body = signed[:MAC_BYTES], signed[MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(key, body)) or body[:1] != bytes((FORM,)):
        raise _unusable()
    return PayLink(
        UUID(bytes=body[_CUSTOMER]),
        body[_ENTITY].decode(),
        int.from_bytes(body[_GENERATION], "big"),
        _EPOCH + timedelta(days=int.from_bytes(body[_LAST_DAY], "big")),
    )


def usable(link: PayLink, generation: int | None, today: date) -> PayLink:
    """The link itself while it may be used. Raises PayLinkUnusable."""
    if generation is None or link.generation != generation or today > link.last_day:
        raise _unusable()
    return link


def _unusable() -> PayLinkUnusable:
    return PayLinkUnusable("it is not complete, too old, or was called back; a new one comes with every reminder")


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, "sha256")[:MAC_BYTES]
