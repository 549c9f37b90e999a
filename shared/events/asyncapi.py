"""The AsyncAPI 3.0 document of a service: what it publishes, what it listens to, and the schema of each event."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from shared.events import catalogue, registry
from shared.events.event import Event
from shared.events.schemas import schema_of

RETENTION_DAYS = 90

_HEADERS = {
    "type": "object",
    "required": [
        "ce_specversion",
        "ce_id",
        "ce_source",
        "ce_type",
        "ce_subject",
        "ce_time",
        "ce_aggregateversion",
        "ce_partitionkey",
    ],
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "format": "uuid", "description": "Names the event, together with its source"},
        "ce_source": {"type": "string", "examples": ["/dueward/invoice"]},
        "ce_type": {"type": "string", "examples": ["dueward.invoice.issued.v1"]},
        "ce_subject": {"type": "string", "format": "uuid", "description": "The aggregate that changed"},
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_aggregateversion": {
            "type": "string",
            "pattern": "^[1-9][0-9]*$",
            "description": "The aggregate's version after the event; a current state drops what is not newer",
        },
        "ce_partitionkey": {"type": "string", "format": "uuid", "description": "The customer, as the Kafka key"},
        "ce_correlationid": {"type": "string", "description": "Common to all that one request set off"},
        "ce_causationid": {"type": "string", "description": "The event that led to this one"},
        "traceparent": {"type": "string", "description": "W3C trace context"},
        "content-type": {"const": "application/json"},
    },
}


def document(
    service: str, publishes: Iterable[str], subscribes: Iterable[str], *, description: str = "", version: str = "1"
) -> dict[str, Any]:
    """The document of a service, by its short name (`invoice`).

    `publishes` and `subscribes` name topics or event types; a topic stands for all of its events. Raises ValueError
    for a name that is neither, so that a document never promises what nobody publishes.
    """
    sent, received = _kinds(publishes), _kinds(subscribes)
    components: dict[str, Any] = {"messages": {}, "schemas": {"Headers": _HEADERS}}
    for kind in dict.fromkeys([*sent, *received]):
        components["messages"][kind.type] = _message(kind)
        _add_schemas(kind, components["schemas"])
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": f"Dueward {service} events",
            "version": version,
            "description": description or f"What the {service} service says and listens to.",
        },
        "defaultContentType": "application/json",
        "channels": {topic: _channel(topic, kinds) for topic, kinds in _by_topic([*sent, *received]).items()},
        "operations": {
            **{f"publish-{topic}": _operation("send", topic, kinds) for topic, kinds in _by_topic(sent).items()},
            **{f"take-{topic}": _operation("receive", topic, kinds) for topic, kinds in _by_topic(received).items()},
        },
        "components": components,
    }


def _kinds(names: Iterable[str]) -> list[type[Event]]:
    wanted: set[str] = set()
    for name in names:
        if name not in catalogue.BY_TOPIC and name not in catalogue.BY_TYPE:
            raise ValueError(f"{name} is neither a topic nor a published event type")
        wanted.update(kind.type for kind in catalogue.BY_TOPIC.get(name, ()) or (catalogue.BY_TYPE[name],))
    return [kind for kind in catalogue.EVENTS if kind.type in wanted]


def _by_topic(kinds: Iterable[type[Event]]) -> dict[str, list[type[Event]]]:
    topics: dict[str, list[type[Event]]] = {}
    for kind in dict.fromkeys(kinds):
        topics.setdefault(kind.topic, []).append(kind)
    return topics


def _channel(topic: str, kinds: Iterable[type[Event]]) -> dict[str, Any]:
    return {
        "address": topic,
        "description": f"Kept {RETENTION_DAYS} days by default; the key is the customer, so one account stays in order",
        "messages": {kind.type: {"$ref": f"#/components/messages/{kind.type}"} for kind in kinds},
        "bindings": {"kafka": {"topic": topic, "bindingVersion": "0.5.0"}},
    }


def _operation(action: str, topic: str, kinds: Iterable[type[Event]]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic}"},
        "messages": [{"$ref": f"#/channels/{topic}/messages/{kind.type}"} for kind in kinds],
    }


def _message(kind: type[Event]) -> dict[str, Any]:
    example = registry.example(kind.type)
    return {
        "name": kind.type,
        "title": kind.__name__,
        "summary": " ".join((kind.__doc__ or "").split()),
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/Headers"},
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
        "bindings": {"kafka": {"key": {"type": "string", "format": "uuid"}, "bindingVersion": "0.5.0"}},
        **({"examples": [{"payload": example}]} if example else {}),
    }


def _add_schemas(kind: type[Event], schemas: dict[str, Any]) -> None:
    schema = copy.deepcopy(schema_of(kind))
    for name, part in schema.pop("$defs", {}).items():
        schemas[name] = _refer_to_components(part)
    schemas[kind.__name__] = _refer_to_components(
        {name: part for name, part in schema.items() if name not in ("$schema", "$id")}
    )


def _refer_to_components(node: Any) -> Any:
    if isinstance(node, list):
        return [_refer_to_components(part) for part in node]
    if not isinstance(node, dict):
        return node
    return {
        name: part.replace("#/$defs/", "#/components/schemas/") if name == "$ref" else _refer_to_components(part)
        for name, part in node.items()
    }
