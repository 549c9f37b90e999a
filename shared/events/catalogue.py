"""Every published event type: by name, by topic and by the service that publishes it."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType, ModuleType

from pydantic import ValidationError

from shared.events import credit, invoice, reminder
from shared.events.envelope import Envelope, Undecodable
from shared.events.event import Event


def _published_in(module: ModuleType) -> Iterator[type[Event]]:
    """The concrete events of a module: those that name a type of their own, in the order they are written."""
    for kind in vars(module).values():
        if isinstance(kind, type) and issubclass(kind, Event) and "type" in vars(kind):
            yield kind


BY_PRODUCER = MappingProxyType(
    {
        "credit": tuple(_published_in(credit)),
        "invoice": tuple(_published_in(invoice)),
        "reminder": tuple(_published_in(reminder)),
    }
)
"""Service -> the events it publishes. Only that service may publish them."""

EVENTS = tuple(kind for kinds in BY_PRODUCER.values() for kind in kinds)

BY_TYPE = MappingProxyType({kind.type: kind for kind in EVENTS})
"""CloudEvents type -> event class."""

if len(BY_TYPE) != len(EVENTS):
    raise ValueError("two event classes have the same type")

BY_TOPIC = MappingProxyType(
    {topic: tuple(kind for kind in EVENTS if kind.topic == topic) for topic in dict.fromkeys(k.topic for k in EVENTS)}
)
"""Topic -> the events that travel on it."""

TOPICS = tuple(BY_TOPIC)

_PRODUCER = {kind.type: service for service, kinds in BY_PRODUCER.items() for kind in kinds}


def producer(kind: type[Event]) -> str:
    """The service that publishes this event, `invoice`."""
    return _PRODUCER[kind.type]


def source(service: str) -> str:
    """The CloudEvents source of a service, `/dueward/invoice`."""
    return f"/dueward/{service}"


def parse(envelope: Envelope) -> Event | None:
    """The typed event, or None for a type this release does not know: another type, or a later major version.

    Raises Undecodable when the payload does not fit the type's schema, or when envelope and payload disagree on
    customer, aggregate or version: applying either of two truths would corrupt a reader's state.
    """
    kind = BY_TYPE.get(envelope.type)
    if kind is None:
        return None
    try:
        event = kind.model_validate_json(envelope.data)
    except ValidationError as fault:
        raise Undecodable(_in_a_sentence(envelope.type, fault)) from None
    if event.customer_id != envelope.key:
        raise Undecodable(f"the key {envelope.key} is not the payload's customer {event.customer_id}")
    if (event.subject, event.version) != (envelope.subject, envelope.version):
        raise Undecodable(
            f"the envelope is about {envelope.subject} version {envelope.version}, "
            f"its payload about {event.subject} version {event.version}"
        )
    return event


def _in_a_sentence(type: str, fault: ValidationError) -> str:
    errors = fault.errors(include_url=False, include_input=False, include_context=False)
    first = errors[0]
    where = "/".join(str(part) for part in first["loc"]) or "the payload"
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"the data does not fit {type}: {where}: {first['msg']}{more}"
