"""Whatever stands on a topic: what is no event is set aside raw, what is unknown is ignored, and the rest lands."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from prometheus_client import REGISTRY

from shared import telemetry
from shared.broker import DEAD_LETTER_TOPIC, Broker
from shared.consumer import Consumer
from shared.db import Database, Tx
from shared.delivery import Subscriptions, deliver
from shared.events.envelope import to_kafka
from shared.events.invoice import InvoiceBalanceChanged
from shared.relay import Relay
from tests.shared.ledger_of_notes import (
    as_received,
    event,
    eventually,
    has_notes,
    has_progress,
    make_table,
    notes,
    publish,
    running,
    subscriptions,
)

Message = tuple[bytes | None, bytes, list[tuple[str, bytes]]]


def message(**changes: Any) -> Message:
    """A good message of a new customer, but for the changes: `data`, `key`, or an attribute by its header's name."""
    person = uuid4()
    received = as_received(event(person, person, 1))
    key, value, headers = to_kafka(received.envelope)
    attributes = dict(headers)
    attributes.update({name: text for name, text in changes.items() if name not in ("key", "data")})
    return changes.get("key", key), changes.get("data", value), list(attributes.items())


async def put(kafka: Broker, messages: Sequence[Message]) -> None:
    producer = AIOKafkaProducer(**kafka.connection(), max_request_size=4_000_000)
    await producer.start()
    for key, value, headers in messages:
        await producer.send_and_wait(kafka.wire_name("ar.invoice"), value, key=key, headers=headers)
    await producer.stop()


async def dead_letters(kafka: Broker, count: int) -> list[Any]:
    reader = AIOKafkaConsumer(
        kafka.wire_name(DEAD_LETTER_TOPIC), **kafka.connection(), auto_offset_reset="earliest", fetch_max_wait_ms=25
    )
    await reader.start()
    try:
        return [await asyncio.wait_for(reader.getone(), 60) for _ in range(count)]
    finally:
        await reader.stop()


async def test_what_is_no_event_is_set_aside_raw_and_everything_else_lands(database: Database, kafka: Broker) -> None:
    await make_table(database)
    wrong = orjson.loads(message()[1]) | {"invoice": "not an object"}
    bad = {
        b"not JSON": message(data=b"{ no json"),
        b"no key": message(key=None),
        b"does not fit": message(data=orjson.dumps(wrong)),
        b"aggregateversion": message(ce_aggregateversion=b"-1"),
        b"bytes, more than": message(data=b'{"padding": "' + b"x" * 2_000_000 + b'"}'),
    }
    await put(kafka, [*bad.values(), message()])
    person = uuid4()
    await publish(database, event(person, person, 1))
    async with running(Relay(database, kafka, "/dueward/invoice").run, Consumer(database, subscriptions(), kafka).run):
        await eventually(lambda: has_notes(database, 2))
        buried = await dead_letters(kafka, len(bad))
    assert len(buried) == len(bad)
    for words, (key, value, _) in bad.items():
        [letter] = [one for one in buried if words in dict(one.headers)["reason"]]
        headers = dict(letter.headers)
        assert letter.key == key
        assert letter.value == (value[:65_536] if "truncated" in headers else value)
        assert int(headers["value-bytes"]) == len(value)
        assert headers["place"].startswith(b"ar.invoice/")


async def test_unknown_types_and_later_major_versions_are_ignored_and_counted_as_taken(
    database: Database, kafka: Broker
) -> None:
    await make_table(database)
    telemetry.DEAD_LETTERS.clear()
    ignored = telemetry.EVENTS_IGNORED.labels("dueward.invoice.balance_changed.v2")
    before = ignored._value.get()
    await put(
        kafka,
        [
            message(ce_type=b"dueward.invoice.framed.v1"),
            message(ce_type=b"dueward.invoice.balance_changed.v2", data=b'{"another": "shape"}'),
            message(),
        ],
    )
    async with running(Consumer(database, subscriptions(), kafka).run):
        await eventually(lambda: has_progress(database, 3))
    assert len(await notes(database)) == 1
    assert ignored._value.get() == before + 1
    # There, and zero: an alert sees an increase only of a figure that was there before.
    assert REGISTRY.get_sample_value("dueward_dead_letters_total", {"topic": "ar.invoice"}) == 0


async def test_an_event_and_its_handler_belong_to_the_trace_of_the_request(database: Database) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    person = uuid4()
    with telemetry.span("a request", traceparent=f"00-{trace}-00f067aa0ba902b7-01"):
        await publish(database, event(person, person, 1))
    async with database.pool.acquire() as connection:
        logged = await connection.fetchval("select traceparent from event_log")
    assert logged.split("-")[1] == trace

    seen: list[str | None] = []
    subscribed = Subscriptions(group="tracing", topics=("ar.invoice",))

    @subscribed.on(InvoiceBalanceChanged)
    async def look(tx: Tx, changed: InvoiceBalanceChanged) -> None:
        seen.append(telemetry.current_traceparent())

    received = as_received(event(person, person, 2), traceparent=logged)
    await deliver(database, subscribed, [received])
    assert seen[0] is not None
    assert seen[0].split("-")[1] == trace
