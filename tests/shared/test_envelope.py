"""The envelope survives Kafka in both modes, and whatever cannot be read becomes a reason, never another exception."""

from __future__ import annotations

import base64
import contextlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events import catalogue
from shared.events.envelope import VALUE_BYTES_MAX, Envelope, Undecodable, decode, to_kafka
from shared.events.reminder import TaskAssigned

CUSTOMER = UUID("0198b7a4-0000-7000-8000-000000000001")
TASK = UUID("0198b7a4-0000-7000-8000-000000000002")
DATA: dict[str, Any] = {
    "customer_id": str(CUSTOMER),
    "effective_on": "2026-03-01",
    "booked_on": "2026-03-01",
    "entity_id": "default",
    "task": {
        "id": str(TASK),
        "version": 1,
        "entity_id": "default",
        "kind": "agency_referral",
        "title": "Decide on an agency referral",
        "status": "open",
        "due_on": "2026-03-08",
        "case_id": "0198b7a4-0000-7000-8000-000000000003",
    },
}
ENVELOPE = Envelope(
    id=UUID("0198b7a4-0000-7000-8000-00000000000a"),
    source="/dueward/reminder",
    type="dueward.task.assigned.v1",
    subject=TASK,
    time=datetime(2026, 3, 1, 9, 0, 0, 123456, tzinfo=UTC),
    version=1,
    key=CUSTOMER,
    correlation_id="import-4711",
    causation_id=None,
    traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    data=json.dumps(DATA).encode(),
)

Headers = list[tuple[str, bytes | None]]


def message(**changes: str | None) -> tuple[bytes, bytes, Headers]:
    """Key, value and headers, with ce_* headers replaced, or left out where the change is None."""
    key, value, headers = to_kafka(ENVELOPE)
    named: dict[str, bytes | None] = {**dict(headers)}
    for attribute, text in changes.items():
        named[f"ce_{attribute}"] = None if text is None else text.encode()
    return key, value, [(name, text) for name, text in named.items() if text is not None]


def structured(**changes: Any) -> tuple[bytes, bytes, Headers]:
    event = {
        "specversion": "1.0",
        "id": str(ENVELOPE.id),
        "source": ENVELOPE.source,
        "type": ENVELOPE.type,
        "subject": str(ENVELOPE.subject),
        "time": "2026-03-01T09:00:00.123456Z",
        "datacontenttype": "application/json",
        "aggregateversion": "1",
        "partitionkey": str(CUSTOMER),
        "correlationid": ENVELOPE.correlation_id,
        "traceparent": ENVELOPE.traceparent,
        "data": DATA,
        **changes,
    }
    value = json.dumps({name: content for name, content in event.items() if content is not None}).encode()
    return str(CUSTOMER).encode(), value, [("content-type", b"application/cloudevents+json; charset=utf-8")]


def test_an_envelope_is_written_with_the_headers_of_the_binding() -> None:
    key, value, headers = to_kafka(replace(ENVELOPE, causation_id="cause"))
    assert key == str(CUSTOMER).encode()
    assert value == ENVELOPE.data
    assert dict(headers) == {
        "content-type": b"application/json",
        "ce_specversion": b"1.0",
        "ce_id": str(ENVELOPE.id).encode(),
        "ce_source": b"/dueward/reminder",
        "ce_type": b"dueward.task.assigned.v1",
        "ce_subject": str(TASK).encode(),
        "ce_time": b"2026-03-01T09:00:00.123456Z",
        "ce_aggregateversion": b"1",
        "ce_partitionkey": str(CUSTOMER).encode(),
        "ce_correlationid": b"import-4711",
        "ce_causationid": b"cause",
        "traceparent": ENVELOPE.traceparent.encode() if ENVELOPE.traceparent else b"",
    }


@given(
    st.builds(
        Envelope,
        id=st.uuids(),
        source=st.sampled_from(["/dueward/invoice", "/bank/überweisung"]),
        type=st.sampled_from(["dueward.invoice.issued.v1", "somebody.else.v7"]),
        subject=st.uuids(),
        time=st.datetimes(
            timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7)), timezone(timedelta(hours=9))])
        ),
        version=st.integers(1, 2**63 - 1),
        key=st.uuids(),
        correlation_id=st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1),
        causation_id=st.none() | st.uuids().map(str),
        traceparent=st.none() | st.just(ENVELOPE.traceparent),
        data=st.dictionaries(st.text(max_size=5), st.integers()).map(lambda data: json.dumps(data).encode()),
    ).filter(lambda envelope: b"\\u0000" not in envelope.data)
)
def test_an_envelope_comes_back_as_it_was_sent(envelope: Envelope) -> None:
    assert decode(*to_kafka(envelope)) == envelope


