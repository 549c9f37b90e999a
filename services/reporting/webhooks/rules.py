"""Webhooks: systems that events are sent to, and the secrets that sign what they get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import orjson

from shared.errors import NotFound, Refused
from shared.events import catalogue
from shared.records import replace
from shared.sealing import Seals

Status = Literal["active", "paused", "disabled"]
"""`disabled` by the service itself, since nothing could be delivered; either way the place in the feed is kept."""

OVERLAP_HOURS_MAX = 7 * 24


class WebhookNotFound(NotFound):
    slug = "webhook-not-found"
    title = "There is no such webhook"

    def __init__(self, webhook_id: UUID) -> None:
        super().__init__(f"No webhook has the id {webhook_id}.")


class UnknownTypes(Refused):
    slug = "unknown-event-type"
    title = "No service publishes such an event"


class UnusableAddress(Refused):
    slug = "unusable-address"
    title = "The address cannot be called"


@dataclass(frozen=True, slots=True)
class Webhook:
    """`types` and `customers` empty stand for all. While `former_until` is ahead (real time), both keys sign; they are
    sealed for the row."""

    id: UUID
    version: int
    url: str
    description: str
    types: tuple[str, ...]
    customers: tuple[UUID, ...]
    notify: str | None
    status: Status
    disabled_because: str | None
    key: bytes = field(repr=False)
    former_key: bytes | None = field(repr=False)
    former_until: datetime | None
    starts_behind: int
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that did not succeed. `gone`: the receiver says that it will never take any."""

    reason: str
    status: int | None = None
    retry_after_seconds: float | None = None
    gone: bool = False


def check_types(types: Sequence[str]) -> None:
    """A type with a slip in it would wait for ever for what never comes. Raises UnknownTypes."""
    for place, type in enumerate(types):
        if type not in catalogue.BY_TYPE:
            raise UnknownTypes(f"no service publishes {type}; GET /v1/event-types lists them", field=f"/types/{place}")


def place(webhook_id: UUID) -> str:
    """What its keys are sealed for."""
    return f"webhook {webhook_id}"


def has_two_keys(webhook: Webhook, real_now: datetime) -> bool:
    return webhook.former_until is not None and real_now < webhook.former_until


def signing_keys(webhook: Webhook, seals: Seals, real_now: datetime) -> list[bytes]:
    """Opened, the newest first; the one before it while they overlap. Raises SealBroken."""
    former = webhook.former_key if has_two_keys(webhook, real_now) else None
    return [seals.open(key, place(webhook.id)) for key in (webhook.key, former) if key]


def rotate(webhook: Webhook, key: bytes, overlap: timedelta, real_now: datetime) -> Webhook:
    """A new key; what signed so far goes on signing beside it for a while. Without overlap it ends at once."""
    former = (webhook.key, real_now + overlap) if overlap else (None, None)
    return replace(webhook, version=webhook.version + 1, key=key, former_key=former[0], former_until=former[1])


def renew_seals(webhook: Webhook, seals: Seals) -> Webhook:
    """Raises SealBroken."""
    former, where = webhook.former_key, place(webhook.id)
    return replace(
        webhook, key=seals.renewed(webhook.key, where), former_key=seals.renewed(former, where) if former else None
    )


def disable(webhook: Webhook, because: str) -> Webhook:
    return replace(webhook, version=webhook.version + 1, status="disabled", disabled_because=because)


def message(type: str, at: datetime, data: Mapping[str, Any]) -> bytes:
    """The body of a call, in the specification's form."""
    return orjson.dumps({"type": type, "timestamp": at, "data": data}, default=str)
