"""The CloudEvents 1.0 envelope around every event, and its Kafka form.

Dueward writes binary mode: attributes in headers, the payload alone in the value. It reads structured mode too, so a
producer that puts the whole event into the value as `application/cloudevents+json` is understood. Whatever cannot be
read raises `Undecodable`; the consumer keeps such a message, raw, on the dead-letter topic.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

VALUE_BYTES_MAX = 1_000_000
"""A larger value is not read: brokers refuse it by default, and the outbox refuses it earlier."""

VERSION_MAX = 2**63 - 1
"""What a bigint column holds."""

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/json"
STRUCTURED = "application/cloudevents+json"


class Undecodable(Exception):
    """This message is not an event that can be read; `reason` says why in a sentence for an operator."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Envelope:
    """One event as it travels. (`source`, `id`) names it, (`source`, `subject`, `version`) places it in its
    aggregate's history; `key` is the customer, and the Kafka key; `data` is the payload as UTF-8 JSON text."""

    id: UUID
    source: str
    type: str
    subject: UUID
    time: datetime
    version: int
    key: UUID
    correlation_id: str | None
    causation_id: str | None
    traceparent: str | None
    data: bytes


def to_kafka(envelope: Envelope) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    """Key, value and headers of a binary mode message. `time` must be aware; it is written in UTC."""
    key = str(envelope.key).encode()
    headers = [
        ("content-type", b"application/json"),
        ("ce_specversion", b"1.0"),
        ("ce_id", str(envelope.id).encode()),
        ("ce_source", envelope.source.encode()),
        ("ce_type", envelope.type.encode()),
        ("ce_subject", str(envelope.subject).encode()),
        ("ce_time", _rfc3339(envelope.time).encode()),
        ("ce_aggregateversion", str(envelope.version).encode()),
        ("ce_partitionkey", key),
    ]
    if envelope.correlation_id is not None:
        headers.append(("ce_correlationid", envelope.correlation_id.encode()))
    if envelope.causation_id is not None:
        headers.append(("ce_causationid", envelope.causation_id.encode()))
    if envelope.traceparent is not None:
        headers.append(("traceparent", envelope.traceparent.encode()))
    return key, envelope.data, headers


def decode(key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes | None]]) -> Envelope:
    """Read a message of either mode. Attributes it does not know are ignored; the payload is JSON but not yet parsed.

    Raises Undecodable: no key or none that is a UUID, a value that is empty, over 1 MB or not a JSON object, a missing
    or malformed attribute, a specversion or content type that is not understood.
    """
    if value is None:
        raise Undecodable("the value is missing")
    if len(value) > VALUE_BYTES_MAX:
        raise Undecodable(f"the value has {len(value)} bytes, more than {VALUE_BYTES_MAX}")
    named = dict(headers)
    content_type = _media_type(named.get("content-type"))
    if content_type == STRUCTURED:
        attributes, data = _structured(value)
    elif content_type in (CONTENT_TYPE, ""):
        attributes, data = _binary(named), value
        _json_object(data)
    else:
        raise Undecodable(f"content-type {content_type} is not understood")

    if attributes.get("specversion") != SPEC_VERSION:
        raise Undecodable(f"specversion is {attributes.get('specversion')!r}, not '{SPEC_VERSION}'")
    if key is None:
        raise Undecodable("the message has no key")
    return Envelope(
        id=_uuid("id", _required(attributes, "id")),
        source=_required(attributes, "source"),
        type=_required(attributes, "type"),
        subject=_uuid("subject", _required(attributes, "subject")),
        time=_time(_required(attributes, "time")),
        version=_version(_required(attributes, "aggregateversion")),
        key=_uuid("key", _text("key", key)),
        correlation_id=attributes.get("correlationid"),
        causation_id=attributes.get("causationid"),
        traceparent=attributes.get("traceparent"),
        data=data,
    )


def _binary(headers: Mapping[str, bytes | None]) -> dict[str, str]:
    attributes = {name[3:]: _text(name, raw) for name, raw in headers.items() if name.startswith("ce_") and raw}
    if trace := headers.get("traceparent"):
        attributes["traceparent"] = _text("traceparent", trace)
    return attributes


def _structured(value: bytes) -> tuple[dict[str, str], bytes]:
    event = _json_object(value)
    attributes = {
        name: content if isinstance(content, str) else str(content)
        for name, content in event.items()
        if name not in ("data", "data_base64") and isinstance(content, str | int) and not isinstance(content, bool)
    }
    if _media_type(str(event.get("datacontenttype", CONTENT_TYPE)).encode()) != CONTENT_TYPE:
        raise Undecodable(f"datacontenttype {event['datacontenttype']} is not understood")
    if isinstance(event.get("data"), dict):
        return attributes, orjson.dumps(event["data"])
    if isinstance(event.get("data_base64"), str):
        try:
            data = base64.b64decode(event["data_base64"], validate=True)
        except (binascii.Error, ValueError):
            raise Undecodable("data_base64 is not base64") from None
        _json_object(data)
        return attributes, data
    raise Undecodable("data is missing or not a JSON object")


def _json_object(value: bytes) -> dict[str, Any]:
    try:
        content = orjson.loads(value)
    except orjson.JSONDecodeError as fault:
        raise Undecodable(f"the value is not JSON: {fault}") from None
    if not isinstance(content, dict):
        raise Undecodable("the value is not a JSON object")
    if b"\\u0000" in value and _holds_nul(content):
        raise Undecodable("the value contains a NUL character, which Postgres cannot store")
    return content


def _holds_nul(content: Any) -> bool:
    if isinstance(content, str):
        return "\0" in content
    if isinstance(content, dict):
        return any("\0" in name or _holds_nul(inner) for name, inner in content.items())
    return isinstance(content, list) and any(map(_holds_nul, content))


def _media_type(raw: bytes | None) -> str:
    return raw.split(b";")[0].strip().decode(errors="replace").lower() if raw else ""


def _text(name: str, raw: bytes | None) -> str:
    try:
        text = (raw or b"").decode()
    except UnicodeDecodeError:
        raise Undecodable(f"{name} is not UTF-8") from None
    if "\0" in text:
        raise Undecodable(f"{name} contains a NUL character")
    return text


def _required(attributes: Mapping[str, str], name: str) -> str:
    if found := attributes.get(name):
        return found
    raise Undecodable(f"attribute {name} is missing")


def _uuid(name: str, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Undecodable(f"{name} {text[:80]!r} is not a UUID") from None


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise Undecodable(f"time {text[:80]!r} has no offset from UTC")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Undecodable(f"time {text[:80]!r} is not RFC 3339") from None


def _version(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 19 and 1 <= int(text) <= VERSION_MAX):
        raise Undecodable(f"aggregateversion {text[:80]!r} is not a whole number from 1")
    return int(text)


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
