"""What was promised stays readable: frozen schemas, golden examples, and which changes are refused."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, create_model

from shared.events import catalogue, registry
from shared.events.credit import CustomerOnboarded, CustomerState
from shared.events.event import Event, Growing, Payload
from shared.events.invoice import InvoiceIssued
from shared.events.schemas import schema_of
from shared.money import Money

EVENTS = pytest.mark.parametrize("kind", catalogue.EVENTS, ids=lambda kind: kind.type)


def test_the_code_and_the_registry_agree() -> None:
    assert registry.check() == []


@EVENTS
def test_the_golden_example_fits_its_frozen_schema_and_survives_the_model(kind: type[Event]) -> None:
    example, schema = registry.example(kind.type), registry.schema(kind.type)
    assert example
    assert schema
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(example)
    event = kind.model_validate_json(json.dumps(example))
    # An example written before a field came stays as it was.
    assert json.loads(event.model_dump_json(exclude_unset=True)) == example
    assert kind.model_validate_json(event.model_dump_json()) == event
    assert event.version >= 1


def strategy(shape: Any) -> st.SearchStrategy[Any]:
    """Values of a payload's field type; models are built field by field, as a publisher builds them."""
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        hints = get_type_hints(shape, include_extras=True)
        return st.builds(shape, **{name: strategy(hints[name]) for name in shape.model_fields})
    if get_args(shape) and isinstance(get_args(shape)[-1], Growing):
        return st.sampled_from(get_args(get_args(shape)[0]))
    if getattr(shape, "__origin__", None) is tuple:
        return st.lists(strategy(get_args(shape)[0]), max_size=2).map(tuple)
    if getattr(shape, "__args__", None) and type(None) in get_args(shape):
        return st.none() | strategy(get_args(shape)[0])
    if shape is str:
        return st.text(string.printable + "äß漢", max_size=12)
    return st.from_type(shape)


st.register_type_strategy(
    Money, st.builds(Money, st.integers(-(10**15), 10**15), st.sampled_from(["EUR", "JPY", "KWD"]))
)


@EVENTS
def test_whatever_a_publisher_builds_fits_the_frozen_schema_and_is_read_back(kind: type[Event]) -> None:
    validator = Draft202012Validator(registry.schema(kind.type) or {})

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(strategy(kind))
    def check(event: Event) -> None:
        wire = event.model_dump_json()
        validator.validate(json.loads(wire))
        assert kind.model_validate_json(wire) == event

    check()


def test_a_reader_takes_a_name_that_a_later_release_added_but_a_publisher_does_not_invent_one() -> None:
    example = registry.example("dueward.invoice.issued.v1") or {}
    later = {**example, "invoice": {**example["invoice"], "status": "in_collection"}}
    assert InvoiceIssued.model_validate_json(json.dumps(later)).invoice.status == "in_collection"
    with pytest.raises(ValueError, match="status"):
        CustomerState.model_validate({**_golden("dueward.customer.onboarded.v1")["customer"], "status": "asleep"})


def _golden(type: str) -> dict[str, Any]:
    return registry.example(type) or {}


# Changes to an event, and whether they may be released within its major version.


class Part(Payload):
    name: str


class Base(Event):
    topic: ClassVar[str] = "ar.customer"
    type: ClassVar[str] = CustomerOnboarded.type


Colour = Annotated[Literal["red", "green"], Growing()]
FIELDS: dict[str, Any] = {
    "label": (str, ...),
    "note": (str | None, None),
    "count": (int, ...),
    "price": (Money, ...),
    "colour": (Colour, ...),
    "day_number": (Literal[31, 61], ...),
    "parts": (tuple[Part, ...], ()),
}


def kind_with(**changes: Any) -> type[Event]:
    fields = {name: field for name, field in {**FIELDS, **changes}.items() if field is not None}
    return create_model("Thing", __base__=Base, **fields)


def try_release(tmp_path: Path, kind: type[Event]) -> list[str]:
    assert registry.freeze([kind_with()], tmp_path) == []
    before = registry.schema(Base.type, tmp_path)
    faults = registry.freeze([kind], tmp_path)
    assert registry.schema(Base.type, tmp_path) == (before if faults else schema_of(kind))
    return faults


