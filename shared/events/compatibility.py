"""What may change within a major version: any old reader reads any new event, any new reader any old one.

Readers ignore unknown fields and take unknown names of a growing set, so the following, and no more, is compatible:

- a new field that is not required, with a default for the events that lack it;
- a new name in a growing set (`x-extensible-enum`);
- another description.

A field removed, renamed, retyped, made required or made optional is a break, and so is a changed default, format,
pattern or bound. A closed enumeration (`enum`, `const`) is a break in either direction: with a name more an old strict
reader refuses new events, with a name less a new reader refuses old ones. So is moving a type to another topic. A
break is a new type, `.v2`, published beside the old one for at least six months.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_SAYS_NOTHING = frozenset({"$schema", "$id", "$defs", "title", "description", "examples"})
_LOOKED_INTO = frozenset({"properties", "required", "x-extensible-enum", "items", "anyOf"})
_MISSING = object()


def breaks(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Why `new` may not replace the released schema `old`, a sentence each; empty when it may."""
    return list(_compare("", _resolved(old, old), _resolved(new, new)))


def _compare(path: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    where = path or "the payload"
    for word in sorted((old.keys() | new.keys()) - _SAYS_NOTHING - _LOOKED_INTO):
        before, after = old.get(word, _MISSING), new.get(word, _MISSING)
        if before != after:
            yield f"{where}: {word} was {_show(before)} and is {_show(after)}"
    yield from _compare_fields(path, old, new)

    growing_before, growing_after = old.get("x-extensible-enum"), new.get("x-extensible-enum")
    if (growing_before is None) != (growing_after is None):
        yield f"{where}: a growing set of names {'ends' if growing_after is None else 'begins'} here"
    for name in sorted(set(growing_before or ()) - set(growing_after or ())):
        yield f"{where}: the name {name!r} is gone"

    if ("items" in old) != ("items" in new):
        yield f"{where}: items was {_show(old.get('items', _MISSING))} and is {_show(new.get('items', _MISSING))}"
    elif "items" in old:
        yield from _compare(f"{path}[]", old["items"], new["items"])

    choices_before, choices_after = old.get("anyOf", []), new.get("anyOf", [])
    if len(choices_before) != len(choices_after):
        yield f"{where}: was one of {len(choices_before)} shapes and is one of {len(choices_after)}"
    else:
        for before, after in zip(choices_before, choices_after, strict=True):
            yield from _compare(path, before, after)


def _compare_fields(path: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    fields_before, fields_after = old.get("properties", {}), new.get("properties", {})
    required_before, required_after = set(old.get("required", ())), set(new.get("required", ()))
    for name, before in fields_before.items():
        field = f"{path}/{name}"
        if name not in fields_after:
            yield f"{field}: the field is gone"
            continue
        if name in required_after - required_before:
            yield f"{field}: became required, which events already published may lack"
        if name in required_before - required_after:
            yield f"{field}: is no longer required, which readers already running rely on"
        yield from _compare(field, before, fields_after[name])
    for name in fields_after:
        if name in fields_before:
            continue
        if name in required_after:
            yield f"{path}/{name}: a new field is optional, with a default for the events that lack it"


def _resolved(node: Any, root: dict[str, Any]) -> Any:
    """The schema with every local reference replaced by what it refers to. Schemas of events have no circles."""
    if isinstance(node, list):
        return [_resolved(part, root) for part in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = root["$defs"][node["$ref"].removeprefix("#/$defs/")]
        node = {**target, **{word: part for word, part in node.items() if word != "$ref"}}
    return {word: part if word == "$defs" else _resolved(part, root) for word, part in node.items()}


def _show(value: Any) -> str:
    return "absent" if value is _MISSING else repr(value)
