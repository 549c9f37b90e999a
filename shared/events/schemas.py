"""The JSON Schema of an event type, as it is frozen, documented and served."""

from __future__ import annotations

from typing import Any

from shared.events import catalogue
from shared.events.event import Event

DIALECT = "https://json-schema.org/draft/2020-12/schema"
BASE = "https://dueward.dev/events/"


def schema_of(kind: type[Event]) -> dict[str, Any]:
    """What a reader may rely on: `required` are the fields every event of this major version has.

    Money is one definition, referred to; the titles that only repeat a field's name are left out.
    """
    definitions: dict[str, Any] = {}
    body = _tidy(kind.model_json_schema(), definitions)
    body.pop("title", None)
    definitions |= body.pop("$defs", {})
    return {
        "$schema": DIALECT,
        "$id": f"{BASE}{kind.type}.json",
        "title": kind.__name__,
        "description": " ".join((kind.__doc__ or "").split()),
        "x-topic": kind.topic,
        "x-producer": catalogue.producer(kind),
        **{name: part for name, part in body.items() if name != "description"},
        "$defs": dict(sorted(definitions.items())),
    }


def _tidy(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_tidy(part, definitions) for part in node]
    if not isinstance(node, dict):
        return node
    if node.get("title") == "Money" and node.get("type") == "object":
        definitions["Money"] = node
        return {"$ref": "#/$defs/Money"}
    tidied = {}
    for name, part in node.items():
        if name == "properties":
            tidied[name] = {field: _tidy(schema, definitions) for field, schema in part.items()}
        elif name == "description":
            tidied[name] = " ".join(part.split())
        elif name != "title":
            tidied[name] = _tidy(part, definitions)
    return tidied