class LongerPart(Payload):
    name: str
    size: int | None = None


class OtherPart(Payload):
    title: str


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"extra": (str | None, None)},
        {"extra": (int, 0)},
        {"colour": (Annotated[Literal["red", "green", "blue"], Growing()], ...)},
        {"parts": (tuple[LongerPart, ...], ())},
    ],
    ids=["nothing", "optional field", "field with default", "a name more in a growing set", "optional field in a part"],
)
def test_a_release_may_add_what_nobody_has_to_know(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert try_release(tmp_path, kind_with(**changes)) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"note": None}, "/note: the field is gone"),
        ({"label": None, "title": (str, ...)}, "/label: the field is gone"),
        ({"extra": (str, ...)}, "/extra: a new field is optional"),
        ({"note": (str | None, ...)}, "/note: became required"),
        ({"label": (str, "none")}, "/label: is no longer required"),
        ({"count": (float, ...)}, "/count: type was 'integer' and is 'number'"),
        ({"count": (str, ...)}, "/count: type was 'integer' and is 'string'"),
        ({"label": (str | None, ...)}, "/label: was one of 0 shapes and is one of 2"),
        ({"label": (date, ...)}, "/label: format was absent and is 'date'"),
        ({"note": (str | None, "x")}, "/note: default was None and is 'x'"),
        ({"price": (str, ...)}, "/price"),
        ({"colour": (Annotated[Literal["red"], Growing()], ...)}, "/colour: the name 'green' is gone"),
        ({"colour": (Literal["red", "green"], ...)}, "/colour: a growing set of names ends here"),
        ({"day_number": (Literal[31, 61, 91], ...)}, "/day_number: enum was"),
        ({"day_number": (Literal[31], ...)}, "/day_number"),
        ({"parts": (tuple[OtherPart, ...], ())}, r"/parts\[\]/name: the field is gone"),
        ({"parts": (Part, ...)}, "/parts"),
    ],
)
def test_a_change_that_would_break_a_reader_is_refused(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    faults = try_release(tmp_path, kind_with(**changes))
    assert re.search(reason, "\n".join(faults))
    assert all(fault.endswith("a break is a new type, dueward.customer.onboarded.v2") for fault in faults)


def test_a_released_type_may_not_disappear_or_move_to_another_topic(tmp_path: Path) -> None:
    registry.freeze([kind_with()], tmp_path)
    assert "was released and is gone" in registry.freeze([], tmp_path)[0]

    class Moved(Base):
        topic: ClassVar[str] = "ar.credit"

    moved = create_model("Thing", __base__=Moved, **FIELDS)
    assert "x-topic was 'ar.customer' and is 'ar.credit'" in registry.freeze([moved], tmp_path)[0]


def test_a_new_type_and_a_grown_one_have_to_be_frozen_and_exemplified(tmp_path: Path) -> None:
    assert [fault.split(" ", 1)[1][:22] for fault in registry.check([kind_with()], tmp_path)] == [
        "has no frozen schema: ",
        "has no golden example:",
    ]
    registry.freeze([kind_with()], tmp_path)
    assert "grew since it was frozen" in registry.check([kind_with(extra=(int, 0))], tmp_path)[0]


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda data: data | {"label": 7}, "no longer reads its golden example"),
        (lambda data: data | {"unheard_of": 7}, "does not write its golden example back"),
    ],
)
def test_an_example_that_the_model_no_longer_carries_is_reported(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], dict[str, Any]], complaint: str
) -> None:
    data = {
        "customer_id": "0198b7a4-0000-7000-8000-000000000001",
        "effective_on": "2026-03-01",
        "booked_on": "2026-03-01",
        "label": "x",
        "count": 1,
        "price": {"amount": "1.00", "currency": "EUR"},
        "colour": "red",
        "day_number": 31,
    }
    registry.freeze([kind_with()], tmp_path)
    path = tmp_path / "examples" / f"{Base.type}.json"
    path.parent.mkdir()
    path.write_text(json.dumps(data))
    assert registry.check([kind_with()], tmp_path) == []
    path.write_text(json.dumps(spoil(data)))
    assert complaint in registry.check([kind_with()], tmp_path)[0]
