"""Subscribe another system to events, change what it gets, and give it a new secret."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from secrets import token_bytes
from typing import Any
from uuid import UUID

import httpx

from services.reporting.feed import handlers as feed
from services.reporting.webhooks import rules, store
from services.reporting.webhooks.rules import Failure, UnusableAddress, Webhook, WebhookNotFound, signing_keys
from shared import webhooks as signatures
from shared.clock import real_now
from shared.db import Tx
from shared.http.preconditions import check_version
from shared.ids import new_id
from shared.outside import AddressForbidden, Answer, Reply, brief, check_address, post
from shared.records import replace
from shared.sealing import SealBroken, Seals

KEY_BYTES = 32
LEASE_TIMEOUTS = 6
"""For how long a sender may claim its work, in timeouts of a call: what is begun within it is over within it."""
CALL_TIMEOUTS = 2
"""What a call may take at most, connection and answer together."""


@dataclass(frozen=True, slots=True)
class Outlet:
    """How calls go out. `private` allows addresses in private networks; `seals` open what is needed for them."""

    client: httpx.AsyncClient
    private: bool
    timeout_seconds: float
    seals: Seals

    @property
    def lease_seconds(self) -> float:
        return self.timeout_seconds * LEASE_TIMEOUTS


@dataclass(frozen=True, slots=True)
class SubscribeWebhook:
    """`start_after` is the event behind which to begin; without one, what comes from now on. `private` allows addresses
    in private networks, and plain HTTP."""

    url: str
    description: str
    types: tuple[str, ...]
    customers: tuple[UUID, ...]
    notify: str | None
    start_after: UUID | None
    by: str
    private: bool


def secret_of(key: bytes) -> str:
    """As it is handed to people, once."""
    return f"whsec_{b64encode(key).decode()}"


def _new_key(webhook_id: UUID, seals: Seals) -> tuple[bytes, str]:
    """Sealed, and as a secret."""
    key = token_bytes(KEY_BYTES)
    return seals.seal(key, rules.place(webhook_id)), secret_of(key)


async def subscribe_webhook(tx: Tx, command: SubscribeWebhook, seals: Seals) -> tuple[Webhook, str]:
    """With its secret, which nobody is told again. Raises UnknownTypes, UnusableAddress, EventNotFound."""
    _check_address(command.url, private=command.private)
    rules.check_types(command.types)
    if command.start_after:
        starts_behind = await feed.place_of(tx, command.start_after, "/start_after")
    else:
        starts_behind = await feed.end_of_feed(tx)
    webhook_id = new_id()
    key, secret = _new_key(webhook_id, seals)
    webhook = Webhook(
        id=webhook_id,
        version=1,
        url=command.url,
        description=command.description,
        types=command.types,
        customers=command.customers,
        notify=command.notify,
        status="active",
        disabled_because=None,
        key=key,
        former_key=None,
        former_until=None,
        starts_behind=starts_behind,
        created_by=command.by,
        created_at=tx.now,
    )
    await store.add(tx, webhook)
    return webhook, secret


async def change_webhook(
    tx: Tx, webhook_id: UUID, version: int, changes: Mapping[str, Any], *, private: bool
) -> Webhook:
    """`changes` are fields of a Webhook that people may set. Made active again, it goes on where it stopped. Raises
    WebhookNotFound, PreconditionFailed, UnknownTypes, UnusableAddress."""
    webhook = await find_webhook(tx, webhook_id, lock=True)
    check_version(version, webhook.version)
    if "url" in changes:
        _check_address(changes["url"], private=private)
    rules.check_types(changes.get("types", ()))
    changed = replace(webhook, version=webhook.version + 1, **changes)
    if changed.status != "disabled":
        changed = replace(changed, disabled_because=None)
    await store.save(tx, changed)
    return changed


async def rotate_secret(tx: Tx, webhook_id: UUID, overlap: timedelta, seals: Seals) -> tuple[Webhook, str]:
    """With the new secret. Raises WebhookNotFound."""
    key, secret = _new_key(webhook_id, seals)
    webhook = rules.rotate(await find_webhook(tx, webhook_id, lock=True), key, overlap, real_now())
    await store.save(tx, webhook)
    return webhook, secret


async def renew_seals(tx: Tx, seals: Seals) -> int:
    """Every key that is bare or under an older key is sealed under the newest; of how many webhooks. Raises
    SealBroken."""
    renewed = 0
    for webhook in await store.page(tx, None, None):
        webhook = await find_webhook(tx, webhook.id, lock=True)
        anew = rules.renew_seals(webhook, seals)
        if anew != webhook:
            await store.save(tx, anew)
            renewed += 1
    return renewed


async def disable_webhook(tx: Tx, webhook_id: UUID, because: str) -> Webhook | None:
    """None when it is not active any more."""
    webhook = await store.read(tx, webhook_id, lock=True)
    if webhook is None or webhook.status != "active":
        return None
    disabled = rules.disable(webhook, because)
    await store.save(tx, disabled)
    return disabled


async def remove_webhook(tx: Tx, webhook_id: UUID, version: int) -> None:
    """With everything that waits for it. Raises WebhookNotFound, PreconditionFailed."""
    check_version(version, (await find_webhook(tx, webhook_id, lock=True)).version)
    await store.remove(tx, webhook_id)


async def find_webhook(tx: Tx, webhook_id: UUID, *, lock: bool = False) -> Webhook:
    """Raises WebhookNotFound."""
    webhook = await store.read(tx, webhook_id, lock=lock)
    if webhook is None:
        raise WebhookNotFound(webhook_id)
    return webhook


async def list_webhooks(tx: Tx, after: UUID | None, limit: int) -> Sequence[Webhook]:
    return await store.page(tx, after, limit)


def _check_address(url: str, *, private: bool) -> None:
    """What is plain without a look at the network; whether a name leads to a public address is seen at each call."""
    try:
        check_address(url, private=private)
    except AddressForbidden as fault:
        raise UnusableAddress(str(fault), field="/url") from None


async def call(outlet: Outlet, webhook: Webhook, call_id: str, body: bytes) -> Failure | None:
    """One signed call; None when the receiver took it, which any 2xx says. A redirect is not followed."""
    now = real_now()
    try:
        keys = signing_keys(webhook, outlet.seals, now)
    except SealBroken as fault:
        return Failure(fault.detail)
    headers = {
        "content-type": "application/json",
        "user-agent": "Dueward-Webhooks/1",
        **signatures.signed(call_id, now, body, keys),
    }
    reply = await post(outlet.client, webhook.url, private=outlet.private, content=body, headers=headers)
    if isinstance(reply, Answer):
        return Failure(reply.reason or "no answer")
    if 200 <= reply.status < 300:
        return None
    said = brief(reply.text)
    reason = f"the receiver answers {reply.status}" + (f": {said}" if said else "")
    return Failure(reason, reply.status, _retry_after(reply), gone=reply.status == 410)


def _retry_after(reply: Reply) -> float | None:
    return reply.retry_after_seconds if reply.status in (429, 503) else None
