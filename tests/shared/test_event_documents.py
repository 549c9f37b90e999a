"""The documents about events say what the models say, and hang together."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from shared.events import asyncapi, catalogue, reference, registry

SERVICES = pytest.mark.parametrize(
    ("service", "publishes", "subscribes"),
    [
        ("credit", ("ar.customer", "ar.credit"), ("ar.invoice", "ar.payment", "ar.overdue", "ar.reminder")),
        ("invoice", ("ar.invoice", "ar.payment", "ar.overdue"), ("ar.customer", "ar.credit", "ar.reminder")),
        ("reporting", (), catalogue.TOPICS),
    ],
)


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, part in node.items():
            if name == "$ref":
                yield part
            else:
                yield from references(part)
    elif isinstance(node, list):
        for part in node:
            yield from references(part)


@SERVICES
def test_every_reference_of_a_document_leads_somewhere(
    service: str, publishes: tuple[str, ...], subscribes: tuple[str, ...]
) -> None:
    document = asyncapi.document(service, publishes, subscribes)
    assert document["asyncapi"] == "3.0.0"
    for reference_ in references(document):
        node: Any = document
        for step in reference_.removeprefix("#/").split("/"):
            node = node[step]


@SERVICES
def test_a_document_lists_what_is_sent_and_what_is_taken(
    service: str, publishes: tuple[str, ...], subscribes: tuple[str, ...]
) -> None:
    document = asyncapi.document(service, publishes, subscribes)
    actions = {
        (operation["action"], operation["channel"]["$ref"].rpartition("/")[2], len(operation["messages"]))
        for operation in document["operations"].values()
    }
    assert actions == {
        *(("send", topic, len(catalogue.BY_TOPIC[topic])) for topic in publishes),
        *(("receive", topic, len(catalogue.BY_TOPIC[topic])) for topic in subscribes),
    }
    assert set(document["channels"]) == {*publishes, *subscribes}


def test_examples_fit_the_payload_of_their_message() -> None:
    document = json.loads(json.dumps(asyncapi.document("reporting", (), catalogue.TOPICS)))
    assert set(document["components"]["messages"]) == set(catalogue.BY_TYPE)
    for message in document["components"]["messages"].values():
        payload = {"components": document["components"], **message["payload"]}
        Draft202012Validator(payload).validate(message["examples"][0]["payload"])


def test_single_types_may_be_named_and_unknown_names_are_refused() -> None:
    document = asyncapi.document("credit", (), ["dueward.invoice.issued.v1"])
    assert list(document["components"]["messages"]) == ["dueward.invoice.issued.v1"]
    with pytest.raises(ValueError, match="neither a topic nor"):
        asyncapi.document("credit", ["ar.nothing"], ())


def test_the_page_about_events_is_what_the_models_say() -> None:
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page(), (
        "docs/events.md is behind: run `python -m shared.events.reference write`"
    )


def test_the_page_has_every_type_with_its_example_and_every_link_leads_to_a_heading() -> None:
    text = reference.page()
    headings = {line.lstrip("# ").lower().replace(".", "") for line in text.splitlines() if line.startswith("###")}
    links = set(re.findall(r"\]\(#([^)]+)\)", text))
    assert links <= headings
    for kind in catalogue.EVENTS:
        assert kind.type.replace(".", "") in headings
        assert json.dumps(registry.example(kind.type), indent=2, ensure_ascii=False) in text
