"""Messages to a program of the operator's or the entity's: one signed call after the Standard Webhooks specification.

`webhook-id` is the contact's id and stays the same however often it is tried, so that the receiver can drop a repeat:
a call without an answer is made again here, which on other channels it never is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import orjson

from shared import webhooks
from shared.outside import Answer, Reply, brief, post

BODY_BYTES_MAX = 256 * 1024


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the calls go. Several `keys` sign while one takes over from another; `private` allows an address in a
    private network."""

    url: str
    keys: Sequence[bytes] = field(repr=False)
    private: bool = False


async def call(
    client: httpx.AsyncClient,
    endpoint: Endpoint,
    contact_id: UUID,
    kind: str,
    at: datetime,
    data: Mapping[str, Any],
    real_now: datetime,
) -> Answer:
    """Tell the program: `{"type": kind, "timestamp": at, "data": data}`. Raises nothing."""
    body = orjson.dumps({"type": kind, "timestamp": at, "data": dict(data)}, default=str)
    if len(body) > BODY_BYTES_MAX:
        return Answer("refused", f"the message has {len(body)} bytes, at most {BODY_BYTES_MAX} are sent")
    headers = {
        "content-type": "application/json",
        **webhooks.signed(str(contact_id), real_now, body, endpoint.keys),
    }
    reply = await post(client, endpoint.url, private=endpoint.private, content=body, headers=headers)
    if isinstance(reply, Answer):
        return replace(reply, fate="deferred") if reply.fate == "doubtful" else reply
    return _read(reply)


def _read(reply: Reply) -> Answer:
    """Any 2xx is success and 410 an end; a redirect is not followed, and counts as a fault like the rest."""
    if 200 <= reply.status < 300:
        return Answer("sent")
    reason = f"the receiver answers {reply.status}: {brief(reply.text)}"
    if reply.status == 410:
        return Answer("refused", reason, address_refused=True)
    if reply.status == 429 or reply.status >= 500:
        return Answer("deferred", reason, retry_after_seconds=reply.retry_after_seconds)
    return Answer("refused_for_now", reason)
