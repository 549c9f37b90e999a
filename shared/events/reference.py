"""The catalogue of events as a page for people: `python -m shared.events.reference write|check` (docs/events.md)."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shared.events import catalogue, registry
from shared.events.event import Event
from shared.events.schemas import schema_of

PAGE = Path(__file__).parents[2] / "docs" / "events.md"

_INTRODUCTION = """\
# Events

What the services publish, by topic. This page is generated from the event models with `python -m
shared.events.reference write`; a test holds it against them.

Every event is a CloudEvent 1.0 in binary mode: the attributes are Kafka headers, the value is the payload as UTF-8
JSON. Structured mode (`application/cloudevents+json`) is read as well.

| header | what it says |
|---|---|
| `ce_specversion` | `1.0` |
| `ce_id` | UUID of the event; with the source it tells a repetition |
| `ce_source` | the publisher, `/dueward/invoice` |
| `ce_type` | one of the types below |
| `ce_subject` | UUID of the aggregate that changed |
| `ce_time` | when it was recorded, RFC 3339 in UTC |
| `ce_aggregateversion` | the aggregate's version after the event, from 1 |
| `ce_partitionkey` | UUID of the customer, the same as the Kafka key |
| `ce_correlationid` | common to all that one request set off, where known |
| `ce_causationid` | the event that led to this one, where there is one |
| `traceparent` | W3C trace context, where traced |
| `content-type` | `application/json` |

A reader ignores fields it does not know. In a field marked *growing* a later release may use a further name: treat one
you do not know as none of those you act on. Everything else holds within a major version: fields stay, with type and
meaning, and new ones are optional. A break is a new type, `.v2`, published beside the old one for at least six months.

A current state is kept by dropping an event whose aggregate version is not newer; a history keeps every event.
`effective_on` is the business date an event counts for, `booked_on` the one it became known on. The frozen JSON Schemas
and the examples are files in `shared/events/registry/`; each service serves its AsyncAPI document at `/asyncapi.json`.
"""


def page() -> str:
    """The whole page, as Markdown."""
    parts = [_INTRODUCTION, "## Overview\n", *_overview()]
    for topic, kinds in catalogue.BY_TOPIC.items():
        parts += [f"## `{topic}`\n"]
        parts += [_event(kind) for kind in kinds]
    parts += ["## Parts\n", *_parts()]
    return "\n".join(parts)


def _overview() -> Iterator[str]:
    yield "| type | producer | topic | meaning |\n|---|---|---|---|"
    for topic, kinds in catalogue.BY_TOPIC.items():
        for kind in kinds:
            link = f"[`{kind.type}`](#{_anchor(kind.type)})"
            yield f"| {link} | {catalogue.producer(kind)} | `{topic}` | {_sentence(kind)} |"
    yield ""


def _event(kind: type[Event]) -> str:
    schema = schema_of(kind)
    example = json.dumps(registry.example(kind.type), indent=2, ensure_ascii=False)
    return "\n".join(
        [
            f"### {kind.type}\n",
            f"{schema['description']}\n",
            f"Published by {catalogue.producer(kind)} on `{kind.topic}`. Class `{kind.__name__}`.\n",
            *_fields(schema),
            "",
            "<details><summary>Example</summary>\n",
            f"```json\n{example}\n```\n",
            "</details>\n",
        ]
    )


def _parts() -> Iterator[str]:
    parts: dict[str, Any] = {}
    for kind in catalogue.EVENTS:
        parts |= schema_of(kind)["$defs"]
    for name, schema in sorted(parts.items()):
        yield f"### {name}\n"
        if description := schema.get("description"):
            yield f"{description}\n"
        yield from _fields(schema)
        yield ""


def _fields(schema: dict[str, Any]) -> Iterator[str]:
    yield "| field | type | |\n|---|---|---|"
    for name, field in schema["properties"].items():
        required = "" if name in schema.get("required", ()) else "optional"
        yield f"| `{name}` | {_type(field)} | {'; '.join(filter(None, (required, field.get('description'))))} |"


def _type(field: dict[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{_anchor(name)})"
    if "anyOf" in field:
        return " or ".join(_type(choice) for choice in field["anyOf"])
    if "x-extensible-enum" in field:
        return " \\| ".join(f"`{name}`" for name in field["x-extensible-enum"]) + " *growing*"
    if "enum" in field:
        return " \\| ".join(f"`{json.dumps(value)}`" for value in field["enum"])
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}"
    if "format" in field:
        return str(field["format"])
    plain = str(field["type"])
    return {"string": "text", "integer": "whole number"}.get(plain, plain)


def _anchor(heading: str) -> str:
    """As GitHub makes them: lower case, without points."""
    return heading.lower().replace(".", "")


def _sentence(kind: type[Event]) -> str:
    return " ".join((kind.__doc__ or "").split()).replace("|", "\\|")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m shared.events.reference", description=__doc__)
    parser.add_argument("action", choices=["write", "check"])
    if parser.parse_args().action == "write":
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
        print(f"{PAGE.name} is behind the models: run `python -m shared.events.reference write`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
