"""Messages to a program of the operator's or the entity's: one signed call after the Standard Webhooks specification.

`webhook-id` is the contact's id and stays the same however often it is tried, so that the receiver can drop a repeat:
a call without an answer is made again here, which on other channels it never is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from time import monotonic
from typing import Any
from uuid import UUID

import httpx
import orjson

from services.reminder.deliveries.rules import Delivery, Leave
from services.reminder.mails.rules import Letter
from services.reminder.receivables.rules import totals
from shared import webhooks
from shared.clock import real_now
from shared.money import Money
from shared.outside import Answer, Reply, brief, post

DUE = "reminder.due"
CALLS_AT_ONCE = 4
LEASE_TIMEOUTS = 4
BODY_BYTES_MAX = 256 * 1024


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the calls go. Several `keys` sign while one takes over from another; `private` allows an address in a
    private network."""

    url: str
    keys: Sequence[bytes] = field(repr=False)
    private: bool = False


@dataclass(frozen=True)
class WebhookSender:
    """Another system as a channel."""

    client: httpx.AsyncClient
    endpoint: Endpoint
    timeout_seconds: float

    @property
    def lease_seconds(self) -> float:
        return self.timeout_seconds * LEASE_TIMEOUTS

    async def deliver(self, letters: Sequence[Letter], at: datetime, seconds: float, leave: Leave) -> list[Delivery]:
        begin_until = monotonic() + seconds - 2 * self.timeout_seconds
        gate = asyncio.Semaphore(CALLS_AT_ONCE)

        async def send(letter: Letter) -> Delivery:
            async with gate:
                if monotonic() >= begin_until or not await leave(letter.contact_id):
                    answer = Answer("untried")
                else:
                    told = data_of(letter)
                    answer = await call(self.client, self.endpoint, letter.contact_id, DUE, at, told, real_now())
            return Delivery(letter.contact_id, letter.customer_id, **asdict(answer))

        return list(await asyncio.gather(*map(send, letters)))


def data_of(letter: Letter) -> dict[str, Any]:
    """What the other system learns: the account, the step, and what is owed of which invoice. No person's name, no
    address, and not the link by which anybody could pay in the customer's name."""
    return {
        "contact_id": letter.contact_id,
        "customer_id": letter.customer_id,
        "customer_name": letter.customer,
        "entity_id": letter.entity_id,
        "case_id": letter.case_id,
        "episode": letter.episode,
        "step": letter.step,
        "tone": letter.tone,
        "due_on": letter.due_on,
        "totals": [_money(sum_) for sum_ in totals(item.collectable for item in letter.items)],
        "invoices": [
            {"number": item.number, "due_on": item.due_on, "collectable": _money(item.collectable)}
            for item in letter.items
        ],
    }


def _money(money: Money) -> dict[str, str]:
    return {"amount": money.amount, "currency": money.currency}


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
