"""What a message carries so that an answer finds its case: the link for the wrong person, and the address for replies.

Both are an id with a MAC (HMAC-SHA256, cut) under a key of the installation; nothing about them is stored.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b32decode, b32encode, urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from uuid import UUID

from shared.errors import NotFound

CONTACT_MAC_BYTES = 16
REPLY_MAC_BYTES = 8
"""Local parts hold 64 characters at most (RFC 5321, 4.5.3.1.1), and capitals and small letters are not told apart by
every mail server: 24 bytes are 39 characters of base 32."""
LOCAL_PART_CHARACTERS_MAX = 64
_ID_BYTES = 16


class MessageLinkUnusable(NotFound):
    """Forged or cut short: one answer for all, which tells a stranger nothing."""

    slug = "message-link-unusable"
    title = "This link does not work"


def key_of(secret: str) -> bytes:
    """The key for both, from the installation's session secret."""
    return sha256(b"dueward message link\0" + secret.encode()).digest()


def contact_token(key: bytes, contact_id: UUID) -> str:
    """Stands for a message that was sent, in `/contact/{token}`."""
    return (
        urlsafe_b64encode(_mac(key, b"contact", contact_id)[:CONTACT_MAC_BYTES] + contact_id.bytes)
        .rstrip(b"=")
        .decode()
    )


def read_contact_token(key: bytes, token: str) -> UUID:
    """The message that a token stands for. Raises MessageLinkUnusable for one that was not made here."""
    try:
        signed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        raise _unusable() from None
    mac, body = signed[:CONTACT_MAC_BYTES], signed[CONTACT_MAC_BYTES:]
    if len(body) != _ID_BYTES:
        raise _unusable()
    contact_id = UUID(bytes=body)
    if not hmac.compare_digest(mac, _mac(key, b"contact", contact_id)[:CONTACT_MAC_BYTES]):
        raise _unusable()
    return contact_id


def reply_address(key: bytes, base: str, case_id: UUID) -> str:
    """Where replies about a case go: `replies@example.com` becomes `replies+<token>@example.com` (subaddressing, as in
    RFC 5233). Raises ValueError where the base leaves no room for it."""
    local, at, domain = base.rpartition("@")
    token = b32encode(case_id.bytes + _mac(key, b"reply", case_id)[:REPLY_MAC_BYTES]).rstrip(b"=").decode().lower()
    address = f"{local}+{token}"
    if not at or not local or len(address) > LOCAL_PART_CHARACTERS_MAX:
        raise ValueError(f"{base!r} cannot take a case's token: its part before @ has 24 characters at most")
    return f"{address}@{domain}"


def read_reply_address(key: bytes, address: str) -> UUID | None:
    """The case that a reply was addressed to; None for an address without a token of ours."""
    local = address.strip().strip("<>").rpartition("@")[0]
    token = local.rpartition("+")[2].upper()
    try:
        signed = b32decode(token + "=" * (-len(token) % 8))
    except (binascii.Error, ValueError):
        return None
    body, mac = signed[:_ID_BYTES], signed[_ID_BYTES:]
    if len(body) != _ID_BYTES or len(mac) != REPLY_MAC_BYTES:
        return None
    case_id = UUID(bytes=body)
    return case_id if hmac.compare_digest(mac, _mac(key, b"reply", case_id)[:REPLY_MAC_BYTES]) else None


def _unusable() -> MessageLinkUnusable:
    return MessageLinkUnusable("it is not complete, or was not made here")


def _mac(key: bytes, purpose: bytes, of: UUID) -> bytes:
    return hmac.digest(key, purpose + b"\0" + of.bytes, "sha256")
