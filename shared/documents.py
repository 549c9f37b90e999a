"""Documents that people write, as YAML or JSON: every part knows its line, so that each fault is shown where it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, ValidationError, model_serializer
from pydantic_core import PydanticCustomError

CHARACTERS_MAX = 64_000
NESTING_MAX = 10
_FOLLOWS = "default_factory_not_called"
"""What pydantic says of a field that takes its default from a faulty one: the fault itself is named already."""


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where PyYAML was built with it, thirty times as fast: a document is read while other requests wait."""


class _Loader(_LOADER):
    """As in YAML 1.2 only `true` and `false` are booleans and a date is text: `countries: [NO]` means Norway."""

    yaml_implicit_resolvers = {  # noqa: RUF012  # It replaces the one of the class above.
        first: [
            (tag, pattern)
            for tag, pattern in resolvers
            if tag != "tag:yaml.org,2002:timestamp" and (tag != "tag:yaml.org,2002:bool" or first in "tTfF")
        ]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


class Part(BaseModel):
    """A part of a document: nothing is guessed, and a field that nobody knows is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    # Without a return type, or the schema of an answer would only say that it is an object.
    @model_serializer(mode="wrap")
    def _as_it_would_be_written(self, write: SerializerFunctionWrapHandler):
        return {name: value for name, value in write(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a document: where (line from 1, JSON pointer) and why."""

    line: int
    pointer: str
    detail: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.detail}"


class Unusable(ValueError):
    """A document that is none, or that is not what it should be."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Document:
    """What was written, and the line of each part by its JSON pointer."""

    value: dict[Any, Any]
    lines: Mapping[str, int]

    def fault(self, pointer: str, detail: str) -> Fault:
        """A field that is missing has no line of its own, so it bears the line of what lacks it."""
        place = pointer
        while place not in self.lines:
            place = place.rpartition("/")[0]
        where = pointer[1:].replace("/", ".")
        return Fault(self.lines[place], pointer, f"{where}: {detail}" if where else detail)

    def faults(self, invalid: ValidationError) -> list[Fault]:
        """What a model says of it."""
        errors = invalid.errors(include_url=False, include_input=False)
        return [self._fault(error) for error in errors if error["type"] != _FOLLOWS]

    def _fault(self, error: Any) -> Fault:
        inner = str(error.get("ctx", {}).get("at", "")).split("/")[1:]
        parts = [_escaped(str(part)) for part in [*error["loc"], *inner] if part != "[key]"]
        detail = error["msg"].removeprefix("Value error, ")
        is_word = detail[1:2].islower()  # And not a currency.
        return self.fault(
            "".join(f"/{part}" for part in parts), (detail[:1].lower() if is_word else detail[:1]) + detail[1:]
        )


def broken(kind: str, at: str, message: str, **values: Any) -> PydanticCustomError:
    """A fault that a validator of several fields finds; `at` is the pointer to the field at fault, from the model."""
    return PydanticCustomError(kind, message, {**values, "at": at})  # pyright: ignore[reportArgumentType]


def read(text: str, purpose: str) -> Document:
    """Parse a document that has to be a mapping; `purpose` says of what. Raises Unusable, with lines."""
    root = _compose(text)
    if not isinstance(root, yaml.MappingNode):
        raise Unusable([Fault(1, "", purpose)])
    lines = dict(_lines(root, ""))
    try:
        return Document(yaml.SafeLoader("").construct_document(root), lines)
    except yaml.MarkedYAMLError as fault:
        raise Unusable([_marked(fault)]) from None
    except (ValueError, TypeError, LookupError, AttributeError) as fault:  # A tag such as !!int on what is none.
        raise Unusable([Fault(1, "", f"not YAML: {fault}")]) from None


def _compose(text: str) -> yaml.Node | None:
    """The nodes, which know their lines. Aliases are refused: a few of them unfold into gigabytes."""
    if len(text) > CHARACTERS_MAX:
        raise Unusable([Fault(1, "", f"longer than {CHARACTERS_MAX} characters")])
    try:
        depth = 0
        for event in yaml.parse(text, Loader=_Loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > NESTING_MAX:
                raise Unusable([Fault(event.start_mark.line + 1, "", "nested too deeply")])
            if isinstance(event, yaml.AliasEvent):
                raise Unusable([Fault(event.start_mark.line + 1, "", "aliases (*name) are not allowed")])
        return yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as fault:
        raise Unusable([_marked(fault)]) from None
    except yaml.YAMLError as fault:
        raise Unusable([Fault(1, "", f"not YAML: {fault}")]) from None
    except UnicodeEncodeError as fault:
        raise Unusable([Fault(1, "", f"not text: {fault.reason}")]) from None


def _lines(node: yaml.Node, pointer: str) -> Iterator[tuple[str, int]]:
    """(JSON pointer, line) of every part. Raises Unusable for a key that stands twice."""
    yield pointer, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise Unusable([Fault(line, pointer, "a name is expected here, not a list or a mapping")])
            if key.value in seen:
                raise Unusable([Fault(line, pointer, f"{key.value!r} is given twice")])
            seen.add(key.value)
            below = f"{pointer}/{_escaped(key.value)}"
            yield from _lines(value, below)
            yield below, line
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _lines(value, f"{pointer}/{index}")


def _escaped(part: str) -> str:
    """As RFC 6901 writes a part of a pointer."""
    return part.replace("~", "~0").replace("/", "~1")


def _marked(fault: yaml.MarkedYAMLError) -> Fault:
    mark = fault.problem_mark or fault.context_mark
    said = ", ".join(part for part in (fault.context, fault.problem) if part)
    return Fault(mark.line + 1 if mark else 1, "", f"not YAML: {said}")