def test_structured_mode_says_the_same_as_binary_mode() -> None:
    decoded = decode(*structured())
    assert json.loads(decoded.data) == DATA
    assert replace(decoded, data=ENVELOPE.data) == ENVELOPE


def test_structured_mode_may_carry_its_data_as_base64_and_its_version_as_a_number() -> None:
    encoded = base64.b64encode(ENVELOPE.data).decode()
    assert decode(*structured(data=None, data_base64=encoded, aggregateversion=1)) == ENVELOPE


def test_unknown_headers_and_attributes_are_ignored() -> None:
    key, value, headers = message()
    assert decode(key, value, [*headers, ("ce_dataschema", b"x"), ("b3", b"\xff"), ("ce_tenant", None)]) == ENVELOPE
    assert decode(*structured(tenant="x", urgent=True)).type == ENVELOPE.type


def test_a_time_with_an_offset_is_the_same_moment_in_utc() -> None:
    decoded = decode(*message(time="2026-03-01T10:00:00.123456+01:00"))
    assert decoded.time == ENVELOPE.time
    assert decoded.time.tzinfo is UTC


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type", "subject", "time", "aggregateversion"])
def test_a_missing_attribute_is_named(name: str) -> None:
    for sent in (message(**{name: None}), message(**{name: ""}), structured(**{name: None})):
        with pytest.raises(Undecodable, match=name):
            decode(*sent)


def test_a_message_without_key_cannot_be_placed_even_if_the_attribute_names_one() -> None:
    _, value, headers = message()
    with pytest.raises(Undecodable, match="no key"):
        decode(None, value, headers)
    for key in (b"", b"customer-7", b"\xff\xfe"):
        with pytest.raises(Undecodable, match="key"):
            decode(key, value, headers)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "missing"),
        (b"", "not JSON"),
        (b"not json", "not JSON"),
        (b'{"a": 1', "not JSON"),
        (b'{"a": "\xff"}', "not JSON"),
        (b'{"a": "\\ud800"}', "not JSON"),
        (b'{"a": NaN}', "not JSON"),
        (b"[1, 2]", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b'{"note": "a\\u0000b"}', "NUL"),
        (b'{"a": [{"b\\u0000": 1}]}', "NUL"),
        (b"[" * 100_000, "not JSON"),
        (b'{"pad": "' + b"x" * VALUE_BYTES_MAX + b'"}', "more than"),
        (b"x" * 2_000_000, "more than"),
    ],
)
def test_a_value_that_is_not_a_json_object_of_up_to_a_megabyte_is_refused(value: bytes | None, reason: str) -> None:
    key, _, headers = message()
    with pytest.raises(Undecodable, match=reason):
        decode(key, value, headers)


def test_a_value_of_exactly_a_megabyte_is_read() -> None:
    value = b'{"pad": "' + b"x" * (VALUE_BYTES_MAX - 11) + b'"}'
    assert len(value) == VALUE_BYTES_MAX
    assert decode(*to_kafka(replace(ENVELOPE, data=value))).data == value


def test_text_about_the_nul_escape_is_not_a_nul() -> None:
    value = b'{"note": "write \\\\u0000 for NUL"}'
    assert decode(*to_kafka(replace(ENVELOPE, data=value))).data == value


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": "42"}, "id '42' is not a UUID"),
        ({"subject": "INV-7"}, "subject 'INV-7' is not a UUID"),
        ({"time": "yesterday"}, "not RFC 3339"),
        ({"time": "2026-02-30T00:00:00Z"}, "not RFC 3339"),
        ({"time": "2026-03-01T09:00:00"}, "no offset"),
        ({"aggregateversion": "0"}, "from 1"),
        ({"aggregateversion": "-1"}, "from 1"),
        ({"aggregateversion": "1.5"}, "from 1"),
        ({"aggregateversion": "1_0"}, "from 1"),
        ({"aggregateversion": "9" * 40}, "from 1"),
        ({"aggregateversion": str(2**63)}, "from 1"),
        ({"specversion": "2.0"}, "specversion"),
        ({"source": "a\0b"}, "NUL"),
    ],
)
def test_a_malformed_attribute_is_refused_with_what_was_sent(changes: dict[str, str], reason: str) -> None:
    for sent in (message(**changes), structured(**changes)):
        with pytest.raises(Undecodable, match=reason):
            decode(*sent)


