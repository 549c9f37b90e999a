"""The link to a customer's offer: its id with a MAC (HMAC-SHA256, cut) under a key of the installation. Nothing of it
is stored; whether it still opens anything is for the offer to say."""

from __future__ import annotations

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from uuid import UUID

from shared.errors import NotFound

MAC_BYTES = 16
_ID_BYTES = 16


class OfferLinkUnusable(NotFound):
    """Forged or cut short: one answer for all, which tells a stranger nothing."""

    slug = "offer-link-unusable"
    title = "This link does not work"


def key_of(secret: str) -> bytes:
    """The key for links, from the installation's session secret."""
    return sha256(b"dueward offer link\0" + secret.encode()).digest()


def token_of(key: bytes, offer_id: UUID) -> str:
    return urlsafe_b64encode(_mac(key, offer_id) + offer_id.bytes).rstrip(b"=").decode()


def read_token(key: bytes, token: str) -> UUID:
    """The offer that a token opens. Raises OfferLinkUnusable."""
    try:
        signed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        raise OfferLinkUnusable("it is not complete, or was not made here") from None
    if len(signed) == MAC_BYTES + _ID_BYTES:
        offer_id = UUID(bytes=signed[MAC_BYTES:])
        if hmac.compare_digest(signed[:MAC_BYTES], _mac(key, offer_id)):
            return offer_id
    raise OfferLinkUnusable("it is not complete, or was not made here")


def _mac(key: bytes, offer_id: UUID) -> bytes:
    return hmac.digest(key, offer_id.bytes, "sha256")[:MAC_BYTES]
