"""Signed HTTP calls after the Standard Webhooks specification 1.0.0 (https://www.standardwebhooks.com), symmetric
scheme `v1`: made by us for receivers, and checked when providers call. Pure; the moment is an argument.

The signature is HMAC-SHA256 over `<id>.<unix seconds>.<body>`. A secret is base64, with or without `whsec_` before it;
several secrets sign, or are tried, while one takes over from another.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256

ID = "webhook-id"
TIMESTAMP = "webhook-timestamp"
SIGNATURE = "webhook-signature"
TOLERANCE_SECONDS = 300
"""How far the caller's clock may be away: a call that was listened to cannot be repeated much later."""

_PREFIX = "whsec_"
_VERSION = "v1,"
_KEY_BYTES_MIN = 24


class WeakSecret(ValueError):
    """The secret is no base64, or has fewer than the 24 bytes that the specification asks for."""


def key_of(secret: str) -> bytes:
    """The key in a secret as it is handed to people: `whsec_<base64>`. Raises WeakSecret."""
    try:
        key = b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise WeakSecret("a webhook secret is base64, perhaps with whsec_ before it") from None
    if len(key) < _KEY_BYTES_MIN:
        raise WeakSecret(f"a webhook secret holds at least {_KEY_BYTES_MIN} bytes, this one {len(key)}")
    return key


def signed(call_id: str, at: datetime, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """The headers of a call. `call_id` stays the same however often it is repeated, so that the receiver can tell."""
    seconds = str(int(at.timestamp()))
    signatures = [_VERSION + _sign(call_id, seconds, body, key) for key in keys]
    return {ID: call_id, TIMESTAMP: seconds, SIGNATURE: " ".join(signatures)}


def is_signed(headers: Mapping[str, str], body: bytes, keys: Sequence[bytes], now: datetime) -> bool:
    """Whether a call was signed with one of the keys, of late. Without keys nothing is."""
    call_id, seconds = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    if not call_id or not (seconds.isascii() and seconds.isdecimal()) or len(seconds) > 12:
        return False
    if abs(now.timestamp() - int(seconds)) > TOLERANCE_SECONDS:
        return False
    given = [each.removeprefix(_VERSION) for each in headers.get(SIGNATURE, "").split() if each.startswith(_VERSION)]
    expected = [_sign(call_id, seconds, body, key) for key in keys]
    # No short cut: how long this takes tells nothing about which of them was nearly right.
    return sum(hmac.compare_digest(one.encode(), other.encode()) for one in given for other in expected) > 0


def _sign(call_id: str, seconds: str, body: bytes, key: bytes) -> str:
    content = f"{call_id}.{seconds}.".encode() + body
    return b64encode(hmac.digest(key, content, sha256)).decode()