@pytest.mark.parametrize("content_type", ["text/plain", "application/cloudevents-batch+json", "application/avro"])
def test_another_content_type_is_refused(content_type: str) -> None:
    key, value, headers = message()
    with pytest.raises(Undecodable, match="content-type"):
        decode(key, value, [*headers, ("content-type", content_type.encode())])


def test_structured_mode_needs_data_that_is_a_json_object() -> None:
    text = base64.b64encode(b"hello").decode()
    for changes in ({"data": None}, {"data": [1]}, {"data": "text"}, {"data": None, "data_base64": "%%%"}):
        with pytest.raises(Undecodable, match="data"):
            decode(*structured(**changes))
    with pytest.raises(Undecodable, match="not JSON"):
        decode(*structured(data=None, data_base64=text))
    with pytest.raises(Undecodable, match="datacontenttype"):
        decode(*structured(datacontenttype="application/xml"))


names = st.sampled_from(
    ["content-type", "traceparent", "x"]
    + [f"ce_{name}" for name in ("specversion", "id", "source", "type", "subject", "time", "aggregateversion")]
)
junk = st.binary(max_size=60) | st.sampled_from([b"1.0", b"1", str(TASK).encode(), b"application/cloudevents+json"])


@given(st.none() | junk, st.none() | junk | st.just(b"{}"), st.lists(st.tuples(names, st.none() | junk)))
def test_junk_is_undecodable_and_nothing_worse(key: bytes | None, value: bytes | None, headers: Headers) -> None:
    with contextlib.suppress(Undecodable):
        decode(key, value, headers)


field_names = st.sampled_from(["customer_id", "task", "id", "version", "entity_id", "due_on"])
scalars = st.none() | st.booleans() | st.integers() | st.text()
shapes = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(field_names, inner))


@given(shapes)
def test_a_payload_of_any_other_shape_is_undecodable(payload: Any) -> None:
    with pytest.raises(Undecodable, match="does not fit"):
        catalogue.parse(replace(ENVELOPE, data=json.dumps(payload).encode()))


def test_a_known_type_is_parsed_into_its_class() -> None:
    event = catalogue.parse(ENVELOPE)
    assert isinstance(event, TaskAssigned)
    assert event.task.title == "Decide on an agency referral"


def test_an_unknown_type_and_an_unknown_major_version_are_nothing_to_this_reader() -> None:
    assert catalogue.parse(replace(ENVELOPE, type="dueward.task.assigned.v2")) is None
    assert catalogue.parse(replace(ENVELOPE, type="acme.lead.won.v1", data=b'{"anything": true}')) is None


def test_a_field_from_a_newer_release_is_ignored() -> None:
    assert catalogue.parse(replace(ENVELOPE, data=json.dumps({**DATA, "mood": "new"}).encode())) is not None


def test_data_that_does_not_fit_says_where() -> None:
    without = {**DATA, "task": {name: part for name, part in DATA["task"].items() if name != "kind"}}
    with pytest.raises(Undecodable, match=r"does not fit dueward\.task\.assigned\.v1: task/kind: Field required"):
        catalogue.parse(replace(ENVELOPE, data=json.dumps(without).encode()))


def test_envelope_and_payload_have_to_agree_on_customer_aggregate_and_version() -> None:
    with pytest.raises(Undecodable, match="customer"):
        catalogue.parse(replace(ENVELOPE, key=TASK))
    with pytest.raises(Undecodable, match="version 2"):
        catalogue.parse(replace(ENVELOPE, version=2))
    with pytest.raises(Undecodable, match="is about"):
        catalogue.parse(replace(ENVELOPE, subject=CUSTOMER))


def test_the_catalogue_files_each_event_under_one_topic_and_one_producer() -> None:
    assert set(catalogue.BY_TYPE) == {kind.type for kinds in catalogue.BY_TOPIC.values() for kind in kinds}
    for kind in catalogue.EVENTS:
        assert kind.type.startswith("dueward.")
        assert kind.type.endswith(".v1")
        assert kind in catalogue.BY_PRODUCER[catalogue.producer(kind)]
        assert kind.__doc__
    topics = {service: {kind.topic for kind in kinds} for service, kinds in catalogue.BY_PRODUCER.items()}
    assert topics == {
        "credit": {"ar.customer", "ar.credit"},
        "invoice": {"ar.invoice", "ar.payment", "ar.overdue"},
        "reminder": {"ar.reminder"},
    }
