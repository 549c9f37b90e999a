"""Calls of providers, proven to be theirs, and what they mean for a message."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from services.reminder.feedback.rules import Told
from services.reminder.texts import rules as texts

ARRIVED = frozenset({"delivered", "read"})
LOST = frozenset({"failed", "undelivered"})


@dataclass(frozen=True, slots=True)
class Inbound:
    """What the doors for providers need. `keys` are of Standard Webhooks secrets, `reply_key` that of the addresses
    replies go to; `sms_url` is the address of the gateway's callbacks as it calls it. Without keys, all are refused."""

    keys: Sequence[bytes] = field(default=(), repr=False)
    reply_key: bytes | None = field(default=None, repr=False)
    sms_token: str | None = field(default=None, repr=False)
    sms_account: str | None = None
    sms_url: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """What a provider says of a message."""

    contact_id: UUID
    told: Told
    reason: str
    lasting: bool


def is_signed(signature: str, inbound: Inbound, query: str, form: Mapping[str, Sequence[str]]) -> bool:
    """Whether a call is Twilio's: base64 of HMAC-SHA1 under the account's token, over the full address and then each
    parameter's name and value, sorted by name (https://www.twilio.com/docs/usage/webhooks/webhooks-security). Twilio
    may or may not have the standard port in the address."""
    if not inbound.sms_token or not inbound.sms_url or not signature:
        return False
    fields = "".join(f"{name}{value}" for name in sorted(form) for value in sorted(set(form[name])))
    address = f"{inbound.sms_url}?{query}" if query else inbound.sms_url
    expected = [_sign(inbound.sms_token, spelt + fields) for spelt in _spellings(address)]
    return sum(hmac.compare_digest(signature.encode(), one.encode()) for one in expected) > 0


def _sign(token: str, text: str) -> str:
    return b64encode(hmac.digest(token.encode(), text.encode(), "sha1")).decode()


def _spellings(address: str) -> tuple[str, str]:
    """The address with and without the port that its scheme stands for."""
    parts = urlsplit(address)
    port = "443" if parts.scheme == "https" else "80"
    bare = parts.netloc.removesuffix(f":{port}")
    with_port = bare if ":" in bare.rpartition("]")[2] else f"{bare}:{port}"
    return urlunsplit(parts._replace(netloc=bare)), urlunsplit(parts._replace(netloc=with_port))


def word_of(contact_id: UUID, status: str, code: int | None) -> Word | None:
    """What a message's new status means; None where nothing follows from it yet."""
    if status in ARRIVED:
        return Word(contact_id, "delivered", "", False)
    if status not in LOST:
        return None
    kind = texts.failure_of(code)
    reason = f"the gateway says {status}" + (f", error {code}" if code else "")
    return Word(contact_id, "opted_out" if kind == "opted_out" else "bounced", reason, kind == "number")
